"""What a report costs: the HTML file of a large stored run."""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import subjects as who
from benchmarks.markdown import megabytes, seconds, table
from benchmarks.measure import Failed, cost_of
from benchmarks.plan import Plan
from benchmarks.readings import Reading, median, of
from benchmarks.rounds import Say, reading_of
from benchmarks.targets import Target

TASK = "report"
STORE = replace(who.EVALKIT_ASYNC, name="evalkit, run with five scorers", workload="evalkit_five.py", proof="(x)")
REPORT = "evalkit report"
CLI = ("-c", "import sys; from evalkit.cli import main; sys.exit(main())")
SCORES = 5
WORDS = 5_000  # made-up ones, so that the text is no easier to compress than people's


def rows_with_text(count: int) -> list[Mapping[str, object]]:
    """Cases with a question of some 200 characters and an answer of some 300; four of five answers are right."""
    chance = random.Random(2026)
    words = ["".join(chance.choices("etaoinshrdlucmfwypvbgk", k=chance.randint(2, 9))) for _ in range(WORDS)]
    rows: list[Mapping[str, object]] = []
    for number in range(count):
        expected = " ".join(chance.choices(words, k=50))
        given = expected if chance.random() < 0.8 else " ".join(chance.choices(words, k=50))
        rows.append(
            {
                "id": f"c{number:06d}",
                "input": {"question": " ".join(chance.choices(words, k=34))},
                "expected": expected,
                "metadata": {"answer": given, "kind": chance.choice("abcd")},
            }
        )
    return rows


def run(plan: Plan, say: Say) -> list[Reading]:
    readings = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        STORE.lay_out(folder, rows_with_text(plan.report_cases))
        environment = STORE.surroundings(folder, delay=0.0, concurrency=None)
        cost = cost_of(STORE.start(), folder=folder, environment=environment)
        _check_store(folder, environment, plan.report_cases)
        readings.append(reading_of(cost, task=TASK, subject=STORE.name, number=0, cases=plan.report_cases))
        say(f"{TASK:<8} run with {plan.report_cases:,} cases stored")
        target = folder / "report.html"
        for number in range(plan.report_rounds):
            target.unlink(missing_ok=True)
            command = [STORE.start()[0], *CLI, "report", "last", "-o", target.name]
            cost = cost_of(command, folder=folder, environment=environment)
            reading = reading_of(
                cost,
                task=TASK,
                subject=REPORT,
                number=number,
                cases=plan.report_cases,
                file_kb=target.stat().st_size / 1024,
            )
            readings.append(reading)
            say(f"{TASK:<8} {number + 1}/{plan.report_rounds}  {cost.wall:.2f} s, {reading.file_kb / 1024:.1f} MiB")
    return readings


def _check_store(folder: Path, environment: Mapping[str, str], cases: int) -> None:
    shown = subprocess.run(
        [STORE.start()[0], *CLI, "show", "last", "--json"],
        cwd=folder,
        env=dict(environment),
        check=True,
        capture_output=True,
        text=True,
    )
    metrics = [metric for metric in json.loads(shown.stdout)["metrics"] if not metric["slice"]]
    scored = [metric["name"] for metric in metrics if metric["scored"] == cases]
    if len(set(scored)) < SCORES - 1:  # the label has no mean, so it may be no metric
        raise Failed(f"The run to report on has not {SCORES} scores of {cases} cases: {scored}")


def judge(readings: Sequence[Reading], plan: Plan) -> list[Target]:
    own = of(readings, TASK, REPORT)
    size = median(own, lambda r: r.file_kb)
    what = f"report of {plan.report_cases:,} cases × {SCORES} scores"
    return [
        Target(name=f"{what}: time", promise="≤ 5 s", limit=5.0, obtained=median(own, lambda r: r.wall), unit="s"),
        Target(
            name=f"{what}: size",
            promise="≤ 25 MB",
            limit=25.0,
            obtained=None if size is None else size * 1024 / 1e6,
            unit="MB",
        ),
    ]


def section(readings: Sequence[Reading], plan: Plan) -> str:
    rows = [
        (
            name,
            seconds(median(own, lambda r: r.wall)),
            seconds(median(own, lambda r: r.cpu)),
            megabytes(median(own, lambda r: r.peak_kb)),
            megabytes(median(own, lambda r: r.file_kb)) if name == REPORT else "–",
            str(len(own)),
        )
        for name in (STORE.name, REPORT)
        if (own := of(readings, TASK, name))
    ]
    return (
        f"## A report of {plan.report_cases:,} cases × {SCORES} scores\n\n"
        "Questions of some 200 characters, answers of some 300, a fifth of them wrong; four numbers and a label for each "
        "case. `evalkit report last` is timed as a command, from the start of the interpreter, reading the store.\n\n"
        + table(("command", "wall", "CPU", "peak memory", "file", "runs"), rows)
        + "\nNone of the others writes a self-contained report of a run: pytest-evals leaves that to the user's analysis "
        "test, pydantic-evals prints a table, inspect-ai and MLflow show their stores through a local server "
        "(`inspect view bundle` copies the viewer and the logs into a folder that a web server can serve).\n"
    )
