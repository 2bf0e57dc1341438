"""Slices that moved from one run to another: for each slice, whether its cases rose or fell more often than by chance.

The question is whether a slice's cases changed for the better as often as for the worse; that they did is the null,
and the exact sign test answers it from the counts alone. Over all slices and scores of a suite the p-values become
q-values (Benjamini and Hochberg 1995): of the slices marked at q ≤ 0.10, about one in ten is a false alarm.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from evalkit.runs import SuiteRun
from evalkit.stats.columns import read
from evalkit.stats.differences import FEWEST_FOR_INTERVAL, Difference
from evalkit.stats.marks import MARKED_AT
from evalkit.stats.multiplicity import benjamini_hochberg
from evalkit.stats.paired import mcnemar
from evalkit.stats.pairing import pairing
from evalkit.stats.slices import all_slices

MOST = 12
"""How many are told in full, unless more are marked."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One score in one slice of two runs; `base`, `candidate` and `difference` are means over its pairs.

    `low` and `high` bound the difference at 95% by `method`, and are `None` where the pairs give no interval.
    `improved` and `regressed` count the cases that changed, `p_value` is that of the sign test on them, `q_value` the
    same among all slices of the suite.
    """

    name: str
    slice: Mapping[str, str]
    pairs: int
    base: float
    candidate: float
    difference: float
    low: float | None
    high: float | None
    method: str
    improved: int
    regressed: int
    p_value: float
    q_value: float

    @property
    def is_marked(self) -> bool:
        """Whether it moved by more than luck among so many slices."""
        return self.q_value <= MARKED_AT


def moved_slices(
    base: SuiteRun, candidate: SuiteRun, metrics: Sequence[Difference], *, most: int = MOST
) -> tuple[Moved, ...]:
    """The slices that moved, surest first: all that are marked, and of the others so many that `most` are told.

    `metrics` are the differences of the whole suite; what every suite has (latency, cost) is not looked at, nor is a
    metric that was refused. A slice in which nothing changed, or which has no pair, is never told, but it counts
    among the tests.
    """
    before, after = read(base), read(candidate)
    slices = all_slices(candidate.cases)
    scores = {
        one.name: one
        for one in metrics
        if not one.refused and one.name in before.columns and not after.columns[one.name].builtin
    }
    tested: list[tuple[str, tuple[str, str], int, int]] = []
    for name, one in scores.items():
        improved, regressed = set(one.improved), set(one.regressed)
        for chosen, positions in slices.items():
            ids = [candidate.cases[position].id for position in positions]
            tested.append((name, chosen, sum(i in improved for i in ids), sum(i in regressed for i in ids)))
    p_values = [mcnemar(up, down) for _, _, up, down in tested]
    q_values = benjamini_hochberg(p_values)
    ranked = sorted(range(len(tested)), key=lambda at: (q_values[at], p_values[at], at))
    made: list[Moved] = []
    for at in ranked:
        name, chosen, up, down = tested[at]
        if not up + down or (len(made) >= most and q_values[at] > MARKED_AT):
            continue
        one = scores[name]
        sides = (before, before.columns[name]), (after, after.columns[name])
        data = pairing(*sides, failed_as_zero=one.higher_is_better, positions=slices[chosen]).statistics()
        if not data.complete:
            continue
        interval = data.interval(0.95) if data.cases >= FEWEST_FOR_INTERVAL else None
        made.append(
            Moved(
                name=name,
                slice=dict([chosen]),
                pairs=data.complete,
                base=float(data.base / data.complete),
                candidate=float(data.candidate / data.complete),
                difference=float(data.difference or 0),
                low=None if interval is None else interval.low,
                high=None if interval is None else interval.high,
                method="" if interval is None else interval.method,
                improved=up,
                regressed=down,
                p_value=p_values[at],
                q_value=q_values[at],
            )
        )
    return tuple(made)
