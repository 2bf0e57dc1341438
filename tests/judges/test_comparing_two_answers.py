"""Two answers are compared in both orders, a panel votes, a cascade asks only where it must."""

from __future__ import annotations

import json
import math

import pytest

from evalkit.case import Case
from evalkit.errors import ScorerError
from evalkit.score import scorer
from evalkit.testing import Answer, failing
from evalkit_scorers import cascade, correctness, exact_match, panel, prefer
from evalkit_scorers.judges.pairwise import settled

PAIR = Case(id="p", input="Name a prime.", expected="Nine.", metadata={"baseline": "Two is one."})


def verdict(label: str, reasons: str = "Because.") -> str:
    return json.dumps({"reasons": reasons, "verdict": label})


def by_content(better: str):
    """A judge that always finds the answer `better`, wherever it stands."""

    def script(call):
        text = call.messages[1]["content"]
        first = text.index("<first ") < text.index(better) < text.index("</first ")
        return verdict("first" if first else "second")

    return script


def test_a_win_is_a_win_in_both_orders(scripted, score_of) -> None:
    model, server = scripted(by_content("Seven."))
    score = score_of(prefer(model=model), output="Seven.", case=PAIR)
    assert (score.value, score.label, score.kind, score.passed) == (1.0, "win", "score", None)
    assert score.metadata["consistent"] is True
    assert sorted(score.metadata["verdicts"]) == ["first", "second"]
    assert score.metadata["lengths"] == [6, 5]
    assert len(server.calls) == 2
    assert score_of(prefer(model=scripted(by_content("Nine."))[0]), output="Seven.", case=PAIR).label == "loss"


@pytest.mark.parametrize("place", ["first", "second"])
def test_a_judge_that_likes_a_place_gives_a_tie_and_is_caught(place, scripted, score_of) -> None:
    model, _ = scripted(verdict(place))
    score = score_of(prefer(model=model), output="Seven.", case=PAIR)
    assert (score.value, score.label) == (0.5, "tie")
    assert score.metadata["consistent"] is False
    assert score.metadata["place"] == place


@pytest.mark.parametrize(
    ("there", "back", "value", "consistent"),
    [
        ("first", "second", 1.0, True),
        ("second", "first", 0.0, True),
        ("tie", "tie", 0.5, True),
        ("first", "tie", 0.5, False),
        ("tie", "first", 0.5, False),
        ("second", "second", 0.5, False),
    ],
)
def test_what_two_orders_come_to(there, back, value, consistent) -> None:
    outcome = settled(there, back)
    assert (outcome.value, outcome.consistent) == (value, consistent)


def test_half_a_comparison_is_none(scripted, score_of) -> None:
    model, _ = scripted([verdict("first"), verdict("unknown")])
    score = score_of(prefer(model=model), output="Seven.", case=PAIR)
    assert score.status == "unscored"
    assert "place: the judge cannot tell" in score.explanation
    failed, _ = scripted([verdict("first"), failing(401)])
    assert score_of(prefer(model=failed), output="Seven.", case=PAIR).status == "error"


def test_the_other_answer_may_be_anywhere(scripted, score_of) -> None:
    model, server = scripted(by_content("Seven."))
    score = score_of(prefer("output", "metadata.baseline", model=model), output="Seven.", case=PAIR)
    assert score.label == "win"
    assert "Two is one." in server.calls[0].messages[1]["content"]
    lost = score_of(prefer("output", "metadata.nothing", model=model), output="Seven.", case=PAIR)
    assert lost.status == "error"
    assert "nothing at metadata.nothing" in lost.explanation


def test_comparing_an_answer_with_itself_is_refused(scripted) -> None:
    model, _ = scripted("x")
    with pytest.raises(ScorerError, match="with itself"):
        prefer("output", "output", model=model)
    assert prefer("output", "metadata.baseline", model=model).requires_expected is False
    assert prefer(model=model).requires_expected is True


def test_likelihoods_of_both_orders_are_averaged(scripted, score_of) -> None:
    def said(label, first):
        text = verdict(label)
        at = text.index(f'"{label}"') + 1
        ranked = {label: math.log(first if label == "first" else 1 - first)}
        other = "second" if label == "first" else "first"
        ranked[other] = math.log(1 - first if label == "first" else first)
        before = [{one: 0.0} for one in text[:at]]
        after = [{one: 0.0} for one in text[at + len(label) :]]
        return Answer(text=text, logprobs=(*before, ranked, *after))

    def script(call):
        text = call.messages[1]["content"]
        a_first = text.index("<first ") < text.index("Seven.") < text.index("</first ")
        return said("first", 0.8) if a_first else said("second", 0.4)

    model, _ = scripted(script)
    score = score_of(prefer(model=model, logprobs=True), output="Seven.", case=PAIR)
    assert score.value == pytest.approx((0.8 + 0.6) / 2)
    assert score.label == "win"


def always(label, *, name, value=None):
    @scorer(name=name, blocking=False)
    def one(output):
        if label == "error":
            raise RuntimeError("down")
        return value if value is not None else label

    return one


def test_the_most_votes_count_and_all_are_kept(score_of) -> None:
    voted = panel(*(always(label, name=f"j{at}") for at, label in enumerate(["good", "bad", "good"])))
    score = score_of(voted)
    assert score.label == "good"
    assert score.metadata["votes"] == ["good", "bad", "good"]


def test_a_panel_of_assertions_decides_as_one(score_of) -> None:
    voted = panel(*(always("x", name=f"j{at}", value=value) for at, value in enumerate([True, False, True])))
    assert score_of(voted).passed is True


def test_without_a_majority_there_is_no_score(score_of) -> None:
    split = panel(*(always(label, name=f"j{at}") for at, label in enumerate(["good", "bad", "fair"])))
    assert score_of(split).status == "unscored"
    broken = panel(*(always(label, name=f"j{at}") for at, label in enumerate(["good", "error", "good"])))
    assert score_of(broken).status == "error"


def test_a_mean_takes_the_numbers_of_more_than_half(score_of) -> None:
    values = panel(
        *(always("", name=f"j{at}", value=value) for at, value in enumerate([0.2, 0.4, 0.9])), combine="mean"
    )
    assert score_of(values).value == pytest.approx(0.5)
    labels = panel(*(always(label, name=f"j{at}") for at, label in enumerate(["a", "b", "c"])), combine="mean")
    assert score_of(labels).status == "unscored"


def test_an_even_panel_is_refused() -> None:
    with pytest.raises(ScorerError, match="odd number"):
        panel(always("a", name="a"), always("b", name="b"))


def test_the_judge_is_asked_only_where_the_cheap_scorer_does_not_decide(scripted, score_of) -> None:
    model, server = scripted(verdict("correct"))
    both = cascade(exact_match(), correctness(model=model), below=-1)
    case = Case(id="c", input="2+2?", expected="4")
    quick = score_of(both, output="4", case=case)
    assert (quick.passed, quick.metadata["decided_by"], len(server.calls)) == (True, "exact_match", 0)
    slow = score_of(both, output="four", case=case)
    assert (slow.passed, slow.metadata["decided_by"], len(server.calls)) == (True, "correctness", 1)
    assert both.name == "correctness"
    with pytest.raises(ScorerError, match="leaves nothing"):
        cascade(exact_match(), correctness(model=model), above=0, below=0)
