"""The section of docs/benchmarks.md on pages side by side, from `benchmarks/pages.json`."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks.machine import OTHERS, QUIET
from benchmarks.markdown import seconds, table

FILE = Path(__file__).parents[1] / "pages.json"
_SCROLLS = {
    "evalkit report": "one file; search, filters, sort; spans, scores and texts of each case",
    "inspect view bundle": "a folder with its log, for a web server; filters, sort; messages, events and scores of each sample",
    "pytest-html": "one file; filter by outcome, sort; scores and trace as text in the row",
    "promptfoo HTML": "one file; a table of outputs with pass and fail, no traces, no search",
}


def kept() -> dict[str, Any] | None:
    """The figures that were measured last; `None` where there are none."""
    if not FILE.exists():
        return None
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def section(found: dict[str, Any]) -> str:
    """The table, what is in each page, and on what it was measured."""
    readings = [one for one in found["readings"] if "failure" not in one]
    readings.sort(key=lambda one: (one["cases"], list(_SCROLLS).index(one["subject"])))
    rows = [_row(one) for one in readings]
    head = ("page", "cases", "CPU to write", "size", "first text", "cases usable", "CPU until then", "one search")
    loads = [end for one in readings for end in one["load"]]
    told = "\n".join(f"- {name}: {text}. Timed: {_how(readings, name)}." for name, text in _SCROLLS.items())
    failed = "".join(
        f"\n{one['subject']} with {one['cases']:,} cases could not be measured: {one['failure']}.\n"
        for one in found["readings"]
        if "failure" in one
    )
    machine = found["machine"]
    return (
        "## The same cases as a page of four tools\n\n"
        "Questions of some 200 characters, answers of some 300, five scores with explanations and four spans for each "
        "case, made by `python -m benchmarks.pages --write` and opened in headless Chromium. Usable is when the first "
        "rows of the table are there; times to open are the shortest of the rounds.\n\n"
        + table(head, rows)
        + failed
        + f"\n{told}\n\n"
        f"Measured on {machine['processor']} with {machine['cores']} cores, at a load of {min(loads):.1f} to {max(loads):.1f}, "
        f"the measured programs included. {OTHERS if max(loads) > QUIET else ''}The CPU until usable is that of all processes of the browser, with its "
        "start-up of a page included.\n"
    )


def _how(readings: list[dict[str, Any]], name: str) -> str:
    return next((one["how"] for one in readings if one["subject"] == name), "not measured")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    looks = one["opened"]

    def least(key: str) -> float | None:
        values = [look[key] for look in looks if look[key] is not None]
        return min(values) / 1000 if values else None

    searches = [look["search"] for look in looks if look["search"] is not None]
    return (
        one["subject"],
        f"{one['cases']:,}",
        seconds(max(one["cpu"], 0.0)),
        f"{one['bytes'] / 1e6:.1f} MB",
        seconds(least("first_paint")),
        seconds(least("usable")),
        seconds(least("cpu")),
        f"{statistics.median(searches):.0f} ms" if searches else "–",
    )
