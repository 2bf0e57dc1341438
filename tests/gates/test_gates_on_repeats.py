"""Gates on repeated trials: that it holds every time, that it ever does, and that runs agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import GateError
from evalkit.gates import check, judge, parse, recompute

ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}


@pytest.fixture(scope="session")
def verdict(make_suite):
    def verdict(text, rows, **fields):
        (found,) = judge([parse(text)], make_suite(rows, **fields))
        return found

    return verdict


@pytest.fixture
def refusal(make_suite):
    def refusal(text, cases=40, *, repeat=1, known=("accuracy",), clusters=None):
        suite = make_suite([[1] * repeat] * cases)
        with pytest.raises(GateError) as caught:
            check([parse(text)], suite.info, suite.cases, known=known, possible=())
        return str(caught.value)

    return refusal


STEADY, SHAKY, NEVER = [1, 1, 1], [1, 0, 1], [0, 0, 0]


@pytest.mark.parametrize(
    ("text", "decision", "observed"),
    [
        ("pass^3 >= 0.8", "pass", 0.8),
        ("pass^3 > 0.8", "fail", 0.8),
        ("pass^3(accuracy) >= 80%", "pass", 0.8),
        ("accuracy.pass^2 >= 0.8", "pass", 0.8 + 0.1 / 3),
        ("pass@3 >= 0.95", "fail", 0.9),
        ("pass@3 >= 0.9", "pass", 0.9),
        ("flake_rate <= 0.05", "fail", 0.1 * 2 / 3),
        ("flake_rate <= 0.07", "pass", 0.1 * 2 / 3),
        ("accuracy.majority >= 0.9", "pass", 0.9),
        ("accuracy.case_min >= 0.9", "fail", 0.8),
        ("accuracy.case_max >= 0.9", "pass", 0.9),
        ("accuracy.case_median >= 0.9", "pass", 0.9),
    ],
)
def test_a_point_gate_on_repeats_is_exact(verdict, text, decision, observed):
    found = verdict(text, [STEADY] * 8 + [SHAKY] + [NEVER])
    assert found.decision == decision
    assert found.observed == pytest.approx(observed)
    assert (found.low, found.high, found.method) == (None, None, "exact")


@pytest.mark.parametrize(
    ("text", "rows", "decision"),
    [
        ("pass^3 >= 0.8 @ 95%", [STEADY] * 38 + [SHAKY] * 2, "pass"),
        ("pass^3 >= 0.9 @ 95%", [STEADY] * 38 + [SHAKY] * 2, "inconclusive"),
        ("pass^3 >= 0.9 @ 95%", [STEADY] * 20 + [SHAKY] * 20, "fail"),
        ("pass@3 >= 0.9 @ 95%", [SHAKY] * 40, "pass"),
        ("flake_rate <= 0.05 @ 95%", [SHAKY] * 20 + [STEADY] * 20, "fail"),
        ("flake_rate <= 0.5 @ 95%", [SHAKY] * 2 + [STEADY] * 38, "pass"),
        ("flake_rate <= 0.05 @ 95%", [SHAKY] * 2 + [STEADY] * 38, "inconclusive"),
        ("accuracy.majority >= 0.9 @ 95%", [SHAKY] * 40, "pass"),
        ("accuracy.case_min >= 0.5 @ 95%", [STEADY] * 38 + [SHAKY] * 2, "pass"),
    ],
)
def test_an_evidence_gate_on_repeats_allows_for_other_cases(verdict, text, rows, decision):
    found = verdict(text, rows)
    assert found.decision == decision
    assert found.low <= found.observed <= found.high


def test_repeats_of_few_cases_are_not_many_cases(verdict):
    """Forty trials of ten cases that are each all right or all wrong are ten cases."""
    rows = [[1] * 4] * 8 + [[0] * 4] * 2
    found = verdict("pass^4 >= 0.5 @ 95%", rows)
    assert found.decision == "inconclusive"
    assert (found.cases, found.trials) == (10, 40)
    assert found.low == pytest.approx(0.4439, abs=5e-5)


def test_a_missing_trial_leaves_open_whether_all_were_right(verdict):
    rows = [STEADY] * 7 + [[1, 1, None]] * 2 + [NEVER]
    found = verdict("pass^3 >= 0.8", rows)
    assert found.decision == "inconclusive"
    assert (found.low, found.high) == (pytest.approx(0.7), pytest.approx(0.9))
    assert verdict("pass^3 >= 0.7", rows).decision == "pass"
    assert verdict("pass^3 >= 0.95", rows).decision == "fail"


def test_a_missing_trial_that_cannot_matter_is_no_obstacle(verdict):
    assert verdict("pass^3 >= 0.8", [STEADY] * 9 + [[1, 0, None]]).decision == "pass"
    assert verdict("pass@3 >= 1", [[1, 0, None]] * 10).decision == "pass"


def test_a_trial_that_raised_did_not_pass(verdict):
    assert verdict("pass^3 >= 0.95", [STEADY] * 9 + [[1, 1, "fail"]]).decision == "fail"
    assert verdict("pass@3 >= 1", [STEADY] * 9 + [[1, 1, "fail"]]).decision == "pass"


def test_an_error_is_never_counted_for_a_low_flake_rate(verdict):
    assert verdict("flake_rate <= 0.05", [STEADY] * 5 + [["fail"] * 3] * 5).decision == "inconclusive"


def test_graded_scores_count_by_their_pass_mark_or_not_at_all(verdict):
    found = verdict("pass^2 >= 0.5", [[0.2, 0.9]] * 20)
    assert found.decision == "fail"
    assert "neither right nor wrong and has no pass mark, so it has no pass^2" in found.reason
    assert verdict("accuracy.case_min >= 0.2", [[0.2, 0.9]] * 20).observed == pytest.approx(0.2)
    assert verdict("accuracy.case_max >= 0.9", [[0.2, 0.9]] * 20).decision == "pass"


def test_too_few_trials_are_said_before_the_run_and_after_it(refusal, verdict):
    text = refusal("pass^5 >= 0.8", repeat=3)
    assert "pass^5 takes at least 5 trials of every case, and the suite runs each 3 times" in text
    assert "Write repeat=5 or more in the suite." in text
    assert "the suite runs each once" in refusal("flake_rate <= 0.05")
    found = verdict("pass^5 >= 0.8", [STEADY] * 20)
    assert found.decision == "fail"
    assert "takes at least 5 trials of every case, and 20 cases have fewer" in found.reason


def test_a_bare_reducer_is_of_the_one_score_there_is(refusal, verdict):
    assert "Write pass^3(polite) or pass^3(right)." in refusal("pass^3 >= 0.8", repeat=3, known=("right", "polite"))
    assert verdict("pass^3 >= 0.8", [STEADY] * 5, score="a/b").decision == "pass"


def test_evidence_that_repeats_cannot_give_is_refused(refusal, make_suite):
    assert "needs at least 36 cases" in refusal("pass^3 >= 0.9 @ 95%", 30, repeat=3)
    assert "needs at least 20 cases" in refusal("flake_rate <= 0.4 @ 95%", 12, repeat=3)
    suite = make_suite([[1, 1, 1]] * 36)
    check([parse("pass^3 >= 0.9 @ 95%")], suite.info, suite.cases, known=("accuracy",), possible=())


def test_a_hint_says_whether_trials_or_cases_would_help(verdict):
    noisy = verdict("accuracy >= 0.6 @ 95%", [[1, 1, 1], [1, 0, 1], [0, 1, 1], [1, 0, 0]] * 6)
    assert "trials a case" in noisy.hint
    uneven = verdict("accuracy >= 0.6 @ 95%", ([[1, 1, 1]] * 2 + [[0, 0, 0]]) * 8 + [[1, 0, 1]])
    assert "more trials of the same cases would help little" in uneven.hint


CELLS = st.lists(
    st.lists(st.sampled_from([0, 1, None, "raise", "fail", "absent"]), min_size=3, max_size=3), min_size=1, max_size=25
)
GATES = st.builds(
    lambda subject, operator, bound, level: parse(f"{subject} {operator} {bound}{level}"),
    st.sampled_from(["pass^2", "pass@3", "pass^3", "flake_rate", "accuracy.majority", "accuracy.case_median"]),
    st.sampled_from([">=", "<=", ">", "<"]),
    st.sampled_from(["0.1", "0.5", "0.9"]),
    st.sampled_from(["", " @ 95%", " @ 80%"]),
)


@given(gate=GATES, rows=CELLS)
def test_a_verdict_on_repeats_comes_out_of_its_record_again(verdict, gate, rows):
    found = verdict(str(gate), rows)
    assert recompute(found) == found


@given(gate=GATES, rows=CELLS, data=st.data())
def test_a_trial_that_goes_missing_never_brings_a_pass(verdict, gate, rows, data):
    before = verdict(str(gate), rows)
    worse = [list(row) for row in rows]
    i, j = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, 2))
    worse[i][j] = data.draw(st.sampled_from([None, "raise", "absent"]))
    if before.decision != "pass":
        assert verdict(str(gate), worse).decision != "pass"


@given(
    rows=st.lists(st.lists(st.sampled_from([0, 1]), min_size=3, max_size=3), min_size=1, max_size=25), data=st.data()
)
def test_a_better_trial_never_worsens_a_point_verdict(verdict, rows, data):
    better = [list(row) for row in rows]
    better[data.draw(st.integers(0, len(rows) - 1))][data.draw(st.integers(0, 2))] = 1
    for text in ("pass^2 >= 0.5", "pass^3 >= 0.5", "pass@2 >= 0.9", "accuracy.majority >= 0.5"):
        assert ORDER[verdict(text, better).decision] >= ORDER[verdict(text, rows).decision]
