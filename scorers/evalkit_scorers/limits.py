"""Scorers of the length of an output."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Any, Literal

from evalkit.errors import ScorerError
from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.options import choice, identity, number
from evalkit_scorers.wording import NO_OUTPUT, miss, text_of

Unit = Literal["chars", "words", "lines"] | Callable[[str], int | Sized]
_COUNTS: dict[str, Callable[[str], int]] = {
    "chars": len,
    "words": lambda text: len(text.split()),
    "lines": lambda text: len(text.splitlines()),
}


@factory
def max_length(limit: int, *, unit: Unit = "chars") -> Scorer:
    """Whether the output is at most `limit` long: an assertion that says how long it is.

    `unit="chars"` counts Unicode code points, `"words"` runs between white space, `"lines"` lines; or give your
    own tokeniser, a function of the text that returns the tokens or their number.

    Edge cases: the limit itself is allowed; the empty output has length 0; no output is `False`.
    """
    return _limited("max_length", limit, unit, lambda length: length <= limit, "more than")


@factory
def min_length(limit: int, *, unit: Unit = "chars") -> Scorer:
    """Whether the output is at least `limit` long: an assertion that says how long it is.

    `unit` and edge cases as in `max_length`.
    """
    return _limited("min_length", limit, unit, lambda length: length >= limit, "less than")


def _limited(name: str, limit: int, unit: Unit, holds: Callable[[int], bool], fails: str) -> Scorer:
    number(name, "limit", limit, whole=True)
    if callable(unit):
        count, said_unit = _counted(unit), "tokens"
    else:
        choice(name, "unit", unit, tuple(_COUNTS))
        count, said_unit = _COUNTS[unit], unit

    @scorer(
        name=name,
        version="1",
        config={"limit": limit, "unit": identity(unit) if callable(unit) else unit},
        blocking=callable(unit),
    )
    def score(output: Any) -> bool | Score:
        said = text_of(output, name)
        if said is None:
            return miss(NO_OUTPUT)
        length = count(said)
        return holds(length) or miss(f"{length} {said_unit}, {fails} {limit}")

    return score


def _counted(tokenise: Callable[[str], int | Sized]) -> Callable[[str], int]:
    def count(text: str) -> int:
        tokens = tokenise(text)
        if isinstance(tokens, bool) or not isinstance(tokens, int | Sized):
            raise ScorerError(f"The tokeniser returned {type(tokens).__name__}, not a number or a list of tokens.")
        return tokens if isinstance(tokens, int) else len(tokens)

    return count
