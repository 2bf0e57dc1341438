"""A paired difference as a line of a table and as a bar around zero."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from evalkit.figures import METHODS, figure, signed
from evalkit.stats.differences import FEWEST_FOR_INTERVAL, Difference
from evalkit.stats.moved import Moved

SURE = 0.05
"""The p-value, adjusted where there are several candidates, up to which a difference is told as one."""

_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceBar:
    """A difference on an axis that has zero in its middle; places are in per cent.

    `low` and `high` are `None` without an interval. `good` is the side that is better, `left` or `right`; `state` is
    `better`, `worse` or `plain`.
    """

    ends: tuple[str, str]
    dot: float
    low: float | None
    high: float | None
    good: str
    state: str
    text: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One metric of one candidate as text.

    `letter` and `holm` are empty where there is only one candidate. `bar` is `None` where there is nothing to draw, and
    `without` says why there is no interval, if there is none.
    """

    name: str
    letter: str
    base: str
    candidate: str
    difference: str
    interval: str
    method: str
    improved: int
    regressed: int
    equal: int
    p: str
    holm: str
    test: str
    pairs: int
    missing: int
    unpaired: int
    state: str
    without: str
    bar: DifferenceBar | None


def state_of(one: Difference, adjusted: float | None = None) -> str:
    """`better` or `worse` where the interval leaves out zero, and Holm's p allows it; else `plain`."""
    if one.low is None or one.high is None or one.low <= 0 <= one.high:
        return "plain"
    if adjusted is not None and adjusted > SURE:
        return "plain"
    return "better" if (one.low > 0) == one.higher_is_better else "worse"


def reach(found: Sequence[Difference | Moved]) -> float:
    """How far an axis must go to either side of zero to hold all of `found`: a round number above 0."""
    ends = [abs(end) for one in found for end in (one.difference, one.low, one.high) if end is not None]
    return _round_above(max((end for end in ends if math.isfinite(end)), default=0.0))


def _round_above(value: float) -> float:
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in _STEPS if step * power >= value * 0.999_999), 10 * power)


def line(one: Difference, *, width: float, letter: str = "", adjusted: float | None = None) -> Line:
    """The line of one metric; its bar reaches `width` to either side."""
    state = state_of(one, adjusted)
    method = METHODS.get(one.method, one.method)
    return Line(
        name=one.name,
        letter=letter,
        base=figure(one.base, one.unit),
        candidate=figure(one.candidate, one.unit),
        difference=signed(one.difference, one.unit),
        interval=interval(one.low, one.high, one.unit),
        method=f"{one.level * 100:.4g}% {method}" if one.low is not None else "",
        improved=len(one.improved),
        regressed=len(one.regressed),
        equal=one.equal,
        p=p_value(one.p_value),
        holm=p_value(adjusted) if adjusted is not None else "",
        test=one.test,
        pairs=one.pairs,
        missing=one.missing,
        unpaired=one.unpaired,
        state=state,
        without=_without(one),
        bar=None
        if one.difference is None or (one.low is None and not one.difference)
        else bar(
            (one.difference, one.low, one.high),
            width=width,
            unit=one.unit,
            good="right" if one.higher_is_better else "left",
            state=state,
            name=one.name,
        ),
    )


def _without(one: Difference) -> str:
    if one.low is not None:
        return ""
    if not one.pairs:
        return "no pair has a value on both sides"
    if not one.higher and not one.lower:
        return "the same in every pair"
    return "too few pairs for an interval" if one.pairs < FEWEST_FOR_INTERVAL else "the values give no interval"


def bar(
    found: tuple[float, float | None, float | None], *, width: float, unit: str, good: str, state: str, name: str
) -> DifferenceBar:
    """The bar of a difference with its ends, on an axis from -`width` to +`width`."""

    def at(value: float) -> float:
        return round(min(max(50 + 50 * value / width, 0.0), 100.0), 2)

    difference, low, high = found
    span = interval(low, high, unit)
    return DifferenceBar(
        ends=(signed(-width, unit), signed(width, unit)),
        dot=at(difference),
        low=None if low is None else at(low),
        high=None if high is None else at(high),
        good=good,
        state=state,
        text=f"{name}: {signed(difference, unit)}" + (f", interval {span}" if span else ", no interval"),
    )


def interval(low: float | None, high: float | None, unit: str) -> str:
    """`-0.090 … -0.020`; empty where there is none."""
    if low is None or high is None:
        return ""
    return f"{_end(low, unit)} … {_end(high, unit)}"


def _end(value: float, unit: str) -> str:
    return signed(value, unit) if math.isfinite(value) else ("−∞" if value < 0 else "+∞")


def p_value(value: float | None) -> str:
    """Three decimals, or that it is below 0.001; a dash where there is none."""
    if value is None:
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
