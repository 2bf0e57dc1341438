"""Recorded outputs: no model is called here. Each suite replays what the named model once answered."""

import functools
import json
from pathlib import Path

import pytest

import evalkit


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
