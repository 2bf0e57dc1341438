"""Laws that hold for every suite there could be."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.gates import judge, parse, recompute

ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}

BINARY = st.sampled_from([0, 1])
ASSERTIONS = st.booleans()
GRADED = st.one_of(BINARY, st.floats(0, 1).map(lambda x: round(x, 3)))
HOLES = st.sampled_from([None, "raise", "fail", "absent"])
BOUNDS = st.sampled_from(["0.1", "0.3", "0.5", "0.75", "0.9", "0.95"])
MOST = 30


def _one_trial(values):
    return st.lists(values, min_size=1, max_size=MOST)


def _repeats(values):
    return st.integers(2, 4).flatmap(
        lambda k: st.lists(st.lists(values, min_size=k, max_size=k), min_size=1, max_size=MOST)
    )


CELLS = st.one_of(
    _one_trial(ASSERTIONS | HOLES),
    _one_trial(BINARY | HOLES),
    _one_trial(GRADED | HOLES),
    _repeats(BINARY | HOLES),
    _repeats(GRADED | HOLES),
)
GATES = st.builds(
    lambda subject, operator, bound, level: parse(f"{subject} {operator} {bound}{level}"),
    st.sampled_from(["accuracy", "accuracy.mean", "p50(accuracy)", "p95(accuracy)", "median(accuracy)"]),
    st.sampled_from([">=", ">", "<=", "<"]),
    BOUNDS,
    st.sampled_from(["", " @ 95%", " @ 80%"]),
)
POINT_ONLY = st.builds(
    lambda subject, operator, bound: parse(f"{subject} {operator} {bound}"),
    st.sampled_from(["min(accuracy)", "max(accuracy)", "each case: accuracy", "accuracy.sum"]),
    st.sampled_from([">=", "<="]),
    BOUNDS,
)


@pytest.fixture(scope="session")
def decide(make_suite):
    def decide(gate, cells):
        return judge([gate], make_suite(cells))[0]

    return decide


@given(gate=GATES | POINT_ONLY, cells=CELLS, seed=st.integers(0, 99))
def test_the_order_of_trials_does_not_matter(make_suite, gate, cells, seed):
    suite = make_suite(cells)
    trials = list(suite.trials)
    random.Random(seed).shuffle(trials)
    shuffled = dataclasses.replace(suite, trials=tuple(trials))
    (one,), (other,) = judge([gate], suite), judge([gate], shuffled)
    assert one.decision == other.decision
    for mine, theirs in ((one.low, other.low), (one.high, other.high), (one.observed, other.observed)):
        assert mine == theirs or mine == pytest.approx(theirs, rel=1e-9)


@given(gate=GATES | POINT_ONLY, cells=CELLS)
def test_a_verdict_comes_out_of_its_record_again(decide, gate, cells):
    found = decide(gate, cells)
    assert recompute(found) == found


@given(gate=GATES | POINT_ONLY, cells=CELLS)
def test_the_interval_lies_on_the_scale_and_holds_what_was_seen(decide, gate, cells):
    found = decide(gate, cells)
    if gate.statistic == "sum" or found.low is None or found.high is None:
        return
    assert 0 <= found.low <= found.high <= 1
    if found.observed is not None and gate.level is not None:
        assert found.low - 1e-9 <= found.observed <= found.high + 1e-9


@settings(max_examples=400)
@given(gate=GATES | POINT_ONLY, cells=CELLS, data=st.data())
def test_a_value_that_goes_missing_never_brings_a_pass(decide, gate, cells, data):
    """Whatever was not a pass with the value is none without it."""
    before = decide(gate, cells)
    i = data.draw(st.integers(0, len(cells) - 1))
    hole = data.draw(st.sampled_from([None, "raise", "absent"]))
    worse = list(cells)
    if isinstance(cells[i], list):
        row = list(cells[i])
        row[data.draw(st.integers(0, len(row) - 1))] = hole
        worse[i] = row
    else:
        worse[i] = hole
    after = decide(gate, worse)
    if before.decision != "pass":
        assert after.decision != "pass"


@given(
    gate=GATES | POINT_ONLY,
    cells=_one_trial(BINARY | HOLES) | _one_trial(ASSERTIONS | HOLES),
    hole=st.sampled_from([None, "raise", "absent"]),
)
def test_one_more_case_without_a_value_never_brings_a_pass(decide, gate, cells, hole):
    if gate.reduces_by not in ("mean", "rate"):
        return  # a quantile moves to another case when the number of cases changes
    if decide(gate, cells).decision != "pass":
        assert decide(gate, [*cells, hole]).decision != "pass"


@given(gate=GATES | POINT_ONLY, cells=_one_trial(ASSERTIONS | HOLES), data=st.data())
def test_a_better_case_never_worsens_a_verdict(decide, gate, cells, data):
    """For right-or-wrong cases the law holds for every gate; see the next test for graded ones."""
    i = data.draw(st.integers(0, len(cells) - 1))
    better = [*cells[:i], gate.wants_more, *cells[i + 1 :]]
    assert ORDER[decide(gate, better).decision] >= ORDER[decide(gate, cells).decision]


@given(gate=GATES, cells=_one_trial(GRADED) | _repeats(GRADED), data=st.data())
def test_a_better_graded_case_never_worsens_a_point_verdict_or_turns_a_pass_into_a_fail(decide, gate, cells, data):
    """An interval from a spread grows when one case leaves the others behind, so PASS may become INCONCLUSIVE."""
    i = data.draw(st.integers(0, len(cells) - 1))
    best = 1 if gate.wants_more else 0
    better = list(cells)
    better[i] = [best] * len(cells[i]) if isinstance(cells[i], list) else best
    before, after = decide(gate, cells).decision, decide(gate, better).decision
    if gate.level is None:
        assert ORDER[after] >= ORDER[before]
    assert (before, after) != ("pass", "fail")


@given(k=st.integers(0, 40), n=st.integers(1, 40))
def test_more_of_the_same_narrows_the_interval(decide, k, n):
    k = min(k, n)
    gate = parse("accuracy >= 0.5 @ 95%")
    small, large = decide(gate, [1] * k + [0] * (n - k)), decide(gate, ([1] * k + [0] * (n - k)) * 4)
    if small.low is not None:
        assert large.high - large.low < small.high - small.low


@given(cells=CELLS, bound=BOUNDS)
def test_a_pass_with_evidence_is_a_pass_on_these_cases(decide, cells, bound):
    strong, plain = decide(parse(f"accuracy >= {bound} @ 95%"), cells), decide(parse(f"accuracy >= {bound}"), cells)
    if strong.decision == "pass":
        assert plain.decision == "pass"
    if strong.decision == "fail":
        assert plain.decision == "fail"
