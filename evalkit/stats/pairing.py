"""One quantity in two runs, paired on case ids.

Case means are kept as whole numbers, all of them times one scale: sums of thousands are exact and still quick, where
fractions would each be reduced on the way.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

from evalkit.stats.columns import Column, Shape, Table
from evalkit.stats.means import EXACT, Number, PerCase, exact, per_case
from evalkit.stats.pairs import OpenPair, Pairs
from evalkit.stats.spread import powers

_ORDER: tuple[Shape, ...] = ("binary", "unit", "unbounded", "label")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """The cases that both runs selected, in the candidate's order, and the ids that only one of them has.

    `cases` are those with all their values on both sides; `base` and `candidate` are their means times `scale`.
    `open` has the ends between which the difference of each other pair lies.
    """

    shape: Shape
    one_trial: bool
    scale: int
    cases: tuple[str, ...]
    base: tuple[int, ...]
    candidate: tuple[int, ...]
    open: tuple[tuple[float, float], ...]
    only_base: tuple[str, ...]
    only_candidate: tuple[str, ...]

    @property
    def steps(self) -> list[int]:
        """Candidate minus base of each complete pair, times `scale`."""
        return [after - before for before, after in zip(self.base, self.candidate, strict=True)]

    @property
    def differences(self) -> list[float]:
        """Candidate minus base of each complete pair."""
        return [step / self.scale for step in self.steps]

    def statistics(self) -> Pairs:
        """The sufficient statistics; the order of the cases leaves no trace in them."""
        steps, scale, n = self.steps, self.scale, len(self.cases)
        base, candidate = Fraction(sum(self.base), scale), Fraction(sum(self.candidate), scale)
        mean = float(Fraction(sum(steps), scale) / n) if n else 0.0
        varied = n > 0 and min(steps) != max(steps)
        deviation, third, fourth = powers([step / scale - mean for step in steps]) if varied else (0.0, 0.0, 0.0)
        relative = self._relative(base, candidate)
        rises, falls = [step for step in steps if step > 0], [step for step in steps if step < 0]
        return Pairs(
            shape=self.shape,
            one_trial=self.one_trial,
            complete=n,
            base=base,
            candidate=candidate,
            up=Fraction(sum(rises), scale),
            down=Fraction(-sum(falls), scale),
            higher=len(rises),
            lower=len(falls),
            deviation=deviation,
            relative=None if relative is None else relative[0],
            open=tuple(
                OpenPair(low=low, high=high, count=count) for (low, high), count in sorted(Counter(self.open).items())
            ),
            third=third,
            fourth=fourth,
            relative_third=0.0 if relative is None else relative[1],
            relative_fourth=None if relative is None else relative[2],
        )

    def _relative(self, base: Fraction, candidate: Fraction) -> tuple[float, float, float] | None:
        if not self.cases or min(self.base) <= 0 or min(self.candidate) <= 0:
            return None
        first, second, scale = float(base / len(self.cases)), float(candidate / len(self.cases)), self.scale
        return powers(
            [
                after / scale / second - before / scale / first
                for before, after in zip(self.base, self.candidate, strict=True)
            ]
        )


def pairing(
    base: tuple[Table, Column],
    candidate: tuple[Table, Column],
    *,
    failed_as_zero: bool,
    positions: Sequence[int] | None = None,
) -> Pairing:
    """Pair one column of two runs by case id; `positions` are those of the candidate's cases, or all.

    The wider of the two shapes holds for both. A trial whose function raised counts as 0 if `failed_as_zero` and
    the column is bounded, and as missing otherwise.
    """
    shape = max(base[1].shape, candidate[1].shape, key=_ORDER.index)
    sides = []
    for table, column in (base, candidate):
        view = dataclasses.replace(column, shape=shape)
        sides.append(per_case(table, view, failed_as_zero=failed_as_zero, precise=True))
    before, after = sides
    shape = max(before.shape, after.shape, key=_ORDER.index)
    index = {case: position for position, case in enumerate(base[0].case_ids)}
    ids = candidate[0].case_ids
    chosen = range(len(ids)) if positions is None else positions
    both = [(index[ids[position]], position) for position in chosen if ids[position] in index]
    whole = [(old, new) for old, new in both if _is_whole(before, old) and _is_whole(after, new)]
    complete = set(whole) if len(whole) < len(both) else None
    first, second, scale = _scaled(before, after, whole)
    known = set(ids)
    return Pairing(
        shape=shape,
        one_trial=all(before.planned[old] <= 1 and after.planned[new] <= 1 for old, new in both),
        scale=scale,
        cases=tuple(ids[new] for _, new in whole),
        base=tuple(first),
        candidate=tuple(second),
        open=tuple(
            () if complete is None else _between(before, after, [pair for pair in both if pair not in complete])
        ),
        only_base=tuple(case for case in base[0].case_ids if case not in known),
        only_candidate=tuple(ids[position] for position in chosen if ids[position] not in index),
    )


def _is_whole(side: PerCase, case: int) -> bool:
    return side.known[case] == side.planned[case] > 0


def _scaled(before: PerCase, after: PerCase, whole: Sequence[tuple[int, int]]) -> tuple[list[int], list[int], int]:
    """The means of both sides times the least number that makes all of them whole, up to powers of ten."""
    olds, news = ([pair[side] for pair in whole] for side in (0, 1))
    counts = {before.known[case] for case in olds} | {after.known[case] for case in news}
    shared = math.lcm(*counts) if counts else 1
    sums = [[side.sums[case] for case in cases] for side, cases in ((before, olds), (after, news))]
    digits = max((_digits(value) for side in sums for value in side), default=0)
    ten = 10**digits
    means: list[list[int]] = []
    with localcontext(EXACT):
        for side, cases, values in ((before, olds, sums[0]), (after, news, sums[1])):
            times = {count: ten * (shared // count) for count in counts}
            means.append([int(value * times[side.known[case]]) for case, value in zip(cases, values, strict=True)])
    return means[0], means[1], ten * shared


def _digits(value: Number) -> int:
    """How many digits after the point a sum has."""
    if not isinstance(value, Decimal):
        return 0
    exponent = value.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _between(before: PerCase, after: PerCase, pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[float, float]]:
    for old, new in pairs:
        (b_low, b_high), (c_low, c_high) = _ends(before, old), _ends(after, new)
        yield float(c_low - b_high), float(c_high - b_low)


def _ends(side: PerCase, case: int) -> tuple[Fraction | float, Fraction | float]:
    """The mean of a case twice, or what it would be if all that is missing were low, and high."""
    known, planned = side.known[case], side.planned[case]
    total = side.sums[case]
    if known == 0 and math.isinf(side.range[1]):
        return side.range
    total = exact(total) if isinstance(total, float) else Fraction(total)
    if known == planned > 0:
        mean = total / known
        return mean, mean
    low, high = side.range
    missing = max(planned - known, 1)
    count = max(planned, 1)
    least, most = (end if math.isinf(end) else (total + missing * Fraction(end)) / count for end in (low, high))
    return least, most
