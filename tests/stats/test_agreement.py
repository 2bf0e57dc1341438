"""Agreement of labels: κ, weighted κ, MCC and F1 agree with psych, statsmodels and published figures."""

from __future__ import annotations

import json
import os
import statistics
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats.agreement import bca, careful_kappa, cohen_kappa, confusion, macro_f1, matthews

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).resolve().parents[3] / "shared/data")
TWO = [[20, 5], [10, 15]]
ORDERED = [[10, 3, 1], [2, 12, 4], [0, 3, 15]]
GRADED = [0.2, 0.5, 0.9, 1, 1, 1, 0.8, 0.7, 1, 0.95, 0.4, 1, 1, 0.85, 0.6]


def test_cohen_kappa_is_that_of_psych_and_statsmodels():
    found = cohen_kappa(TWO)
    assert found.value == pytest.approx(0.4, abs=1e-12)
    assert found.error == pytest.approx(0.1269960629, abs=5e-11)
    assert (found.low, found.high) == pytest.approx((0.1510922905, 0.6489077095), abs=5e-11)


def test_weighted_kappa_is_that_of_psych():
    assert cohen_kappa(ORDERED).value == pytest.approx(0.6055825243, abs=5e-11)
    assert cohen_kappa(ORDERED, weights="quadratic").value == pytest.approx(0.7448979592, abs=5e-11)
    assert cohen_kappa(TWO, weights="linear").value == pytest.approx(0.4, abs=1e-12)


def test_matthews_correlation():
    assert matthews(TWO) == pytest.approx(0.4082482905, abs=5e-11)
    assert matthews([[5, 0, 0], [0, 7, 0], [0, 0, 9]]) == pytest.approx(1)
    assert matthews([[5, 5], [0, 0]]) is None


def test_f1_is_the_mean_over_the_labels():
    assert macro_f1(TWO) == pytest.approx((2 * 20 / 55 + 2 * 15 / 45) / 2)
    assert macro_f1([[3, 0, 0], [1, 0, 0], [0, 0, 0]]) == pytest.approx((6 / 7 + 0) / 2)


def test_one_label_for_everything_shows_no_agreement_beyond_chance():
    assert cohen_kappa([[9]]) is None
    assert cohen_kappa([[9, 0], [0, 0]]) is None
    assert cohen_kappa([[9, 3], [0, 0]]).value == pytest.approx(0)
    with pytest.raises(ValueError, match="nothing in the table"):
        cohen_kappa([[0, 0], [0, 0]])
    with pytest.raises(ValueError, match="as many columns as rows"):
        matthews([[1, 2]])


TABLES = st.integers(2, 4).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 30), min_size=k, max_size=k), min_size=k, max_size=k)
)


@given(table=TABLES)
def test_they_lie_on_their_scales_and_do_not_care_who_is_who(table):
    if not any(map(any, table)):
        return
    turned = [list(row) for row in zip(*table, strict=True)]
    kappa, other = cohen_kappa(table), cohen_kappa(turned)
    assert (kappa is None) == (other is None)
    if kappa is not None:
        assert kappa.value == pytest.approx(other.value, abs=1e-9)
        assert -1 - 1e-9 <= kappa.value <= 1 + 1e-9
        assert kappa.low <= kappa.value <= kappa.high
    correlation = matthews(table)
    assert correlation is None or -1 - 1e-9 <= correlation <= 1 + 1e-9
    assert 0 <= macro_f1(table) <= 1


def test_bca_is_that_of_r_boot():
    """The mean moves in steps of 1/300, and R's lower limit lies on the edge of one: it may be the next."""
    found = bca(GRADED, statistics.fmean, resamples=99_999)
    assert (found.low, found.high) == pytest.approx((0.6333, 0.8967), abs=1 / 300 + 0.0001)
    assert found.method == "BCa bootstrap"


def test_bca_draws_the_same_for_any_order_of_the_cases():
    assert bca(GRADED, statistics.fmean, resamples=499) == bca(GRADED[::-1], statistics.fmean, resamples=499)


def test_bca_of_what_does_not_vary_is_none():
    assert bca([("a", "a")] * 40, lambda pairs: cohen_kappa(confusion(pairs)[1]) and 1.0) is None


def test_bca_of_kappa_is_near_the_asymptotic_interval():
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15

    def kappa(chosen):
        found = cohen_kappa(confusion(chosen)[1])
        return None if found is None else found.value

    found, formula = bca(pairs, kappa, resamples=1999), cohen_kappa(TWO)
    assert (found.low, found.high) == pytest.approx((formula.low, formula.high), abs=0.05)


@pytest.fixture(scope="module")
def rows():
    def rows(path):
        if not (DATA / path).is_file():
            pytest.skip(f"the recorded outputs are not at {DATA}; set EVALKIT_DATA")
        with (DATA / path).open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    return rows


def test_the_pooled_table_of_llmbar_gpt_4():
    """The counts of GPT-4's verdicts against the gold labels over all five sets, as published."""
    table = [[175, 31], [41, 172]]
    assert cohen_kappa(table).value == pytest.approx(0.656503, abs=5e-7)
    assert matthews(table) == pytest.approx(0.657251, abs=5e-7)


@pytest.mark.data
def test_llmbar_judges_agree_with_themselves_as_published(rows):
    subset = {row["id"]: row["subset"] for row in rows("llmbar/pairs.jsonl")}
    verdicts: dict[str, dict[str, dict[bool, int | None]]] = {}
    for row in rows("llmbar/judgments.jsonl"):
        cell = f"{row['judge']}/{subset[row['id']]}"
        verdicts.setdefault(cell, {}).setdefault(row["id"], {})[row["swapped"]] = row["verdict"]
    expected = json.loads((DATA / "EXPECTED.json").read_text())["llmbar"]["values"]
    assert set(verdicts) == set(expected)
    compared = 0
    for cell, by_pair in verdicts.items():
        if any(None in both.values() for both in by_pair.values()):
            continue
        _, table = confusion([(both[False], both[True]) for both in by_pair.values()])
        assert cohen_kappa(table).value == pytest.approx(expected[cell]["kappa_between_orders"], abs=5e-7), cell
        compared += 1
    assert compared >= 30


@pytest.mark.data
def test_pandalm_annotators_agree_as_published(rows):
    pairs = rows("pandalm/pairs.jsonl")
    expected = json.loads((DATA / "EXPECTED.json").read_text())["pandalm"]["values"]["cohen_kappa"]
    for (one, other), published in {(1, 2): 0.85, (1, 3): 0.88, (2, 3): 0.86}.items():
        _, table = confusion([(row["human"][one - 1], row["human"][other - 1]) for row in pairs])
        found = cohen_kappa(table).value
        assert found == pytest.approx(expected[f"{one}-{other}"], abs=5e-7)
        assert round(found, 2) == published
    majority = Counter(Counter(row["human"]).most_common(1)[0][0] for row in pairs)
    assert majority == {0: 105, 1: 422, 2: 472}


@pytest.mark.data
def test_pandalm_7b_against_the_majority(rows):
    majority = {row["id"]: Counter(row["human"]).most_common(1)[0][0] for row in rows("pandalm/pairs.jsonl")}
    judged = [row for row in rows("pandalm/judgments.jsonl") if row["judge"] == "pandalm-7b"]
    _, table = confusion([(majority[row["id"]], row["verdict"]) for row in judged])
    expected = json.loads((DATA / "EXPECTED.json").read_text())["pandalm"]["values"]["pandalm-7b"]
    assert cohen_kappa(table).value == pytest.approx(expected["cohen_kappa_vs_majority"], abs=5e-7)
    assert 100 * macro_f1(table) == pytest.approx(expected["macro_f1"], abs=5e-5)


def test_perfect_agreement_has_a_lower_end_that_grows_with_the_cases() -> None:
    lows = [careful_kappa([[n, 0], [0, n]]).low for n in (5, 20, 80)]
    assert lows == sorted(lows)
    assert 0 < lows[0] < lows[-1] < 1
    assert careful_kappa([[20, 5], [10, 15]]) == cohen_kappa([[20, 5], [10, 15]])
    assert careful_kappa([[9]]) is None
