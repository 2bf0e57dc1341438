"""`pytest --looponfail` of pytest-xdist: each time round is a run of its own, of the cases that it is about."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evalkit.errors import EvalkitError
from evalkit.runs import Run
from evalkit.store import open_store

SOURCE = """
import evalkit
from evalkit import Case

@evalkit.scorer(blocking=False)
def same(output, expected):
    return output == expected

@evalkit.suite(dataset=[Case(id=f"c{{i}}", input=i, expected=i) for i in range(3)], scorers=[same])
def test_inner(case):
    return {answer}
"""


@pytest.fixture
def looping(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    pytest.importorskip("xdist")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (tmp_path / "test_inner.py").write_text(SOURCE.format(answer="0 if case.input == 1 else case.input"), "utf-8")
    said_at(tmp_path).parent.mkdir()
    with said_at(tmp_path).open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "--looponfail", "-p", "no:cacheprovider", "test_inner.py"],
            cwd=tmp_path,
            env={name: value for name, value in os.environ.items() if name != "EVALKIT_STORE"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it has a process of its own, which has to go with it
        )
        yield process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def said_at(folder: Path) -> Path:
    return folder / ".said" / "output"  # xdist begins again with every file that changes, but for those in such folders


def finished(folder: Path) -> list[Run]:
    """The runs that have ended, the oldest first."""
    with contextlib.suppress(EvalkitError), open_store(folder / ".evalkit" / "evalkit.db", read_only=True) as store:
        return [store.load(run.id) for run in reversed(store.runs()) if run.status == "complete"]
    return []


def until(done: Callable[[], bool], process: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(2400):
        if done():
            return
        assert process.poll() is None, said_at(folder).read_text("utf-8", "replace")
        time.sleep(0.1)
    raise AssertionError(said_at(folder).read_text("utf-8", "replace"))


def outcomes(run: Run) -> dict[str, str]:
    return {trial.case_id: trial.outcome for suite in run.suites for trial in suite.trials}


@pytest.mark.slow
def test_what_failed_runs_again_when_a_file_changes_and_then_everything(
    looping: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    until(lambda: len(finished(tmp_path)) == 1, looping, tmp_path)
    until(lambda: "waiting for changes" in said_at(tmp_path).read_text("utf-8", "replace"), looping, tmp_path)
    (tmp_path / "test_inner.py").write_text(SOURCE.format(answer="case.input"), "utf-8")
    until(lambda: len(finished(tmp_path)) == 3, looping, tmp_path)
    first, again, all_of_them = finished(tmp_path)
    assert outcomes(first) == {"c0": "passed", "c1": "missed", "c2": "passed"}
    assert outcomes(again) == {"c1": "passed"}
    assert outcomes(all_of_them) == {"c0": "passed", "c1": "passed", "c2": "passed"}
