"""Corrections, agreement of several raters and the alternative annotator test, against reference values."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats.alternative import alternative_test
from evalkit.stats.correction import informative, prediction_powered, rogan_gladen
from evalkit.stats.raters import fleiss_kappa, krippendorff_alpha

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")

LABELS = [1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1]
JUDGED = [1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 1]
OTHERS = [1] * 150 + [0] * 50

# Krippendorff (2011), the example of four observers and twelve units.
CANONICAL = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
UNITS = [list(unit) for unit in zip(*CANONICAL, strict=True)]


def test_ppi_with_the_judge_taken_at_its_word() -> None:
    found = prediction_powered(LABELS, JUDGED, OTHERS, weight=1.0)
    assert (found.low, found.high) == pytest.approx((0.52130437, 0.87869563), abs=1e-8)


def test_ppi_with_the_best_weight() -> None:
    found = prediction_powered(LABELS, JUDGED, OTHERS)
    assert found.weight == pytest.approx(0.6033057851, abs=1e-10)
    assert (found.low, found.high) == pytest.approx((0.5394240433, 0.8605759567), abs=1e-10)


def test_a_judge_that_never_varies_is_not_listened_to() -> None:
    found = prediction_powered(LABELS, [1] * 20, [1] * 200)
    assert found.weight == 0
    assert found.value == pytest.approx(sum(LABELS) / 20)


def test_a_judge_that_says_the_opposite_is_not_listened_to() -> None:
    assert prediction_powered(LABELS, [1 - value for value in LABELS], OTHERS).weight == 0


def test_ppi_is_right_on_average_whatever_the_judge_does() -> None:
    chance = random.Random(5)
    covered = 0
    for _ in range(1000):
        truth = [float(chance.random() < 0.7) for _ in range(400)]
        judge = [value if chance.random() < 0.8 else 1.0 for value in truth]  # it passes too much
        found = prediction_powered(truth[:100], judge[:100], judge[100:])
        covered += found.low <= 0.7 <= found.high
    assert 915 <= covered <= 970  # a normal approximation with 100 labels covers a little less than 95 %


@pytest.mark.parametrize(("labels", "judged", "others"), [([1], [1], [1]), ([1, 0], [1, 0], []), ([1, 0], [1], [1])])
def test_too_little_to_correct_with_is_refused(labels, judged, others) -> None:
    with pytest.raises(ValueError, match=r"too few|same cases"):
        prediction_powered(labels, judged, others)


def test_rogan_gladen() -> None:
    found = rogan_gladen(150, 200, true_positives=45, positives=50, true_negatives=34, negatives=40)
    assert found.value == pytest.approx(0.8, abs=1e-12)
    assert found.error == pytest.approx(0.0627800393, abs=1e-10)
    assert (found.low, found.high) == pytest.approx((0.6769533840, 0.9230466160), abs=1e-10)


def test_rogan_gladen_stays_a_share_and_refuses_a_judge_that_is_no_better_than_a_coin() -> None:
    assert rogan_gladen(200, 200, true_positives=45, positives=50, true_negatives=34, negatives=40).value == 1
    with pytest.raises(ValueError, match="at least as often"):
        rogan_gladen(100, 200, true_positives=20, positives=40, true_negatives=20, negatives=40)
    with pytest.raises(ValueError, match="both classes"):
        rogan_gladen(100, 200, true_positives=20, positives=40, true_negatives=0, negatives=0)


def test_a_judge_is_informative_only_where_its_record_says_so_for_certain() -> None:
    assert informative(true_positives=45, positives=50, true_negatives=34, negatives=40)
    assert not informative(true_positives=9, positives=12, true_negatives=8, negatives=12)
    assert not informative(true_positives=9, positives=9, true_negatives=0, negatives=0)


@pytest.mark.parametrize(
    ("scale", "alpha"), [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107), ("ratio", 0.797403)]
)
def test_krippendorff_alpha(scale, alpha) -> None:
    assert krippendorff_alpha(UNITS, scale=scale) == pytest.approx(alpha, abs=5e-7)


def test_alpha_says_nothing_where_nothing_can_be_compared() -> None:
    assert krippendorff_alpha([[1, None], [None, 2]]) is None
    assert krippendorff_alpha([[1, 1], [1, 1]]) is None


@given(st.lists(st.lists(st.sampled_from([1, 2, 3, None]), min_size=3, max_size=3), min_size=2, max_size=12))
def test_alpha_does_not_depend_on_the_order_of_raters_or_items(units) -> None:
    alpha = krippendorff_alpha(units)
    shuffled = [list(reversed(unit)) for unit in reversed(units)]
    assert krippendorff_alpha(shuffled) == (None if alpha is None else pytest.approx(alpha))
    assert alpha is None or alpha <= 1


def test_fleiss_kappa_of_a_table_worked_by_hand() -> None:
    # Two raters, four items: agreement 3/4; "a" is 5 of 8 ratings, so chance is (5/8)² + (3/8)² = 34/64.
    assert fleiss_kappa([["a", "a"], ["a", "a"], ["b", "b"], ["a", "b"]]) == pytest.approx(
        (3 / 4 - 34 / 64) / (30 / 64)
    )
    assert fleiss_kappa([["a", "a"]]) is None
    with pytest.raises(ValueError, match="same number"):
        fleiss_kappa([["a", "a"], ["a", "a", "b"]])


@pytest.mark.data
def test_fleiss_kappa_of_the_annotators_of_xstest_is_as_published() -> None:
    file = DATA / "xstest" / "outputs.jsonl"
    if not file.is_file():
        pytest.skip(f"EVALKIT_DATA: there is no {file}")
    ratings: dict[str, list[list[str]]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        ratings.setdefault(row["model"], []).append(row["human"])
    found = {model: round(fleiss_kappa(rows) or 0, 2) for model, rows in ratings.items()}
    assert sorted(found.values()) == [0.92, 0.93, 0.97]
    agreed = {model: round(100 * sum(a == b for a, b in rows) / len(rows), 1) for model, rows in ratings.items()}
    assert sorted(agreed.values()) == [95.8, 97.6, 98.4]


def annotated(noise: float, judge_noise: float, *, items: int = 60, seed: int = 1) -> tuple[list[str], list[list[str]]]:
    chance = random.Random(seed)

    def say(truth: str, noise: float) -> str:
        return chance.choice("abc") if chance.random() < noise else truth

    truths = [chance.choice("abc") for _ in range(items)]
    return [say(truth, judge_noise) for truth in truths], [[say(truth, noise) for _ in range(3)] for truth in truths]


def test_a_judge_as_good_as_people_stands_in_for_them_and_a_poor_one_does_not() -> None:
    judge, humans = annotated(0.3, 0.05)
    good = alternative_test(judge, humans)
    assert good.passed
    assert good.winning_rate == 1
    poor = alternative_test(annotated(0.1, 0.9)[0], annotated(0.1, 0.9)[1])
    assert not poor.passed
    assert poor.winning_rate == 0
    assert good.advantage > poor.advantage


def test_the_p_values_are_those_of_a_one_sided_t_test() -> None:
    stats = pytest.importorskip("scipy.stats")
    judge, humans = annotated(0.3, 0.3, items=80, seed=4)
    found = alternative_test(judge, humans, epsilon=0.1)
    for one in found.against:
        gains = []
        for place, row in enumerate(humans):
            others = [label for at, label in enumerate(row) if at != one.annotator]
            machine = sum(judge[place] == other for other in others)
            human = sum(row[one.annotator] == other for other in others)
            gains.append(float(human >= machine) - float(machine >= human))
        assert one.p == pytest.approx(stats.ttest_1samp(gains, 0.1, alternative="less").pvalue, rel=1e-9)
    adjusted = stats.false_discovery_control([one.p for one in found.against], method="by")
    assert [one.adjusted for one in found.against] == pytest.approx(list(adjusted))


def test_numbers_are_aligned_by_their_distance() -> None:
    humans = [[value, value + 1, value - 1] for value in range(40)]
    near = alternative_test([float(value) for value in range(40)], humans, alignment="distance")
    far = alternative_test([float(value + 10) for value in range(40)], humans, alignment="distance")
    assert near.passed
    assert not far.passed


def test_too_few_annotators_or_items_are_refused() -> None:
    with pytest.raises(ValueError, match="three annotators"):
        alternative_test(["a"] * 40, [["a", "b"]] * 40)
    with pytest.raises(ValueError, match="annotator 1 shares 20 items"):
        alternative_test(["a"] * 20, [["a", "b", "a"]] * 20)


@pytest.mark.data
def test_pandalm_annotators_agree_as_published() -> None:
    file = DATA / "pandalm" / "pairs.jsonl"
    if not file.is_file():
        pytest.skip(f"EVALKIT_DATA: there is no {file}")
    rows = [json.loads(line)["human"] for line in file.read_text(encoding="utf-8").splitlines()]
    alpha = krippendorff_alpha(rows)
    kappa = fleiss_kappa(rows)
    assert len(rows) == 999
    assert alpha is not None
    assert kappa is not None
    # Three raters on every item and many items: the two differ only by α's correction for small samples.
    assert alpha == pytest.approx(kappa, abs=1e-3)
    assert round(alpha, 6) == 0.864221
    assert max(Counter(len(set(row)) for row in rows)) <= 2
