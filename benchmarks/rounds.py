"""Rounds: every subject once, in a turning order, each in a fresh folder; then the next round.

What the machine does meanwhile then falls on all of them alike, and no one always goes first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Cost, Failed, cost_of
from benchmarks.readings import Reading
from benchmarks.subjects import Subject, trivial_rows

Say = Callable[[str], None]
Rows = Callable[[int], Sequence[Mapping[str, object]]]
WARM_UP = 3


def alternate(
    task: str,
    subjects: Sequence[Subject],
    *,
    cases: int,
    rounds: int,
    say: Say,
    delay: float = 0.0,
    concurrency: int | None = None,
    rows: Rows = trivial_rows,
) -> list[Reading]:
    """Measure all `subjects` on `cases` cases, `rounds` times, after one small run each that is not counted.

    Raises `Failed` when a tool does not do its work, unless the subject may fail.
    """
    for subject in subjects:
        _once(subject, rows(min(WARM_UP, cases)), delay=min(delay, 0.001), concurrency=concurrency)
    readings: list[Reading] = []
    for number in range(rounds):
        turned = [*subjects[number % len(subjects) :], *subjects[: number % len(subjects)]]
        for subject in turned:
            if number >= subject.most_rounds:
                continue
            reading = _reading(task, subject, number, rows(cases), delay=delay, concurrency=concurrency)
            readings.append(reading)
            say(_line(reading, rounds))
    return readings


def _reading(
    task: str,
    subject: Subject,
    number: int,
    rows: Sequence[Mapping[str, object]],
    *,
    delay: float,
    concurrency: int | None,
) -> Reading:
    try:
        cost = _once(subject, rows, delay=delay, concurrency=concurrency)
    except Failed as failure:
        if not subject.may_fail:
            raise
        return Reading(
            task=task, subject=subject.name, round=number, cases=len(rows), failure=str(failure).splitlines()[0]
        )
    return reading_of(cost, task=task, subject=subject.name, number=number, cases=len(rows))


def reading_of(cost: Cost, *, task: str, subject: str, number: int, cases: int, file_kb: float = 0.0) -> Reading:
    return Reading(
        task=task,
        subject=subject,
        round=number,
        cases=cases,
        wall=cost.wall,
        cpu=cost.cpu,
        peak_kb=cost.peak_kb,
        file_kb=file_kb,
        load=cost.load,
    )


def _once(subject: Subject, rows: Sequence[Mapping[str, object]], *, delay: float, concurrency: int | None) -> Cost:
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        subject.lay_out(folder, rows)
        environment = subject.surroundings(folder, delay=delay, concurrency=concurrency)
        for _ in range(2 if subject.again else 1):
            cost = cost_of(subject.start(), folder=folder, environment=environment, timeout=subject.timeout)
            subject.check(cost.output, len(rows))
        return cost


def _line(reading: Reading, rounds: int) -> str:
    what = f"{reading.task:<8} {reading.round + 1}/{rounds}  {reading.subject}, {reading.cases:,} cases: "
    if reading.failure:
        return what + f"failed: {reading.failure}"
    return what + f"{reading.cpu:.2f} s CPU, {reading.wall:.2f} s wall, {reading.peak_kb / 1024:.0f} MB"
