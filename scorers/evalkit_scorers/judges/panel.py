"""Several judges as one instrument, and a judge that is asked only where something cheaper does not decide."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from evalkit.errors import ScorerError
from evalkit.score import PARAMETERS, Score, Scorer, as_scorer, factory, scorer, scores_from
from evalkit_scorers.combinators import version_of
from evalkit_scorers.options import choice, number, text


@factory
def panel(
    *judges: Scorer | Callable[..., Any], name: str = "panel", combine: Literal["majority", "mean"] = "majority"
) -> Scorer:
    """What an odd number of judges decide together: the verdict of most of them, or their mean.

    Each of `judges` gives one score. With `combine="majority"` they have to give labels or assertions, and the one that
    more than half of all gave counts; with `"mean"` numbers. The score keeps every vote. A panel is one instrument: it
    is calibrated and versioned as a whole. `name` is the metric's.

    Edge cases: a judge without a verdict has no vote, and where no label has more than half of all votes the case is
    unscored; a mean takes those that voted, at least more than half of them. A judge in error makes the panel one.
    """
    text("panel", "name", name)
    choice("panel", "combine", combine, ("majority", "mean"))
    inner = [as_scorer(one) for one in judges]
    if len(inner) < 3 or len(inner) % 2 == 0:
        raise ScorerError(
            f"A panel has an odd number of judges, three or more, not {len(inner)}.", why="An even one can be split."
        )
    config = {"combine": combine, "judges": [version_of(one) for one in inner]}

    @scorer(
        name=name,
        version="1",
        config=config,
        requires_expected=any(one.requires_expected for one in inner),
        blocking=False,
    )
    async def score(case: Any, output: Any, expected: Any, input: Any, metadata: Any, trace: Any) -> Score:  # noqa: A002 - the names scorers take
        given = dict(zip(PARAMETERS, (case, output, expected, input, metadata, trace), strict=True))
        votes = await asyncio.gather(*(_asked(one, given) for one in inner))
        note = {"votes": [_vote(vote) for vote in votes]}
        return _majority(votes, note) if combine == "majority" else _mean(votes, note)

    return score


@factory
def cascade(
    cheap: Scorer | Callable[..., Any],
    judge: Scorer | Callable[..., Any],
    *,
    name: str | None = None,
    above: float = 1.0,
    below: float = 0.0,
) -> Scorer:
    """A cheap scorer first, and the judge only where that does not decide; `name` is by default the judge's.

    The cheap score decides from `above` on, which counts 1, and down to `below`, which counts 0; what lies between, or
    is unscored, is put to the judge. `cascade(exact_match(), correctness())` asks about misses, for example, with
    `below=-1`. The score says who decided.

    Edge cases: a cheap scorer in error is an error; a judge without a verdict leaves the case unscored.
    """
    first, second = as_scorer(cheap), as_scorer(judge)
    number("cascade", "above", above, least=-math.inf)
    number("cascade", "below", below, least=-math.inf)
    if below >= above:
        raise ScorerError(
            f"cascade(above={above:g}, below={below:g}) leaves nothing to the judge, or decides both ways."
        )
    config = {"cheap": version_of(first), "judges": [version_of(second)], "above": above, "below": below}

    @scorer(
        name=name or second.name,
        version="1",
        config=config,
        requires_expected=first.requires_expected or second.requires_expected,
        blocking=False,
    )
    async def score(case: Any, output: Any, expected: Any, input: Any, metadata: Any, trace: Any) -> Score:  # noqa: A002 - the names scorers take
        given = dict(zip(PARAMETERS, (case, output, expected, input, metadata, trace), strict=True))
        quick = await _asked(first, given)
        if quick.value is not None and (quick.value >= above or quick.value <= below):
            return Score(value=quick.value >= above, explanation=quick.explanation, metadata={"decided_by": first.name})
        slow = await _asked(second, given)
        return Score(
            value=bool(slow.value) if slow.kind == "assertion" and slow.value is not None else slow.value,
            label=slow.label,
            status=slow.status,
            explanation=slow.explanation,
            metadata={**slow.metadata, "decided_by": second.name},
        )

    return score


async def _asked(one: Scorer, given: Mapping[str, Any]) -> Score:
    if one.is_async:
        result = await one(**given)
    else:
        result = await asyncio.to_thread(one, **given) if one.blocking else one(**given)
    scores = scores_from(result, one)
    if len(scores) != 1:
        raise ValueError(f"{one.name} gives {len(scores)} scores, and one is needed here")
    if scores[0].status == "error":
        raise ValueError(f"{one.name}: {scores[0].explanation}")
    return scores[0]


def _vote(score: Score) -> str | float | None:
    return score.label if score.label is not None else score.value


def _majority(votes: Sequence[Score], note: Mapping[str, Any]) -> Score:
    cast = Counter(_vote(vote) for vote in votes if vote.status == "scored")
    shown = ", ".join(f"{count} × {label}" for label, count in cast.most_common())
    winner, count = cast.most_common(1)[0] if cast else (None, 0)
    if 2 * count <= len(votes):
        return Score(
            status="unscored", explanation=f"no majority among {len(votes)}: {shown or 'no votes'}", metadata=note
        )
    chosen = next(vote for vote in votes if vote.status == "scored" and _vote(vote) == winner)
    return Score(
        value=bool(chosen.value) if chosen.kind == "assertion" and chosen.value is not None else chosen.value,
        label=chosen.label,
        explanation=f"{shown}: {chosen.explanation or ''}".rstrip(": "),
        metadata=note,
    )


def _mean(votes: Sequence[Score], note: Mapping[str, Any]) -> Score:
    values = [vote.value for vote in votes if vote.value is not None]
    if 2 * len(values) <= len(votes):
        return Score(
            status="unscored", explanation=f"{len(values)} of {len(votes)} judges gave a number", metadata=note
        )
    shown = ", ".join(f"{value:.3g}" for value in values)
    return Score(value=math.fsum(values) / len(values), kind="score", explanation=f"mean of {shown}", metadata=note)
