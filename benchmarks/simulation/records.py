"""The raw figures: kept in a file, so that one kind can be simulated anew and the pages made without drawing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.simulation.cells import Cell, Errors
from benchmarks.simulation.kinds import KINDS, Found
from benchmarks.simulation.stopping import Stopped

FILE = Path(__file__).with_name("results.json")


def read(file: Path = FILE) -> tuple[list[Found], list[Stopped]]:
    """What was found last, in the order of the kinds; nothing where there is no file."""
    plain = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    found = [
        Found(kind=kind, **{part: tuple(map(_cell, plain[kind.key][part])) for part in ("cells", "worst")})
        for kind in KINDS
        if kind.key in plain
    ]
    return found, [Stopped(**one) for one in plain.get("stopping", ())]


def keep(found: Iterable[Found], stopped: Iterable[Stopped], file: Path = FILE) -> None:
    """Put new figures in the place of the old ones of the same kinds."""
    plain: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for one in found:
        plain[one.kind.key] = {"cells": list(map(_plain, one.cells)), "worst": list(map(_plain, one.worst))}
    if stopped := list(stopped):
        plain["stopping"] = list(map(dataclasses.asdict, stopped))
    file.write_text(json.dumps(dict(sorted(plain.items())), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _plain(cell: Cell) -> dict[str, Any]:
    found = {name: [round(one.false_pass, 6), round(one.false_fail, 6)] for name, one in cell.found.items()}
    return {"scenario": cell.scenario, "grid": cell.grid, "draws": cell.draws, "found": found}


def _cell(plain: dict[str, Any]) -> Cell:
    found = {name: Errors(false_pass=good, false_fail=bad) for name, (good, bad) in plain["found"].items()}
    return Cell(**(plain | {"found": found}))
