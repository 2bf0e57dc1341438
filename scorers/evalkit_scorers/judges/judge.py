"""Judges: scorers that ask a model, by a rubric, with reasons before the verdict."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.canonical import digest
from evalkit.case import Case
from evalkit.errors import ScorerError
from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.judges.asking import Judgement, instruction, judged
from evalkit_scorers.judges.model import judge_model
from evalkit_scorers.judges.parts import Absent, parts_of
from evalkit_scorers.judges.rubric import Rubric, shown_parts
from evalkit_scorers.judges.scale import Scale, is_binary, scale_of
from evalkit_scorers.judges.verdict import Decided, Undecided, Unreadable
from evalkit_scorers.judges.weights import LIKELIHOODS, likelihood
from evalkit_scorers.options import number, text
from evalkit_scorers.paths import steps_of

_SHOWN = ("question", "answer")


@factory
def judge(
    criterion: str,
    *,
    name: str,
    scale: Any = "binary",
    shows: Sequence[str] = _SHOWN,
    model: Any = "judge",
    where: Mapping[str, str] | None = None,
    samples: int = 1,
    logprobs: bool = False,
    **fixed: str,
) -> Scorer:
    """A judge of your own: one criterion in words, and what may be said.

    `scale` is `"binary"` (pass or fail, an assertion) or two to five labels with what each means, best first:
    `{"good": "…", "fair": "…", "poor": "…"}`. `shows` are the parts of a trial that the judge sees. `model` is a model
    or the name of a model file; it should be another one than what is judged, as models favour their own.

    `where` says for a part where it is found, as `{"context": "metadata.documents"}`; a part that is the same for
    every case is given by its name: `guidelines="Be brief."`. `samples` asks so often and takes the mean, an odd
    number above 1 shows how far the judge agrees with itself. `logprobs` weighs the levels by how likely each was,
    and gives no score where the provider does not say, so that the two kinds are never mixed.

    Edge cases: a judge that says `unknown` or refuses leaves the case unscored; an answer that cannot be read is asked
    for once more, and then unscored too; a provider that fails makes the score an error. A case that lacks a part
    is an error as well. None of these is ever a zero.
    """
    text("judge", "criterion", criterion)
    text("judge", "name", name)
    rubric = Rubric(name=name, title=name, text=criterion.strip(), shows=shown_parts(shows), scale=scale_of(scale))
    return judge_by(rubric, model=model, where=where, samples=samples, logprobs=logprobs, fixed=fixed)


def judge_by(
    rubric: Rubric,
    *,
    model: Any = "judge",
    where: Mapping[str, str] | None = None,
    samples: int = 1,
    logprobs: bool = False,
    fixed: Mapping[str, str] | None = None,
) -> Scorer:
    """The scorer that judges by `rubric`; see `judge` for the options. Raises `ScorerError` for a wrong one."""
    number(rubric.name, "samples", samples, least=1, whole=True)
    if samples > 1 and logprobs:
        raise ScorerError(
            f"{rubric.name} takes samples= or logprobs=, not both.",
            why="They are two ways to the same thing: how sure the judge is.",
        )
    same = dict(fixed or {})
    shown_parts(tuple(same))
    for part, value in same.items():
        text(rubric.name, part, value)
    places = {part: steps_of(rubric.name, path) for part, path in (where or {}).items()}
    shown_parts(tuple(places))
    asked = judge_model(model)
    config = {
        "rubric": rubric.name,
        "rubric_version": rubric.version,
        "instruction": digest(instruction(rubric)),
        "levels": {level.label: level.value for level in rubric.scale},
        "model": asked.label,
        "model_id": asked.model_id,
        "model_version": asked.version,
        "where": {part: ".".join(steps) for part, steps in sorted(places.items())},
        "fixed": dict(sorted(same.items())),
        "samples": samples,
        "mode": "weighted" if logprobs else "plain",
    }
    parameters = LIKELIHOODS if logprobs else {}

    @scorer(
        name=rubric.name,
        version="1",
        config=config,
        requires_expected="reference" in rubric.shows and "reference" not in {*same, *places},
        blocking=False,
    )
    async def score(case: Case, output: Any) -> Score:
        try:
            parts = parts_of(rubric.shows, places, same, case, output)
        except Absent as error:
            raise ValueError(f"{rubric.name} cannot judge: {error}") from None
        salt = f"{rubric.version}{asked.version}"
        found = await asyncio.gather(
            *(judged(asked.ask, rubric, parts, salt=salt, **parameters) for _ in range(samples))
        )
        note = {"judge": asked.label, "tries": sum(one.tries for one in found), "mode": config["mode"]}
        if logprobs:
            return _by_likelihood(found[0], rubric.scale, note)
        return _one(found[0], rubric.scale, note) if samples == 1 else _mean(found, note)

    return score


def unscored(why: str, note: Mapping[str, Any]) -> Score:
    """No score, and why."""
    return Score(status="unscored", explanation=why, metadata=dict(note))


def _one(found: Judgement, scale: Scale, note: Mapping[str, Any]) -> Score:
    reading = found.reading
    if not isinstance(reading, Decided):
        return unscored(_why(found), {**note, "unreadable": isinstance(reading, Unreadable)})
    value = reading.level.value
    return Score(
        value=bool(value) if is_binary(scale) else value,
        label=reading.level.label,
        explanation=reading.reasons,
        metadata=dict(note),
    )


def _mean(found: Sequence[Judgement], note: Mapping[str, Any]) -> Score:
    decided = [one.reading for one in found if isinstance(one.reading, Decided)]
    labels = [one.level.label for one in decided]
    counted = ", ".join(f"{labels.count(label)} × {label}" for label in dict.fromkeys(labels))
    if 2 * len(decided) <= len(found):
        undecided = next(one for one in found if not isinstance(one.reading, Decided))
        unreadable = isinstance(undecided.reading, Unreadable)
        why = f"{len(decided)} of {len(found)} samples gave a verdict; {_why(undecided)}"
        return unscored(why, {**note, "unreadable": unreadable})
    values = [one.level.value for one in decided]
    mean = math.fsum(values) / len(values)
    spread = math.fsum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1)
    nearest = min(decided, key=lambda one: abs(one.level.value - mean))
    return Score(
        value=mean,
        kind="score",
        label=next((label for label in labels if 2 * labels.count(label) > len(found)), None),
        explanation=f"{counted}: {nearest.reasons}",
        metadata={**note, "samples": values, "variance": spread},
    )


def _by_likelihood(found: Judgement, scale: Scale, note: Mapping[str, Any]) -> Score:
    if not isinstance(found.reading, Decided):
        return unscored(_why(found), {**note, "unreadable": isinstance(found.reading, Unreadable)})
    value = likelihood(found.reply, scale)
    if value is None:
        return unscored("the provider did not say how likely each verdict was", note)
    return Score(
        value=value.value,
        kind="score",
        label=found.reading.level.label,
        explanation=found.reading.reasons,
        metadata={**note, "mass": value.mass},
    )


def _why(found: Judgement) -> str:
    reading = found.reading
    if isinstance(reading, Undecided):
        return reading.why
    assert not isinstance(reading, Decided), "asked only of what has no verdict"
    return f"the judge's answer could not be read in {found.tries} tries: {reading.why}"
