"""What an import costs over the bare interpreter of the same environment."""

from __future__ import annotations

import operator
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import subjects as who
from benchmarks.environments import ENVIRONMENTS
from benchmarks.markdown import seconds, table
from benchmarks.measure import cost_of
from benchmarks.plan import Plan
from benchmarks.readings import Reading, median, of, paired
from benchmarks.rounds import Say, reading_of
from benchmarks.targets import Target

TASK = "import"
SUITE_FILE = "import evalkit, evalkit_scorers; evalkit.Case; evalkit.suite; evalkit_scorers.exact_match"
STATEMENTS = {
    "evalkit": ("import evalkit", SUITE_FILE),
    "plain": ("import pytest",),
    "pytest-evals": ("import pytest_evals.plugin",),
    "pydantic-evals": ("from pydantic_evals import Case, Dataset",),
    "inspect-ai": ("from inspect_ai import Task, eval",),
    "mlflow": ("import mlflow", "import mlflow.genai"),
}


def run(plan: Plan, say: Say) -> list[Reading]:
    readings = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        for number in range(-1, plan.import_rounds):  # round -1 warms up and is not counted
            for environment, statements in STATEMENTS.items():
                for statement in ("pass", *statements):
                    reading = _import(folder, environment, statement, number)
                    if number >= 0:
                        readings.append(reading)
            if number >= 0:
                say(f"{TASK:<8} {number + 1}/{plan.import_rounds}")
    return readings


def _import(folder: Path, environment: str, statement: str, number: int) -> Reading:
    cost = cost_of(
        [str(ENVIRONMENTS[environment].python), "-c", statement],
        folder=folder,
        environment=who.PLAIN.surroundings(folder, delay=0.0, concurrency=None),
    )
    return reading_of(cost, task=TASK, subject=f"{environment}: {statement}", number=number, cases=0)


def _over_bare(readings: Sequence[Reading], environment: str, statement: str) -> list[float]:
    return paired(
        of(readings, TASK, f"{environment}: {statement}"),
        of(readings, TASK, f"{environment}: pass"),
        lambda r: r.cpu,
        operator.sub,
    )


def judge(readings: Sequence[Reading], plan: Plan) -> list[Target]:
    targets = []
    for statement in STATEMENTS["evalkit"]:
        over = _over_bare(readings, "evalkit", statement)
        what = "`import evalkit`" if statement != SUITE_FILE else "all that a suite file imports"
        targets.append(
            Target(
                name=f"CPU of {what} over bare Python",
                promise="≤ 150 ms",
                limit=150.0,
                obtained=statistics.median(over) * 1000 if over else None,
                unit="ms",
                detail=f"median of {len(over)}",
            )
        )
    return targets


def section(readings: Sequence[Reading], plan: Plan) -> str:
    rows = []
    for environment, statements in STATEMENTS.items():
        for statement in statements:
            over = _over_bare(readings, environment, statement)
            if over:
                rows.append(
                    (
                        f"`{statement}`",
                        seconds(statistics.median(over)),
                        f"{min(over) * 1000:.0f} – {max(over) * 1000:.0f} ms",
                        seconds(median(of(readings, TASK, f"{environment}: pass"), lambda r: r.cpu)),
                        str(len(over)),
                    )
                )
    return (
        "## Imports\n\n"
        "CPU of the statement in a new interpreter, less that of `pass` in the same environment and the same round. "
        "`import evalkit` loads its names when they are first used, so the second line, which uses what a suite file "
        "uses, is the one to compare.\n\n"
        + table(("statement", "CPU over bare", "lowest – highest", "bare", "runs"), rows)
    )
