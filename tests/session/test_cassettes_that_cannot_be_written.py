"""A folder that cannot be written costs the recording, and never a run."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import evalkit
from evalkit.testing import serve

httpx2 = pytest.importorskip("httpx2")


def test_the_run_is_complete_and_the_loss_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "pyproject.toml").write_text('[tool.evalkit]\ncassettes = "file/cassettes"\n')
    with serve("four") as server:

        @evalkit.suite(dataset=[evalkit.Case(id="c1", input="2+2?")], name="sums")
        def told(case: evalkit.Case) -> str:
            asked = {"model": "scripted-a", "messages": [{"role": "user", "content": case.input}]}
            return httpx2.post(f"{server.url}/chat/completions", json=asked).text

        with caplog.at_level(logging.WARNING):
            run = evalkit.run(told, cache="read-write", progress=False)
    assert run.status == "complete"
    assert [trial.outcome for trial in run.suites[0].trials] == ["passed"]
    assert "What was recorded could not be kept: " in caplog.text
    assert "The cassettes cannot be written" in caplog.text
