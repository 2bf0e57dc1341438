"""Which of two answers is better, asked in both orders: a judge's liking for a place shows, and does not count."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from evalkit.canonical import digest
from evalkit.case import Case
from evalkit.errors import ScorerError
from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.judges.asking import Judgement, instruction, judged
from evalkit_scorers.judges.model import judge_model
from evalkit_scorers.judges.parts import Absent, parts_of, shown_at
from evalkit_scorers.judges.rubric import FOLDER, Rubric, read_rubric
from evalkit_scorers.judges.verdict import Decided, Unreadable
from evalkit_scorers.judges.weights import LIKELIHOODS, likelihood
from evalkit_scorers.options import text
from evalkit_scorers.paths import steps_of

PREFERENCE = FOLDER.parent / "pair_rubrics" / "preference.md"
Winner = Literal["first", "tie", "second"]


@factory
def prefer(
    a: str = "output",
    b: str = "expected",
    *,
    criterion: str | None = None,
    name: str = "prefer",
    model: Any = "judge",
    logprobs: bool = False,
) -> Scorer:
    """Whether `a` is better than `b`: 1 for a win, 0.5 for a tie, 0 for a loss. The mean is the win rate.

    `a` and `b` say where the two answers are: `output`, `expected`, or a path such as `metadata.baseline`. The judge is
    asked twice, with `a` first and with `b` first; where its answers do not name the same one, that is a tie, and the
    score keeps which place it liked. `criterion` is what makes an answer better, in words; without it, how well it
    serves the one who asked. `logprobs` takes the mean of both orders, weighted by how likely each verdict was. `model`
    should be of another family than those that wrote the answers.

    Edge cases: an order without a verdict (`unknown`, a refusal, an answer that cannot be read) leaves the case
    unscored, as half a comparison is none; a missing answer is an error.
    """
    text("prefer", "a", a)
    text("prefer", "b", b)
    text("prefer", "name", name)
    places = {"a": steps_of("prefer", a), "b": steps_of("prefer", b)}
    if places["a"] == places["b"]:
        raise ScorerError(f"prefer compares {a} with itself.", hint='Write prefer("output", "metadata.baseline").')
    rubric = read_rubric(PREFERENCE)
    if criterion is not None:
        text("prefer", "criterion", criterion)
        rubric = dataclasses.replace(rubric, name=name, text=criterion.strip())
    asked = judge_model(model)
    config = {
        "rubric": rubric.name,
        "rubric_version": rubric.version,
        "instruction": digest(instruction(rubric)),
        "levels": {"win": 1.0, "tie": 0.5, "loss": 0.0},
        "model": asked.label,
        "model_id": asked.model_id,
        "model_version": asked.version,
        "a": a,
        "b": b,
        "mode": "weighted" if logprobs else "plain",
    }
    parameters = LIKELIHOODS if logprobs else {}

    @scorer(name=name, version="1", config=config, requires_expected="expected" in (a, b), blocking=False)
    async def score(case: Case, output: Any) -> Score:
        try:
            asking = parts_of(("question",), {}, {}, case, output)
            one, other = (shown_at(place, case, output) for place in places.values())
        except Absent as error:
            raise ValueError(f"{name} cannot compare: {error}") from None
        salt = f"{rubric.version}{asked.version}"
        forward = {**asking, "first": one, "second": other}
        backward = {**asking, "first": other, "second": one}
        found = await asyncio.gather(
            judged(asked.ask, rubric, forward, salt=salt, **parameters),
            judged(asked.ask, rubric, backward, salt=salt, **parameters),
        )
        tries = sum(each.tries for each in found)
        note = {"judge": asked.label, "tries": tries, "mode": config["mode"], "lengths": [len(one), len(other)]}
        return _score(found[0], found[1], rubric, note, likely=logprobs)

    return score


def _score(there: Judgement, back: Judgement, rubric: Rubric, note: Mapping[str, Any], *, likely: bool) -> Score:
    forward, backward = there.reading, back.reading
    for order, reading in (("first", forward), ("second", backward)):
        if not isinstance(reading, Decided):
            why = f"with a in the {order} place: {reading.why}"
            unreadable = isinstance(reading, Unreadable)
            return Score(status="unscored", explanation=why, metadata={**note, "unreadable": unreadable})
    assert isinstance(forward, Decided), "seen above"
    assert isinstance(backward, Decided), "seen above"
    said = (forward.level.label, backward.level.label)
    outcome = settled(*said)  # type: ignore[arg-type]  # the labels of the rubric
    value = outcome.value
    if likely:
        likely_there, likely_back = (likelihood(one.reply, rubric.scale) for one in (there, back))
        if likely_there is None or likely_back is None:
            why = "the provider did not say how likely each verdict was"
            return Score(status="unscored", explanation=why, metadata=dict(note))
        value = (likely_there.value + 1 - likely_back.value) / 2
    return Score(
        value=value,
        kind="score",
        label={1.0: "win", 0.5: "tie", 0.0: "loss"}[outcome.value],
        explanation=f"a first: {forward.reasons} — b first: {backward.reasons}",
        metadata={**note, "verdicts": list(said), "consistent": outcome.consistent, "place": outcome.place},
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What two orders come to: `value` for a (1, 0.5 or 0), whether both named the same one, and, where they named
    the same place instead, which.
    """

    value: float
    consistent: bool
    place: Literal["first", "second"] | None = None


def settled(a_first: Winner, b_first: Winner) -> Outcome:
    """The outcome of the verdict with `a` in the first place and that with `b` there."""
    if a_first == b_first == "tie":
        return Outcome(value=0.5, consistent=True)
    if a_first == b_first:
        return Outcome(value=0.5, consistent=False, place="first" if a_first == "first" else "second")
    if "tie" in (a_first, b_first):
        return Outcome(value=0.5, consistent=False)
    return Outcome(value=1.0 if a_first == "first" else 0.0, consistent=True)
