"""Recorded outputs: no model is called here. Each suite replays what the named model once answered."""

import functools
import json
import os
from pathlib import Path

import pytest

import evalkit

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).parents[3] / "shared/data")


def pytest_terminal_summary(terminalreporter):
    if not DATA.is_dir():
        terminalreporter.line(
            f"There are no recorded outputs in {DATA}: name their folder in EVALKIT_DATA.", yellow=True
        )


@functools.cache
def _rows(path: Path, model: str) -> dict[str, dict]:
    with path.open(encoding="utf-8") as lines:
        return {row["id"]: row for row in map(json.loads, lines) if row["model"] == model}


@pytest.fixture(scope="session")
def recorded():
    """`recorded(folder, model, case)` is the row with what that model answered to that case."""

    def look_up(folder: Path, model: str, case: evalkit.Case) -> dict:
        return _rows(folder / "outputs.jsonl", model)[case.id]

    return look_up
