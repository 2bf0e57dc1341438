"""Scorers that compare numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from evalkit.errors import ScorerError
from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.folding import after_last
from evalkit_scorers.numerals import ROUNDED, Numerals, Percent
from evalkit_scorers.options import choice, number, text
from evalkit_scorers.wording import NO_EXPECTED, NO_OUTPUT, miss, shown, unscored

Pick = Literal["last", "first", "only"]


@factory
def numeric_match(
    *,
    abs_tol: float = 0.0,
    rel_tol: float = 0.0,
    after: str | None = None,
    pick: Pick = "last",
    decimal: Literal[".", ","] = ".",
    percent: Percent = "number",
    fractions: bool = True,
    units: Mapping[str, float] | None = None,
) -> Scorer:
    r"""Whether a number in the output is the one that was expected: an assertion.

    The number is the last one in the output; `pick` takes the `"first"` or the `"only"` one instead, `after`
    looks only at what follows the last such marker: with `after="A: "`, "16 - 3 = 13\nA: 13 eggs" gives 13. It is
    right when `|found - expected| <= max(abs_tol, rel_tol * |expected|)`; with no tolerance the two must be
    equal as decimals, so 18, 18.0 and 1.8e1 are the same and 0.1 is exactly one tenth.

    Read as one number: 1,234,567.5 and 1_000 and 1'000 (groups of three; `decimal=","` swaps comma and point),
    -5, −5, $5, -$5, 5 %, .5, 1.5e-3, 3 × 10^8, 3 × 10⁸, and unless `fractions=False` 3/4, 1 1/2 and ½. In 5-3
    the dash is no sign, a digit behind a letter (GPT4) is no number, and 3/4/2026 is no fraction. 50% is the
    number 50; with `percent="hundredths"` it is 0.5. `units={"km": 1000, "m": 1}` multiplies a number by the
    factor of the unit that follows it, in the output and in `expected` alike; a number without one counts as
    it is, and other words are ignored.

    `expected` is a number, or a text in which the last number counts. Edge cases: no output, no number, a
    missing marker and NaN are `False`; without an expected value the case is unscored; an `expected` without a
    number raises `ValueError`, so the score is an error.
    """
    number("numeric_match", "abs_tol", abs_tol)
    number("numeric_match", "rel_tol", rel_tol)
    choice("numeric_match", "pick", pick, ("last", "first", "only"))
    choice("numeric_match", "decimal", decimal, (".", ","))
    choice("numeric_match", "percent", percent, ("number", "hundredths"))
    if after is not None:
        text("numeric_match", "after", after)
    numerals = Numerals(decimal=decimal, percent=percent, fractions=fractions, units=_factors(units or {}))
    widest, relative = Decimal(str(abs_tol)), Decimal(str(rel_tol))

    def close(found: Decimal, wanted: Decimal) -> bool:
        if found == wanted:
            return True
        if not (widest or relative):
            return False
        distance = ROUNDED.abs(ROUNDED.subtract(found, wanted))
        return distance <= max(widest, ROUNDED.abs(ROUNDED.multiply(relative, wanted)))

    @scorer(
        name="numeric_match",
        version="1",
        config={
            "abs_tol": abs_tol,
            "rel_tol": rel_tol,
            "after": after,
            "pick": pick,
            "decimal": decimal,
            "percent": percent,
            "fractions": fractions,
            "units": dict(units or {}),
        },
        requires_expected=True,
        blocking=False,
    )
    def score(output: Any, expected: Any) -> bool | Score:
        if expected is None:
            return unscored(NO_EXPECTED)
        wanted = _read(expected, numerals, "last")
        if not isinstance(wanted, Decimal):
            raise ValueError(f"the expected value {shown(expected)} has no number in it")
        if output is None:
            return miss(NO_OUTPUT)
        said = after_last(output, after) if isinstance(output, str) else output
        if said is None:
            return miss(f"{shown(after)} is not in the output")
        found = _read(said, numerals, pick)
        if not isinstance(found, Decimal):
            return miss(f"expected {shown(wanted)}, found {found}")
        return close(found, wanted) or miss(f"expected {shown(wanted)}, found {shown(found)}")

    return score


def _read(value: Any, numerals: Numerals, pick: Pick) -> Decimal | str:
    """The number that `value` is or has in it, else what was found in its place, as words."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise TypeError(
            f"numeric_match looks at a number or text, and was given {type(value).__name__}: "
            "score a part of it with on('field', numeric_match(...))"
        )
    if isinstance(value, int | Decimal):
        return Decimal(value) if Decimal(value).is_finite() else str(value)
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else str(value)
    if pick == "last":
        found = numerals.last_in(value)
    else:
        first, second = itertools.islice(itertools.chain(numerals.numbers_in(value), (None, None)), 2)
        if pick == "only" and second is not None:
            return "more than one number"
        found = first
    return "no number" if found is None else found


def _factors(units: Mapping[str, float]) -> dict[str, Decimal]:
    for unit, factor in units.items():
        text("numeric_match", "units", unit)
        number("numeric_match", f"units[{unit!r}]", factor)
        if not factor:
            raise ScorerError(f"numeric_match(units={{{unit!r}: 0}}) would make every number zero.")
    return {unit: Decimal(str(factor)) for unit, factor in units.items()}
