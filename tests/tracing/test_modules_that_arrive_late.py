"""Being told of a module that is imported later, also from within being told."""

from __future__ import annotations

import importlib
import sys

from evalkit.tracing import when_imported


def test_whoever_begins_to_wait_while_others_are_told_is_told_too(tmp_path, monkeypatch):
    (tmp_path / "a_module_that_comes_late.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    told = []
    stop = []

    def first():
        told.append("first")
        stop.append(when_imported("a_module_that_comes_late", lambda: told.append("second")))

    stop.append(when_imported("a_module_that_comes_late", first))
    try:
        importlib.import_module("a_module_that_comes_late")
        assert told == ["first", "second"]
    finally:
        for one in stop:
            one()
        sys.modules.pop("a_module_that_comes_late", None)
