"""A whole run of the benchmarks as one JSON file: raw readings, versions, machine. The page is made from it alone."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT
from benchmarks.plan import Plan
from benchmarks.readings import Reading

FILE = ROOT / "benchmarks" / "results.json"
SCHEMA = 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """`begun` and `ended` are UTC, `commit` is the one evalkit's wheel was built from, `-dirty` where files were changed."""

    begun: str
    ended: str
    commit: str
    plan: Plan
    machine: Mapping[str, str]
    packages: Mapping[str, Mapping[str, str]]
    readings: tuple[Reading, ...]

    def write(self, path: Path) -> None:
        body = {"schema": SCHEMA, **dataclasses.asdict(self)}
        for reading in body["readings"]:
            for key in ("wall", "cpu", "file_kb", "load"):
                reading[key] = round(reading[key], 4)
        readings = body.pop("readings")
        head = json.dumps(body, indent=1, ensure_ascii=False)[:-2]
        lines = ",\n".join("  " + json.dumps(reading, ensure_ascii=False) for reading in readings)
        path.write_text(f'{head},\n "readings": [\n{lines}\n ]\n}}\n', encoding="utf-8")


def read(path: Path) -> Results:
    """The results in `path`. Raises `ValueError` for a file of another schema."""
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if body.pop("schema") != SCHEMA:
        raise ValueError(f"{path.name} has another schema than {SCHEMA}; measure again")
    return Results(
        **{
            **body,
            "plan": Plan(**body["plan"]),
            "readings": tuple(Reading(**reading) for reading in body["readings"]),
        }
    )
