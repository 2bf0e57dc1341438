"""What a tool itself costs: cases whose function returns a constant, scored by one exact match."""

from __future__ import annotations

import operator
import statistics
from collections.abc import Sequence

from benchmarks import subjects as who
from benchmarks.markdown import megabytes, ratio, seconds, spread, table
from benchmarks.plan import Plan
from benchmarks.readings import Reading, median, of, paired
from benchmarks.rounds import Say, alternate
from benchmarks.targets import Target

TASK = "trivial"
OURS = (who.EVALKIT_DEF, who.EVALKIT_ASYNC, who.EVALKIT_AGAIN)
SUBJECTS = (who.PLAIN, who.PLAIN_JUNIT, *OURS, who.PYTEST_EVALS, who.PYDANTIC_EVALS)
SLOW = (who.INSPECT_AI, who.MLFLOW_UNLIMITED)
LIMITED = (who.MLFLOW,)


def run(plan: Plan, say: Say) -> list[Reading]:
    chosen = (*SUBJECTS, *(SLOW if plan.slow else ()), *(LIMITED if plan.limiter else ()))
    return alternate(TASK, chosen, cases=plan.trivial_cases, rounds=plan.trivial_rounds, say=say)


def _cpu(reading: Reading) -> float:
    return reading.cpu


def judge(readings: Sequence[Reading], plan: Plan) -> list[Target]:
    plain = of(readings, TASK, who.PLAIN.name)
    targets = []
    for subject in OURS:
        ratios = paired(of(readings, TASK, subject.name), plain, _cpu, operator.truediv)
        targets.append(
            Target(
                name=f"CPU of {plan.trivial_cases:,} trivial stored cases: {subject.name}",
                promise="≤ 1.5 × plain pytest's",
                limit=1.5,
                obtained=statistics.median(ratios) if ratios else None,
                unit="×",
                detail=f"median of {len(ratios)} paired ratios, {spread(ratios)}",
            )
        )
    return targets


def section(readings: Sequence[Reading], plan: Plan) -> str:
    plain = median(of(readings, TASK, who.PLAIN.name), _cpu)
    rows = []
    for subject in (*SUBJECTS, *SLOW, *LIMITED):
        own = of(readings, TASK, subject.name)
        if not own:
            continue
        cpu = median(own, _cpu)
        wall = median(own, lambda r: r.wall)
        rows.append(
            (
                subject.name,
                ratio(cpu, plain),
                seconds(cpu),
                seconds(wall),
                megabytes(median(own, lambda r: r.peak_kb)),
                str(len(own)),
                subject.stores,
            )
        )
    return (
        f"## {plan.trivial_cases:,} trivial cases\n\n"
        "The function returns a constant, one scorer compares it with the expected answer, and the results are stored "
        "the way the tool stores them by default, in a new folder with a new store. CPU is user plus system time of "
        "the whole process tree, from the start of the interpreter to its end.\n\n"
        + table(("tool", "CPU ÷ plain", "CPU", "wall", "peak memory", "runs", "what is stored"), rows)
    )
