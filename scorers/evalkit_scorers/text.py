"""Scorers that compare texts: the same, contained, at the start, at the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from evalkit.errors import ScorerError
from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.equality import same
from evalkit_scorers.folding import Folding, Form, after_last, folding
from evalkit_scorers.options import text, texts
from evalkit_scorers.wording import NO_EXPECTED, NO_OUTPUT, listed, miss, references_of, shown, text_of, unscored


@factory
def exact_match(
    *, ignore_case: bool = False, strip: bool = False, normalise: Form | None = None, after: str | None = None
) -> Scorer:
    """Whether the output is exactly what was expected: an assertion.

    Two texts are compared character by character. `ignore_case` folds case (Unicode `casefold`), `strip` takes
    white space off both ends, `normalise` brings both into a Unicode form (`"NFC"` makes a composed and a
    decomposed é alike, UAX #15), `after` looks only at what follows the last such marker in the output. A
    number meets a text as `str` prints it. Two values that are not text are compared as JSON: 1 and 1.0 are the
    same, key order does not count.

    Edge cases: no output is `False`; the empty text equals only the empty text; a missing marker is `False`;
    without an expected value the case is unscored; a text against a list or dict raises `TypeError`, so the
    score is an error (for several right answers use `one_of`).
    """
    fold = folding("exact_match", ignore_case=ignore_case, strip=strip, normalise=normalise)
    if after is not None:
        text("exact_match", "after", after)

    @scorer(
        name="exact_match",
        version="1",
        config={"ignore_case": ignore_case, "strip": strip, "normalise": normalise, "after": after},
        requires_expected=True,
        blocking=False,
    )
    def score(output: Any, expected: Any) -> bool | Score:
        if expected is None:
            return unscored(NO_EXPECTED)
        if output is None:
            return miss(NO_OUTPUT)
        if not isinstance(output, str) and not isinstance(expected, str):
            return same(output, expected) or miss(f"expected {shown(expected)}, found {shown(output)}")
        found = after_last(text_of(output, "exact_match") or "", after)
        wanted = text_of(expected, "exact_match") or ""
        if found is None:
            return miss(f"{shown(after)} is not in the output")
        if fold(found) == fold(wanted):
            return True
        return miss(f"expected {shown(wanted)}, found {shown(found)}")

    return score


@factory
def one_of(
    options: Sequence[str] | None = None,
    *,
    ignore_case: bool = False,
    strip: bool = True,
    normalise: Form | None = None,
) -> Scorer:
    """Whether the output is one of several texts: an assertion.

    The texts are `options`, or without them the case's `expected`, a text or a list of texts. `ignore_case`,
    `strip` and `normalise` are those of `exact_match`, but white space at the ends does not count here unless
    `strip=False`.

    Edge cases: no output is `False`; an empty list in `expected` leaves the case unscored.
    """
    fold = folding("one_of", ignore_case=ignore_case, strip=strip, normalise=normalise)
    fixed = None if options is None else texts("one_of", "options", options)
    folded = None if fixed is None else frozenset(fold(option) for option in fixed)

    @scorer(
        name="one_of",
        version="1",
        config={"options": fixed, "ignore_case": ignore_case, "strip": strip, "normalise": normalise},
        requires_expected=fixed is None,
        blocking=False,
    )
    def score(output: Any, expected: Any = None) -> bool | Score:
        wanted: Sequence[str] = references_of(expected, "one_of") if fixed is None else fixed
        if not wanted:
            return unscored(NO_EXPECTED)
        found = text_of(output, "one_of")
        if found is None:
            return miss(NO_OUTPUT)
        if fold(found) in (folded or {fold(option) for option in wanted}):
            return True
        return miss(f"{shown(found)} is none of {listed(wanted)}")

    return _settled(score, fixed)


@factory
def contains(
    needle: str | None = None, *, ignore_case: bool = False, strip: bool = False, normalise: Form | None = None
) -> Scorer:
    """Whether the output contains a text: an assertion.

    The text is `needle`, or without it the case's `expected`. Options as in `exact_match`.

    Edge cases: no output is `False`; an empty needle is refused, as it is in every text; a list in `expected`
    raises `TypeError` (use `contains_any` or `contains_all`).
    """
    return _affix("contains", needle, _inside, "does not contain", ignore_case, strip, normalise)


@factory
def starts_with(
    prefix: str | None = None, *, ignore_case: bool = False, strip: bool = False, normalise: Form | None = None
) -> Scorer:
    """Whether the output starts with a text: an assertion.

    The text is `prefix`, or without it the case's `expected`. Options and edge cases as in `contains`;
    `strip=True` lets the output begin with white space.
    """
    return _affix("starts_with", prefix, str.startswith, "does not start with", ignore_case, strip, normalise)


@factory
def ends_with(
    suffix: str | None = None, *, ignore_case: bool = False, strip: bool = False, normalise: Form | None = None
) -> Scorer:
    """Whether the output ends with a text: an assertion.

    The text is `suffix`, or without it the case's `expected`. Options and edge cases as in `contains`;
    `strip=True` lets the output end in white space.
    """
    return _affix("ends_with", suffix, str.endswith, "does not end with", ignore_case, strip, normalise)


@factory
def contains_any(
    needles: Sequence[str] | None = None,
    *,
    ignore_case: bool = False,
    strip: bool = False,
    normalise: Form | None = None,
) -> Scorer:
    """Whether the output contains at least one of several texts: an assertion.

    The texts are `needles`, or without them the case's `expected`, a list of texts. Options as in
    `exact_match`. Edge cases: no output is `False`; an empty list in `expected` leaves the case unscored.
    """
    return _several("contains_any", needles, folding_of(ignore_case, strip, normalise, "contains_any"), every=False)


@factory
def contains_all(
    needles: Sequence[str] | None = None,
    *,
    ignore_case: bool = False,
    strip: bool = False,
    normalise: Form | None = None,
) -> Scorer:
    """Whether the output contains every one of several texts: an assertion that names those it lacks.

    The texts are `needles`, or without them the case's `expected`, a list of texts. Options as in
    `exact_match`. Edge cases: no output is `False`; an empty list in `expected` leaves the case unscored.
    """
    return _several("contains_all", needles, folding_of(ignore_case, strip, normalise, "contains_all"), every=True)


def folding_of(ignore_case: bool, strip: bool, normalise: Form | None, name: str) -> tuple[Folding, dict[str, Any]]:
    """The folding that three options stand for, and those options for a scorer's configuration."""
    config = {"ignore_case": ignore_case, "strip": strip, "normalise": normalise}
    return folding(name, ignore_case=ignore_case, strip=strip, normalise=normalise), config


def _settled(made: Scorer, fixed: object) -> Scorer:
    """The scorer, which has no need of `expected` where an option says what to compare with."""
    return made if fixed is None else dataclasses.replace(made, needs=("output",))


def _inside(output: str, needle: str) -> bool:
    return needle in output


def _affix(
    name: str,
    fixed: str | None,
    holds: Callable[[str, str], bool],
    fails: str,
    ignore_case: bool,
    strip: bool,
    normalise: Form | None,
) -> Scorer:
    fold, config = folding_of(ignore_case, strip, normalise, name)
    if fixed is not None:
        text(name, "text", fixed)
        if not fold(fixed):
            raise ScorerError(f"{name}({fixed!r}) is empty once it is stripped.", why="It would be in every text.")
    folded = None if fixed is None else fold(fixed)

    @scorer(name=name, version="1", config={"text": fixed, **config}, requires_expected=fixed is None, blocking=False)
    def score(output: Any, expected: Any = None) -> bool | Score:
        wanted = text_of(expected, name) if fixed is None else fixed
        if wanted is None:
            return unscored(NO_EXPECTED)
        sought = fold(wanted) if folded is None else folded
        if not sought:
            raise ValueError("the expected text is empty, and the empty text is in every text")
        found = text_of(output, name)
        if found is None:
            return miss(NO_OUTPUT)
        return holds(fold(found), sought) or miss(f"{shown(found)} {fails} {shown(wanted)}")

    return _settled(score, fixed)


def _several(
    name: str, needles: Sequence[str] | None, prepared: tuple[Folding, dict[str, Any]], *, every: bool
) -> Scorer:
    fold, config = prepared
    fixed = None if needles is None else texts(name, "needles", needles)

    @scorer(
        name=name, version="1", config={"needles": fixed, **config}, requires_expected=fixed is None, blocking=False
    )
    def score(output: Any, expected: Any = None) -> bool | Score:
        wanted: Sequence[str] = references_of(expected, name) if fixed is None else fixed
        if not wanted:
            return unscored(NO_EXPECTED)
        found = text_of(output, name)
        if found is None:
            return miss(NO_OUTPUT)
        folded = fold(found)
        lacking = [needle for needle in wanted if fold(needle) not in folded]
        if every:
            return not lacking or miss(f"lacks {listed(lacking)}")
        return len(lacking) < len(wanted) or miss(f"contains none of {listed(wanted)}")

    return _settled(score, fixed)
