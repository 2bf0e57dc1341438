"""What concurrency is worth: cases that wait, many of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmarks import subjects as who
from benchmarks.markdown import ratio, seconds, table
from benchmarks.plan import Plan
from benchmarks.readings import Reading, median, of
from benchmarks.rounds import Say, alternate
from benchmarks.targets import Target

TASK = "waiting"
START = "start-up"
ONE_TEST = replace(who.PLAIN, name="plain pytest, one test", workload="one_test.py")
OURS = (who.EVALKIT_ASYNC, who.EVALKIT_DEF)
TOGETHER = (*OURS, who.PYDANTIC_EVALS, who.INSPECT_AI)
IN_TURN = (replace(who.PLAIN, most_rounds=1), replace(who.PYTEST_EVALS, most_rounds=1))
OTHER = (who.MLFLOW_UNLIMITED,)
LIMITED = (who.MLFLOW, who.MLFLOW_WIDE)
HOW_MANY = {
    who.PLAIN.name: "1: it has no concurrency in one process",
    who.PYTEST_EVALS.name: "1: it has no concurrency in one process",
    who.MLFLOW.name: "10 workers, its default",
    who.MLFLOW_UNLIMITED.name: "10 workers, its default",
}


def run(plan: Plan, say: Say) -> list[Reading]:
    start = alternate(START, (ONE_TEST,), cases=1, rounds=plan.waiting_rounds * 2, say=say)
    chosen = (*TOGETHER, *(OTHER if plan.slow else ()), *((*IN_TURN, *LIMITED) if plan.limiter else ()))
    main = alternate(
        TASK,
        chosen,
        cases=plan.waiting_cases,
        rounds=plan.waiting_rounds,
        say=say,
        delay=plan.waiting_delay,
        concurrency=plan.waiting_at_once,
    )
    return [*start, *main]


def _wall(reading: Reading) -> float:
    return reading.wall


def judge(readings: Sequence[Reading], plan: Plan) -> list[Target]:
    start = median(of(readings, START), _wall) or 0.0
    limit = 1.25 * (plan.waiting_ideal + start)
    return [
        Target(
            name=f"wall of {plan.waiting_cases} cases of {plan.waiting_delay * 1000:.0f} ms at "
            f"{plan.waiting_at_once} at once: {subject.name}",
            promise=f"≤ 1.25 × (ideal {plan.waiting_ideal:.1f} s + plain pytest's start-up {start:.2f} s) = {limit:.2f} s",
            limit=limit,
            obtained=median(of(readings, TASK, subject.name), _wall),
            unit="s",
        )
        for subject in OURS
    ]


def section(readings: Sequence[Reading], plan: Plan) -> str:
    rows = []
    for subject in (*TOGETHER, *IN_TURN, *OTHER, *LIMITED):
        own = of(readings, TASK, subject.name)
        if not own:
            continue
        wall = median(own, _wall)
        failure = next((reading.failure for reading in own if reading.failure), "")
        rows.append(
            (
                subject.name,
                "failed" if wall is None else seconds(wall),
                ratio(wall, plan.waiting_ideal),
                seconds(median(own, lambda r: r.cpu)),
                str(len(own)),
                failure or HOW_MANY.get(subject.name, str(plan.waiting_at_once)),
            )
        )
    start = median(of(readings, START), _wall)
    return (
        f"## {plan.waiting_cases} cases that wait {plan.waiting_delay * 1000:.0f} ms, {plan.waiting_at_once} at once\n\n"
        f"Wall time of the whole command, imports and storing included. If only the waiting took time it would be "
        f"{plan.waiting_ideal:.1f} s. A plain pytest session with one empty test takes {seconds(start)}.\n\n"
        + table(("tool", "wall", "÷ ideal", "CPU", "runs", "at once"), rows)
    )
