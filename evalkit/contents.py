"""A package as a table of contents: each of its names is loaded when it is first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def contents(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and the `__dir__` of `package`, where `homes` has the module of each name.

    A name that is not there is an `AttributeError` that offers the nearest one.
    """

    def load(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            from evalkit.errors import did_you_mean

            near = "" if name.startswith("_") else did_you_mean(name, homes)
            raise AttributeError(f"module {package!r} has no attribute {name!r}.{near}")
        value = getattr(import_module(f"{package}.{home}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        public: list[str] = sys.modules[package].__all__
        return sorted(public)

    return load, names
