"""What one more case costs in memory, when there are very many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmarks import subjects as who
from benchmarks.markdown import megabytes, seconds, table
from benchmarks.plan import Plan
from benchmarks.readings import Reading, median, of
from benchmarks.rounds import Say, alternate
from benchmarks.targets import Target

TASK = "memory"
OURS = (who.EVALKIT_ASYNC,)
SUBJECTS = tuple(replace(s, timeout=2400.0) for s in (who.PLAIN, *OURS))
PEERS = tuple(replace(s, timeout=2400.0, most_rounds=1) for s in (who.PYTEST_EVALS, who.PYDANTIC_EVALS))
SLOW = (replace(who.INSPECT_AI, timeout=2400.0, most_rounds=1),)


def run(plan: Plan, say: Say) -> list[Reading]:
    everyone = (*SUBJECTS, *PEERS, *(SLOW if plan.slow else ()))
    readings = alternate(TASK, everyone, cases=1, rounds=3, say=say)
    readings += alternate(TASK, SUBJECTS, cases=plan.memory_cases, rounds=plan.memory_rounds, say=say)
    peers = (*PEERS, *(SLOW if plan.slow else ()))
    readings += alternate(TASK, peers, cases=plan.memory_cases_of_peers, rounds=1, say=say)
    return readings


def _growth(readings: Sequence[Reading], subject: str) -> tuple[float | None, int]:
    """KiB a case, and the number of cases it was measured with."""
    own = of(readings, TASK, subject)
    most = max((reading.cases for reading in own), default=0)
    peak = median(of(own, TASK, cases=most), lambda r: r.peak_kb)
    floor = median(of(own, TASK, cases=1), lambda r: r.peak_kb)
    if most <= 1 or peak is None or floor is None:
        return None, most
    return (peak - floor) / (most - 1), most


def judge(readings: Sequence[Reading], plan: Plan) -> list[Target]:
    plain, _ = _growth(readings, who.PLAIN.name)
    targets = []
    for subject in OURS:
        ours, cases = _growth(readings, subject.name)
        targets.append(
            Target(
                name=f"memory a case beyond pytest's own item, at {cases:,} cases: {subject.name}",
                promise="≤ 3 KB",
                limit=3.0,
                obtained=None if ours is None or plain is None else ours - plain,
                unit="KB",
                detail="" if ours is None or plain is None else f"{ours:.1f} KB, plain pytest {plain:.1f} KB",
            )
        )
    return targets


def section(readings: Sequence[Reading], plan: Plan) -> str:
    plain, _ = _growth(readings, who.PLAIN.name)
    rows = []
    for subject in (*SUBJECTS, *PEERS, *SLOW):
        growth, cases = _growth(readings, subject.name)
        if growth is None:
            continue
        most = of(readings, TASK, subject.name, cases=cases)
        rows.append(
            (
                subject.name,
                f"{cases:,}",
                f"{growth:.1f} KB",
                "–" if plain is None or subject is SUBJECTS[0] else f"{growth - plain:+.1f} KB",
                megabytes(median(most, lambda r: r.peak_kb)),
                seconds(median(most, lambda r: r.cpu)),
                str(len(most)),
            )
        )
    return (
        "## Memory with very many cases\n\n"
        "Peak resident memory of the run, less that of a run with one case, for each case. Trivial cases, stored by "
        "default. 1 KB is 1,024 bytes here.\n\n"
        + table(("tool", "cases", "a case", "beyond plain pytest", "peak", "CPU", "runs"), rows)
        + "\nMLflow is left out: its peak at 1,000 cases is in the first table, and more cases would take it many minutes.\n"
    )
