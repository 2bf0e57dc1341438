"""The part of docs/benchmarks.md on large stores, made from `scale.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.machine import OTHERS, QUIET
from benchmarks.markdown import table

FILE = Path(__file__).parents[1] / "scale.json"
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def kept() -> Mapping[str, Any] | None:
    """The figures that were kept, `None` where there are none."""
    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else None


def section(found: Mapping[str, Any]) -> str:
    """Tables of what filling took, what asking takes, and of a long session."""
    stores = {kind: found["stores"][kind] for kind in NAMES if kind in found["stores"]}
    head = ("", *(NAMES[kind] for kind in stores))
    first = next(iter(stores.values()))["load"]

    def row(name: str, cell: Any) -> tuple[str, ...]:
        return (name, *(cell(store) for store in stores.values()))

    def rate(store: Mapping[str, Any], what: str) -> str:
        return f"{store['load'][what] / store['load']['seconds']:,.0f}"

    def seconds(store: Mapping[str, Any], what: str) -> str:
        value = store["load"].get(what)
        return "not kept" if value is None else f"{value:.0f} s"

    filling = [
        row("on the clock, drawing and judging included", lambda s: f"{s['load']['seconds']:.0f} s"),
        row("of it writing", lambda s: seconds(s, "writing")),
        row("CPU of the process that did it", lambda s: seconds(s, "cpu")),
        row("scores a second", lambda s: rate(s, "scores")),
        row("spans a second, in the same seconds", lambda s: rate(s, "spans")),
        row("size", lambda s: f"{s['load']['size'] / 1e6:,.0f} MB"),
    ]
    asked = {kind: {answer["command"]: answer for answer in store["answers"]} for kind, store in stores.items()}
    commands = list(next(iter(asked.values())))
    asking = [
        (
            f"`{command}`" if command.startswith("evalkit") else command,
            *(
                f"{answers[command]['cpu']:.2f} s CPU, {answers[command]['wall']:.2f} s, "
                f"{answers[command]['peak_kb'] / 1024:.0f} MB"
                if command in answers
                else "–"
                for answers in asked.values()
            ),
        )
        for command in commands
    ]
    sessions = [
        row("cases", lambda s: f"{s['session']['cases']:,}"),
        row("on the clock", lambda s: f"{s['session']['wall']:.0f} s"),
        row("CPU", lambda s: f"{s['session']['cpu']:.0f} s"),
        row("peak memory", lambda s: f"{s['session']['peak_kb'] / 1024:.0f} MB"),
    ]
    loads = [load for store in stores.values() for load in store["load_average"]]
    return (
        "## A large store\n\n"
        f"{first['runs']} runs of two suites: {first['scores']:,} scores and {first['spans']:,} spans, drawn from a seed and "
        "written as sessions write them, in batches of 50 trials, each a transaction. PostgreSQL has the settings it comes "
        f"with and is on the same machine. Load average before and after: {min(loads):.1f} to {max(loads):.1f} on "
        f"{found['machine']['cores']} cores. {OTHERS if max(loads) > QUIET else ''}Made by `python -m benchmarks.scale`, "
        "kept in `benchmarks/scale.json`.\n\n"
        + table(head, filling)
        + "\nWhat commands take on it, each in a process of its own, the best of its tries: CPU, seconds on the clock, and the "
        "memory at its peak.\n\n"
        + table(head, asking)
        + "\nAfter that, in the same store, a pytest session of trivial cases from end to end. Most of the memory is pytest's "
        "own, for its items and reports:\n\n" + table(head, sessions)
    )
