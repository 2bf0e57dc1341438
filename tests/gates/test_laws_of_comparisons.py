"""Laws that hold for every comparison with a baseline that there could be."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.gates import judge, parse, recompute

ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}
BINARY = st.sampled_from([0, 1])
GRADED = st.sampled_from([0, 0.1, 0.25, 0.5, 0.6, 0.75, 0.9, 1])
HOLES = st.sampled_from([None, "raise", "fail", "absent"])
MOST = 40


def _pairs(values):
    one = st.lists(st.tuples(values, values), min_size=2, max_size=MOST)
    two = st.tuples(values, values).map(list)
    return one | st.lists(st.tuples(two, two), min_size=2, max_size=MOST)


WHOLE = _pairs(BINARY) | _pairs(GRADED)
HOLED = _pairs(BINARY | HOLES) | _pairs(GRADED | HOLES)
CLAIMS = st.sampled_from(
    [
        "accuracy not worse than baseline by 0.1 @ 95%",
        "accuracy not worse than baseline by 0.4 @ 80%",
        "accuracy better than baseline @ 95%",
        "accuracy better than baseline by 0.1 @ 80%",
        "accuracy no regression vs baseline",
    ]
).map(parse)


@pytest.fixture(scope="session")
def decide(make_suite):
    def decide(gate, pairs):
        base, candidate = ([pair[side] for pair in pairs] for side in (0, 1))
        return judge([gate], make_suite(candidate), baseline=make_suite(base))[0]

    return decide


@given(gate=CLAIMS, pairs=WHOLE)
def test_a_run_against_itself_is_never_worse_and_never_better(decide, gate, pairs):
    found = decide(gate, [(base, base) for base, _ in pairs])
    if gate.baseline.claim == "better":
        # Not better by 0.1 can be shown; better cannot.
        assert found.decision == "inconclusive" or (found.decision == "fail" and gate.baseline.margin)
    else:
        assert found.decision != "fail"
    if gate.baseline.claim == "no regression" and len(pairs) > 1:
        assert found.decision == "pass"


@given(gate=CLAIMS, pairs=HOLED, seed=st.integers(0, 99))
def test_the_order_of_cases_does_not_matter(make_suite, decide, gate, pairs, seed):
    base, candidate = (make_suite([pair[side] for pair in pairs]) for side in (0, 1))
    generator = random.Random(seed)
    mixed = []
    for suite in (base, candidate):
        trials, cases = list(suite.trials), list(suite.cases)
        generator.shuffle(trials)
        generator.shuffle(cases)
        mixed.append(dataclasses.replace(suite, trials=tuple(trials), cases=tuple(cases)))
    (found,) = judge([gate], mixed[1], baseline=mixed[0])
    assert found == decide(gate, pairs)


@given(gate=CLAIMS, pairs=HOLED, data=st.data())
def test_a_value_that_goes_missing_never_makes_a_pass(decide, gate, pairs, data):
    """Nor a fail: what is not known may have been anything."""
    before = decide(gate, pairs)
    position, side = data.draw(st.integers(0, len(pairs) - 1)), data.draw(st.sampled_from([0, 1]))
    hole = data.draw(st.sampled_from([None, "raise"]))
    pair = list(pairs[position])
    pair[side] = [hole, *pair[side][1:]] if isinstance(pair[side], list) else hole
    after = decide(gate, [*pairs[:position], tuple(pair), *pairs[position + 1 :]])
    if before.decision == "inconclusive":
        assert after.decision == "inconclusive" or after.inputs["problem"]


@given(gate=CLAIMS, pairs=HOLED)
def test_a_case_without_a_value_never_makes_a_pass(decide, gate, pairs):
    before = decide(gate, pairs)
    repeated = isinstance(pairs[0][0], list)
    empty = [None, None] if repeated else None
    after = decide(gate, [*pairs, (empty, empty)])
    if before.decision == "inconclusive" and "too few" not in before.reason and "One case" not in before.reason:
        assert after.decision == "inconclusive"


@given(pairs=HOLED, margins=st.tuples(st.integers(1, 99), st.integers(1, 99)))
def test_a_wider_margin_never_worsens_a_verdict(decide, pairs, margins):
    narrow, wide = (
        decide(parse(f"accuracy not worse than baseline by 0.{margin:02} @ 95%"), pairs) for margin in sorted(margins)
    )
    assert ORDER[wide.decision] >= ORDER[narrow.decision]


@given(gate=CLAIMS, pairs=WHOLE)
def test_the_interval_has_the_difference_inside(decide, gate, pairs):
    found = decide(gate, pairs)
    if found.low is not None:
        assert found.low - 1e-9 <= found.observed <= found.high + 1e-9


@given(gate=CLAIMS, pairs=HOLED)
def test_a_record_gives_its_own_verdict_again(decide, gate, pairs):
    found = decide(gate, pairs)
    assert recompute(found) == found


@settings(max_examples=60)
@given(pairs=_pairs(BINARY), data=st.data())
def test_a_better_case_never_worsens_a_verdict_on_right_or_wrong_cases(decide, pairs, data):
    """For one trial a case, where Tango's interval is the whole rule."""
    pairs = [(base[0], after[0]) if isinstance(base, list) else (base, after) for base, after in pairs]
    position = data.draw(st.integers(0, len(pairs) - 1))
    better = [*pairs[:position], (pairs[position][0], 1), *pairs[position + 1 :]]
    for text in ("accuracy not worse than baseline by 0.1 @ 95%", "accuracy better than baseline @ 95%"):
        gate = parse(text)
        assert ORDER[decide(gate, better).decision] >= ORDER[decide(gate, pairs).decision]


@pytest.mark.parametrize("claim", ["no regression vs baseline", "not worse than baseline by 0.9 @ 60%"])
def test_where_no_pair_has_both_values_nothing_is_claimed(decide, claim):
    found = decide(parse(f"accuracy {claim}"), [(0, None)] * 20)
    assert found.decision == "inconclusive"
    assert "nothing to compare" in found.reason
