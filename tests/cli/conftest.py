"""A project with stored runs, and the command line run in it."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import evalkit
from evalkit.case import Case
from evalkit.cli.app import run as run_command_line
from evalkit.runs import Run


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, in which the test runs."""
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("EVALKIT_") or name in ("NO_COLOR", "FORCE_COLOR")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def cli(project: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run a command; gives its exit code and what it wrote."""

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        code = run_command_line(arguments)
        out, err = capsys.readouterr()
        return Result(code=code, out=out, err=err)

    return call


def right(output: Any, expected: Any) -> bool:
    return bool(output == expected)


@pytest.fixture
def make_run(project: Path) -> Callable[..., Run]:
    """Store a run of a suite of sums in the project; see `_make_run`."""
    return _make_run


def _make_run(
    wrong: tuple[int, ...] = (),
    *,
    raises: tuple[int, ...] = (),
    gates: tuple[str, ...] = ("right >= 0.5",),
    scorer: Any = right,
    cases: int = 20,
    name: str = "sums",
    repeat: int = 1,
    traced: bool = False,
) -> Run:
    """A stored run of a suite of `cases` cases, of which those numbered in `wrong` miss and in `raises` raise."""

    @evalkit.suite(
        name=name,
        dataset=[Case(id=f"c{n}", input={"n": n}, expected=n, metadata={"odd": bool(n % 2)}) for n in range(cases)],
        scorers=[scorer],
        gates=gates,
        repeat=repeat,
    )
    def suite(case: Case) -> int:
        number: int = case.input["n"]
        if traced:
            with evalkit.span("look up", number=number):
                pass
        if number in raises:
            raise RuntimeError("the model is away")
        return -1 if number in wrong else number

    return evalkit.run(suite, progress=False)
