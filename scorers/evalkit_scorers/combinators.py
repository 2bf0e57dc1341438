"""Scorers made of other scorers, sync and async alike."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from evalkit.errors import ScorerError
from evalkit.score import PARAMETERS, Score, Scorer, as_scorer, factory, scorer, scores_from
from evalkit_scorers.options import number
from evalkit_scorers.wording import miss, unscored

Part = Scorer | Callable[..., Any]
Judging = Generator[Scorer, tuple[Score, ...], Score]
"""A rule that asks for the scores of one part after the other, and returns its own score."""

_T = TypeVar("_T")
_LONGEST_NAME = 60


@factory
def not_(part: Part, /) -> Scorer:
    """Whether a scorer does not pass: an assertion, named `not_…`.

    The `part` has to give `True` or `False`, or have a pass mark: `not_(edit_distance() >= 0.9)`. Where it is
    unscored, so is this; where it is in error, so is this.
    """
    inner = as_scorer(part)

    def judging() -> Judging:
        scores = yield inner
        passed, reason = _verdict(inner, scores)
        if passed is None:
            return unscored(f"{inner.name}: {reason}")
        return miss(f"{inner.name} passed") if passed else Score(value=True, explanation=_told(inner, reason))

    return _composed("not_", f"not_{inner.name}", [inner], {}, judging)


@factory
def all_of(*parts: Part) -> Scorer:
    """Whether every one of several scorers passes: an assertion that says which did not, named `a_and_b`.

    The parts are asked in order, and no more after the first that fails, so put the cheap ones first. Each has
    to give `True` or `False`, or have a pass mark. If none fails and one is unscored, so is this; where one is
    in error, so is this.
    """
    inner = _parts("all_of", parts)

    def judging() -> Judging:
        open_: str | None = None
        for one in inner:
            passed, reason = _verdict(one, (yield one))
            if passed is False:
                return miss(_told(one, reason))
            if passed is None:
                open_ = open_ or _told(one, reason)
        return Score(value=True) if open_ is None else unscored(open_)

    return _composed("all_of", _joined(inner, "_and_"), inner, {}, judging)


@factory
def any_of(*parts: Part) -> Scorer:
    """Whether at least one of several scorers passes: an assertion, named `a_or_b`.

    The parts are asked in order, and no more after the first that passes. Each has to give `True` or `False`,
    or have a pass mark. If none passes and one is unscored, so is this; where one that was asked is in error,
    so is this.
    """
    inner = _parts("any_of", parts)

    def judging() -> Judging:
        open_: str | None = None
        reasons: list[str] = []
        for one in inner:
            passed, reason = _verdict(one, (yield one))
            if passed:
                return Score(value=True, explanation=f"{one.name} passed")
            if passed is None:
                open_ = open_ or _told(one, reason)
            reasons.append(_told(one, reason))
        return unscored(open_) if open_ else miss("; ".join(reasons)[:500])

    return _composed("any_of", _joined(inner, "_or_"), inner, {}, judging)


@factory
def weighted(*parts: tuple[Part, float]) -> Scorer:
    """The weighted mean of several scorers: a score, named `weighted_a_b`.

    `weighted((exact_match(), 3), (edit_distance(), 1))` is (3 × exact match + 1 × edit distance) / 4. An
    assertion counts 1 or 0. Each part gives one number; a label, or several scores at once, is an error.
    Where a part is unscored the whole is unscored, as a mean over the rest would be another metric under the
    same name; where one is in error, so is this.
    """
    for pair in parts:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ScorerError(
                f"weighted takes pairs of a scorer and its weight, not {pair!r}.",
                hint="Write weighted((exact_match(), 3), (edit_distance(), 1)).",
            )
        number("weighted", "weight", pair[1])
    inner = _parts("weighted", [part for part, _ in parts])
    weights = [float(weight) for _, weight in parts]
    if not sum(weights):
        raise ScorerError("The weights of weighted add up to zero.", hint="Give at least one part a weight above 0.")

    def judging() -> Judging:
        total, said = 0.0, []
        for one, weight in zip(inner, weights, strict=True):
            scores = yield one
            if len(scores) != 1 or scores[0].kind == "label":
                raise ValueError(f"{one.name} does not give one number, so it has no place in weighted")
            value = scores[0].value
            if value is None:
                return unscored(_told(one, scores[0].explanation))
            total += weight * value
            said.append(f"{one.name} {value:.3g} × {weight:g}")
        return Score(value=total / sum(weights), explanation=", ".join(said))

    return _composed("weighted", _joined(inner, "_", before="weighted_"), inner, {"weights": weights}, judging)


def identifier(text: str) -> str:
    """`text` as one word that a gate can name: letters, digits and underscores, at most 60 of them."""
    return re.sub(r"\W+", "_", text).strip("_")[:_LONGEST_NAME]


def version_of(part: Scorer) -> list[Any]:
    """What the version of a scorer made of `part` has to change with."""
    return [part.name, part.version, list(part.pass_mark) if part.pass_mark else None]


def _parts(name: str, parts: Sequence[Part]) -> list[Scorer]:
    if len(parts) == 1 and isinstance(parts[0], list | tuple):
        raise ScorerError(f"{name} takes its scorers one by one.", hint=f"Write {name}(*scorers).")
    if not parts:
        raise ScorerError(f"{name}() has no scorers to ask.", hint="Give at least one.")
    return [as_scorer(part) for part in parts]


def _joined(parts: Sequence[Scorer], word: str, *, before: str = "") -> str:
    names = [part.name for part in parts]
    whole = before + word.join(names)
    if len(whole) <= _LONGEST_NAME:
        return whole
    return f"{before}{names[0][:_LONGEST_NAME]}{word}{len(names) - 1}_more"


def _verdict(part: Scorer, scores: Sequence[Score]) -> tuple[bool | None, str | None]:
    """Whether a part passed, `None` for unscored, and its explanation; all of its scores have to pass."""
    for score in scores:
        if score.status == "scored" and score.passed is None:
            kind = "a label" if score.value is None else "a number without a pass mark"
            raise ValueError(f"{part.name} gives {kind}, which neither passes nor fails; write {part.name} >= 0.8")
    failed = next((score for score in scores if score.passed is False), None)
    if failed is not None:
        return False, failed.explanation or (None if failed.kind == "assertion" else f"{failed.value:.4g}")
    unknown = next((score for score in scores if score.status == "unscored"), None)
    if unknown is not None or not scores:
        return None, (unknown.explanation if unknown else None) or "unscored"
    return True, scores[0].explanation


def _told(part: Scorer, reason: str | None) -> str:
    return f"{part.name}: {reason}" if reason else part.name


def _composed(
    kind: str, name: str, parts: Sequence[Scorer], config: dict[str, Any], judging: Callable[[], Judging]
) -> Scorer:
    """The scorer that asks `parts` as `judging` says, awaiting them if any of them is async."""

    def ask(**arguments: Any) -> Score:
        def answer(part: Scorer) -> tuple[Score, ...]:
            return scores_from(_not_awaitable(part, part(**arguments)), part)

        rule = judging()
        part = next(rule)
        while True:
            step = _step(rule, answer(part))
            if isinstance(step, Score):
                return step
            part = step

    async def ask_async(**arguments: Any) -> Score:
        import asyncio

        rule = judging()
        part = next(rule)
        while True:
            if part.is_async:
                result = await part(**arguments)
            elif part.blocking:
                result = await asyncio.to_thread(part, **arguments)
            else:
                result = part(**arguments)
            step = _step(rule, scores_from(_not_awaitable(part, result), part))
            if isinstance(step, Score):
                return step
            part = step

    waits = any(part.is_async for part in parts)
    made = scorer(
        name=identifier(name) if len(name) > _LONGEST_NAME or not name.isidentifier() else name,
        version=f"{kind} 1",
        config={**config, "parts": [version_of(part) for part in parts]},
        requires_expected=any(part.requires_expected for part in parts),
        blocking=any(part.blocking for part in parts),
    )(ask_async if waits else ask)
    needed = {need for part in parts for need in part.needs}
    return dataclasses.replace(made, needs=tuple(need for need in PARAMETERS if need in needed))


def _step(rule: Judging, scores: tuple[Score, ...]) -> Scorer | Score:
    """The next part that the rule asks for, or its score; a part in error ends it at once."""
    broken = next((score for score in scores if score.status == "error"), None)
    if broken is not None:
        return dataclasses.replace(broken, name="", passed=None)
    try:
        return rule.send(scores)
    except StopIteration as end:
        score: Score = end.value
        return score


def _not_awaitable(part: Scorer, result: _T) -> _T:
    if hasattr(result, "__await__"):
        close = getattr(result, "close", None)
        if close is not None:
            close()  # else Python warns of a coroutine that was never awaited
        raise TypeError(f"{part.name} returned an awaitable though it is no async function: write it as async def")
    return result
