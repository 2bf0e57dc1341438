"""The figures: one reading per measured process, kept raw, and the medians and ratios made of them."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Iterable, Sequence


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measured process.

    `wall` and `cpu` are seconds, `peak_kb` and `file_kb` KiB, `cases` how many it was given. `round` counts from 0;
    the subjects of one round ran one after another, so that figures of the same round are comparable.
    `failure` says why there is no figure; every number is then 0.
    """

    task: str
    subject: str
    round: int
    cases: int
    wall: float = 0.0
    cpu: float = 0.0
    peak_kb: int = 0
    file_kb: float = 0.0
    load: float = 0.0
    failure: str = ""


def of(
    readings: Iterable[Reading], task: str, subject: str | None = None, *, cases: int | None = None
) -> list[Reading]:
    """The readings of one task, of one subject and one size where these are given."""
    return [
        reading
        for reading in readings
        if reading.task == task
        and (subject is None or reading.subject == subject)
        and (cases is None or reading.cases == cases)
    ]


def median(readings: Sequence[Reading], what: Callable[[Reading], float]) -> float | None:
    """The median over the readings that worked; `None` where none did."""
    values = [what(reading) for reading in readings if not reading.failure]
    return statistics.median(values) if values else None


def paired(
    first: Sequence[Reading],
    second: Sequence[Reading],
    what: Callable[[Reading], float],
    combine: Callable[[float, float], float],
) -> list[float]:
    """`combine(first, second)` for each round that has both, in the order of the rounds."""
    by_round = {reading.round: reading for reading in second if not reading.failure}
    return [
        combine(what(reading), what(by_round[reading.round]))
        for reading in first
        if not reading.failure and reading.round in by_round
    ]
