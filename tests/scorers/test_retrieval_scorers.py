"""precision_at, recall_at, mrr, ndcg_at, against values worked out by hand."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evalkit.errors import ScorerError
from evalkit_scorers import mrr, ndcg_at, precision_at, recall_at

RANKED = ["d1", "d2", "d3", "d4", "d5"]
IDS = st.lists(st.integers(0, 9), unique=True, max_size=10)
GRADES = st.dictionaries(st.integers(0, 9), st.integers(1, 4), min_size=1)


@pytest.mark.parametrize(
    ("scorer", "output", "expected", "value"),
    [
        (precision_at(3), RANKED, ["d1", "d3", "d9"], 2 / 3),
        (precision_at(10), RANKED, ["d1", "d3"], 2 / 10),
        (precision_at(1), RANKED, {"d1": 0, "d2": 1}, 0.0),
        (precision_at(2), ["d1", "d1"], ["d1"], 1 / 2),
        (precision_at(3), [], ["d1"], 0.0),
        (precision_at(3), None, ["d1"], 0.0),
        (recall_at(3), RANKED, ["d1", "d3", "d9"], 2 / 3),
        (recall_at(1), RANKED, ["d1", "d2"], 1 / 2),
        (recall_at(5), RANKED, "d5", 1.0),
        (recall_at(2), ["d1", "d1"], ["d1", "d2"], 1 / 2),
        (mrr(), RANKED, ["d3", "d5"], 1 / 3),
        (mrr(), RANKED, ["d9"], 0.0),
        (mrr(k=2), RANKED, ["d3"], 0.0),
        (mrr(k=3), RANKED, ["d3"], 1 / 3),
        (mrr(), [3, 1, 2], [1], 1 / 2),
        (mrr(), [3, 1, 2], {"1": 2}, 1 / 2),
        (ndcg_at(5), RANKED, ["d1"], 1.0),
        (ndcg_at(5), RANKED, ["d2"], 1 / math.log2(3)),
        (ndcg_at(1), RANKED, ["d2"], 0.0),
        (ndcg_at(3), ["d1", "d2", "d3"], {"d1": 1, "d3": 3}, (1 + 3 / 2) / (3 + 1 / math.log2(3))),
        (ndcg_at(3, gain="exponential"), ["d1", "d2", "d3"], {"d1": 1, "d3": 3}, (1 + 7 / 2) / (7 + 1 / math.log2(3))),
        (ndcg_at(2), ["d1", "d1"], {"d1": 1, "d2": 1}, 1 / (1 + 1 / math.log2(3))),
    ],
)
def test_by_hand(judge, scorer, output, expected, value):
    assert judge(scorer, output, expected).value == pytest.approx(value)


def test_the_example_of_jarvelin_and_kekalainen_in_its_usual_form(judge):
    # Gains 3, 2, 3, 0, 1, 2 and an ideal of 3, 3, 2, 2, 1, 0; worked out with logarithms to the base of two.
    grades = {"a": 3, "b": 2, "c": 3, "e": 1, "f": 2}
    score = judge(ndcg_at(6), ["a", "b", "c", "d", "e", "f"], grades)
    assert score.value == pytest.approx(6.861126688593501 / 7.1409951840957195)


@pytest.mark.parametrize("scorer", [precision_at(3), recall_at(3), mrr(), ndcg_at(3)])
def test_nothing_relevant_is_unscored(judge, scorer):
    for expected in ([], {}, {"d1": 0}, None):
        assert judge(scorer, RANKED, expected).status == "unscored"


def test_results_that_are_dicts(judge):
    found = [{"document": {"id": 7}, "score": 0.9}, {"document": {"id": 8}, "score": 0.1}]
    assert judge(mrr(key="document.id"), found, [8]).value == 0.5
    with pytest.raises(TypeError, match="key='…'"):
        mrr()(output=found, expected=[8])
    with pytest.raises(TypeError, match="nothing at id"):
        mrr(key="id")(output=found, expected=[8])


@pytest.mark.parametrize("expected", [{"d1": -1}, {"d1": "high"}, {"d1": True}, {"d1": float("nan")}])
def test_grades_that_are_none(expected):
    with pytest.raises(ValueError, match="grade"):
        ndcg_at(3)(output=RANKED, expected=expected)


@pytest.mark.parametrize(("output", "expected"), [("d1", ["d1"]), ({"d1": 1}, ["d1"]), (["d1"], 1.5)])
def test_what_is_no_ranking(output, expected):
    with pytest.raises(TypeError):
        recall_at(3)(output=output, expected=expected)


@given(IDS, GRADES, st.integers(1, 12))
def test_between_0_and_1_and_best_for_the_ideal_order(ranked, grades, k):
    for make in (precision_at, recall_at, ndcg_at, lambda k: ndcg_at(k, gain="exponential"), lambda k: mrr(k=k)):
        assert 0.0 <= make(k)(output=ranked, expected=grades) <= 1.0
    ideal = sorted(grades, key=lambda identifier: -grades[identifier])
    assert ndcg_at(k)(output=ideal, expected=grades) == pytest.approx(1.0)
    assert recall_at(max(k, len(ideal)))(output=ideal, expected=grades) == 1.0
    assert mrr()(output=ideal, expected=grades) == 1.0


@given(IDS, GRADES, st.integers(1, 8))
def test_recall_only_grows_with_k(ranked, grades, k):
    assert recall_at(k)(output=ranked, expected=grades) <= recall_at(k + 1)(output=ranked, expected=grades)


@given(IDS, GRADES, st.integers(0, 8))
def test_moving_a_better_document_up_never_makes_ndcg_worse(ranked, grades, place):
    assume(place + 1 < len(ranked))
    if grades.get(ranked[place + 1], 0) > grades.get(ranked[place], 0):
        better = [*ranked[:place], ranked[place + 1], ranked[place], *ranked[place + 2 :]]
        assert ndcg_at(10)(output=better, expected=grades) > ndcg_at(10)(output=ranked, expected=grades)


@pytest.mark.parametrize(
    "make",
    [
        lambda: precision_at(0),
        lambda: recall_at(1.5),
        lambda: mrr(k=0),
        lambda: ndcg_at(3, gain="log"),
        lambda: ndcg_at(),
        lambda: precision_at(3, key=""),
        lambda: precision_at(True),
    ],
)
def test_wrong_retrieval_options(make):
    with pytest.raises(ScorerError):
        make()
