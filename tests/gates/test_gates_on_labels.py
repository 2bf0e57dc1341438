"""F1, Matthews' correlation and κ of the labels that a scorer gives, beside those that cases expect."""

from __future__ import annotations

import dataclasses
import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.errors import GateError, MissingExtra
from evalkit.gates import check, judge, parse, recompute
from evalkit.score import Score

FIGURES = ("f1", "mcc", "kappa")


def labels_suite(make_suite, pairs, *, repeat=1, **options):
    """A suite of `(expected, given)` cases; given may be any cell of `make_suite`, or a list of them."""

    def cell(given):
        if isinstance(given, list):
            return [cell(one) for one in given]
        if isinstance(given, bool):
            return Score(name="intent", value=given, scorer="intent")
        if isinstance(given, str) and given not in ("raise", "fail", "absent"):
            return Score(name="intent", label=given, scorer="intent")
        return given

    suite = make_suite([cell(given) for _, given in pairs], score="intent", **options)
    cases = tuple(
        dataclasses.replace(case, expected=expected) for case, (expected, _) in zip(suite.cases, pairs, strict=True)
    )
    return dataclasses.replace(suite, cases=cases)


@pytest.fixture
def decide(make_suite):
    def decide(text, pairs, **options):
        return judge([parse(text)], labels_suite(make_suite, pairs, **options))[0]

    return decide


@pytest.fixture
def compare(make_suite):
    """The verdict of a gate against a baseline, on `(expected, before, after)`."""

    def compare(text, triples):
        base, candidate = (labels_suite(make_suite, [(row[0], row[side]) for row in triples]) for side in (1, 2))
        return judge([parse(text)], candidate, baseline=base)[0]

    return compare


def table(cells):
    return [pair for pair, count in cells.items() for _ in range(count)]


REFERENCE = table({("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15})
"""The table of `design/statistics.md`: κ 0.4 and MCC 0.4082482905, as psych, statsmodels and scikit-learn have them."""


def test_the_figures_are_those_of_the_reference_tables(decide):
    assert decide("intent.kappa >= 0.4", REFERENCE).observed == pytest.approx(0.4, abs=1e-12)
    assert decide("intent.kappa >= 0.4", REFERENCE).decision == "pass"
    assert decide("intent.mcc >= 0.4", REFERENCE).observed == pytest.approx(0.4082482905, abs=5e-11)
    assert decide("intent.f1 >= 0.4", REFERENCE).observed == pytest.approx((40 / 55 + 30 / 45) / 2)


def test_the_interval_is_a_bca_bootstrap_over_cases(decide):
    """Those of `scipy.stats.bootstrap` on the 50 pairs are 0.134 to 0.639 and 0.131 to 0.639; ours bear one more answer."""
    kappa, mcc = (decide(f"intent.{name} >= 0.1 @ 95%", REFERENCE) for name in ("kappa", "mcc"))
    assert kappa.method == mcc.method == "BCa bootstrap"
    assert 0.07 < kappa.low < 0.134
    assert 0.639 < kappa.high < 0.66
    assert 0.07 < mcc.low < 0.131
    assert kappa.decision == "pass" if kappa.low >= 0.1 else "inconclusive"


def test_f1_of_yes_or_no_is_that_of_true(decide):
    cells = table({(True, True): 6, (True, False): 2, (False, True): 2, (False, False): 90})
    assert decide("intent.f1 >= 0.7", cells).observed == pytest.approx(0.75)
    told = decide("intent.f1 >= 0.9", cells)
    assert "macro" not in told.reason


def test_f1_of_several_labels_is_the_mean_over_those_that_cases_expect(decide):
    cells = table({("a", "a"): 8, ("a", "b"): 2, ("b", "b"): 5, ("b", "a"): 5, ("c", "c"): 9, ("c", "never seen"): 1})
    found = decide("intent.f1 >= 0.5", cells)
    assert found.observed == pytest.approx((16 / 23 + 10 / 17 + 18 / 19) / 3)
    assert "F1 is the mean over the 3 labels that cases expect (macro-F1)" in found.reason


def test_thirty_right_answers_are_no_proof_of_perfection(decide):
    """The resamples of cases that are all right are all right, so a bare bootstrap would pass any bound."""
    perfect = table({("a", "a"): 15, ("b", "b"): 15})
    found = decide("intent.f1 >= 0.95 @ 95%", perfect)
    assert found.decision == "inconclusive"
    assert found.observed == 1
    assert found.low < 0.92
    assert decide("intent.f1 >= 0.7 @ 95%", perfect).decision == "pass"


def test_fewer_than_thirty_cases_have_no_interval(decide):
    found = decide("intent.mcc >= 0.1 @ 95%", REFERENCE[::2][:25])
    assert found.decision == "inconclusive"
    assert "25 cases are too few" in found.reason
    assert "it takes 30" in found.reason


def test_evidence_on_too_few_cases_is_refused_before_a_run(make_suite):
    suite = labels_suite(make_suite, REFERENCE[:29])
    with pytest.raises(GateError, match="at least 30 cases, and the suite has 29"):
        check([parse("intent.f1 >= 0.5 @ 95%")], suite.info, suite.cases, known=["intent"], possible=())
    check([parse("intent.f1 >= 0.5")], suite.info, suite.cases, known=["intent"], possible=())


def test_without_scipy_an_interval_is_refused_before_a_run(make_suite, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    suite = labels_suite(make_suite, REFERENCE)
    with pytest.raises(MissingExtra, match=r"needs the package scipy"):
        check([parse("intent.f1 >= 0.5 @ 95%")], suite.info, suite.cases, known=["intent"], possible=())
    assert judge([parse("intent.f1 >= 0.5")], suite)[0].decision == "pass"


def test_the_true_label_may_stand_in_a_dict_or_be_named_by_the_score(make_suite):
    inside = [({"intent": expected, "lang": "de"}, given) for expected, given in REFERENCE]
    assert judge([parse("intent.kappa >= 0.4")], labels_suite(make_suite, inside))[0].decision == "pass"
    scores = [
        Score(name="intent", label=given, metadata={"expected": expected}, scorer="intent")
        for expected, given in REFERENCE
    ]
    assert judge([parse("intent.kappa >= 0.4")], make_suite(scores, score="intent"))[0].observed == pytest.approx(0.4)


def test_a_scorer_that_spells_the_true_labels_itself_is_taken_at_its_word(make_suite):
    """The case says 2, the scorer C: a trial that failed must not make a third label of the 2."""
    from evalkit_scorers import multiple_choice

    scorer = multiple_choice()
    cells = [
        dataclasses.replace(scorer(output=given, expected=expected), name="intent", scorer="intent")
        for expected, given in [(0, "(A)"), (2, "(C)"), (2, "(A)"), (0, "no idea")] * 5
    ]
    suite = labels_suite(make_suite, [(None, cell) for cell in [*cells, "fail"]])
    cases = [dataclasses.replace(case, expected=2 * (i % 4 in (1, 2))) for i, case in enumerate(suite.cases)]
    found = judge([parse("intent.f1 >= 0.1")], dataclasses.replace(suite, cases=tuple(cases)))[0]
    assert "the 2 labels that cases expect" in found.reason
    assert found.observed == pytest.approx((10 / 21 * 2 / 2 + 10 / 15) / 2)
    given = {given for unit in found.inputs["labels"]["units"] for _, given, _ in unit["sides"][0]}
    assert given == {"A", "C", "(no answer)"}


def test_a_score_that_is_only_right_or_wrong_has_no_labels(decide):
    found = decide("intent.f1 >= 0.5", [("spam", True), ("ham", False)] * 20)
    assert found.decision == "fail"
    assert "says whether an answer was right, not which label it was (such as ham, spam)" in found.reason
    assert "label_match()" in found.hint


def test_numbers_free_text_and_one_label_for_all_have_no_such_figure(decide):
    assert "gives numbers, not labels" in decide("intent.f1 >= 0.5", [("a", 0.5), ("b", 0.25)]).reason
    many = decide("intent.f1 >= 0.5", [(f"text {i}", f"text {i}") for i in range(120)])
    assert (many.decision, "free text" in many.reason) == ("fail", True)
    same = decide("intent.mcc >= 0.5", [("a", "a")] * 40)
    assert (same.decision, "Every case expects the same label, a" in same.reason) == ("fail", True)
    none = decide("intent.f1 >= 0.5", [(None, "a")] * 40)
    assert (none.decision, "No case says which label" in none.reason) == ("fail", True)


def test_one_label_for_every_case_agrees_no_more_than_chance(decide):
    found = decide("intent.mcc >= 0.1", [("a", "a"), ("b", "a")] * 20)
    assert (found.decision, found.observed) == ("fail", 0)


def test_a_function_that_raised_gave_a_wrong_answer(decide):
    right = [("a", "a"), ("b", "b")] * 20
    found = decide("intent.f1 >= 0.9", [*right[:-1], ("b", "fail")])
    assert found.observed == pytest.approx((1 + 38 / 39) / 2)
    assert "1 trial whose function raised counts as wrong." in found.reason


def test_missing_labels_are_tried_both_ways(decide):
    right = [("a", "a"), ("b", "b")] * 20
    found = decide("intent.f1 >= 0.98", [*right[:-1], ("b", "raise")])
    assert found.decision == "inconclusive"
    assert found.low < 0.98 < found.high
    assert decide("intent.f1 >= 0.9", [*right[:-1], ("b", "raise")]).decision == "pass"
    assert decide("intent.f1 >= 0.9 @ 95%", [*right[:-1], ("b", None)]).decision == "inconclusive"


def test_a_case_without_a_true_label_may_be_anything(decide):
    found = decide("intent.kappa >= 0.1", [*REFERENCE, (None, "yes")])
    assert found.decision == "inconclusive"
    assert "1 case has no right label" in found.reason
    assert "Give every case an `expected`" in found.hint


def test_repeats_are_one_case(decide):
    once = decide("intent.kappa >= 0.1 @ 95%", REFERENCE)
    thrice = decide("intent.kappa >= 0.1 @ 95%", [(expected, [given] * 3) for expected, given in REFERENCE])
    assert (once.low, once.high, once.observed) == (thrice.low, thrice.high, thrice.observed)


def test_clusters_take_the_place_of_cases(make_suite):
    pairs = REFERENCE * 2
    metadata = [{"doc": i % 40} for i in range(len(pairs))]
    suite = labels_suite(make_suite, pairs, metadata=metadata)
    info = dataclasses.replace(suite.info, metadata={"evalkit.cluster": "doc"})
    from evalkit.case import CLUSTER

    clustered = dataclasses.replace(suite, info=dataclasses.replace(info, metadata={CLUSTER: "doc"}))
    plain, grouped = (judge([parse("intent.kappa >= 0.1 @ 95%")], one)[0] for one in (suite, clustered))
    assert plain.observed == grouped.observed
    assert (plain.low, plain.high) != (grouped.low, grouped.high)


def test_slices_have_their_own_figure(make_suite):
    metadata = [{"lang": "de" if i % 2 else "en"} for i in range(len(REFERENCE))]
    suite = labels_suite(make_suite, REFERENCE, metadata=metadata)
    found = judge([parse("intent[lang=de].kappa >= 0.1")], suite)[0]
    assert found.cases == 25
    assert recompute(found) == found


def test_a_gate_that_one_case_would_turn_over_is_fragile(decide):
    right = [("a", "a"), ("b", "b")] * 20
    assert decide("intent.f1 >= 0.97", [*right[:-1], ("b", "a")]).fragile
    assert not decide("intent.f1 >= 0.5", right).fragile


# against a baseline


def test_a_better_classifier_is_better_and_a_worse_one_is_worse(compare):
    triples = [("a", "a" if i % 3 else "b", "a") for i in range(60)] + [("b", "b", "b")] * 60
    assert compare("intent.f1 better than baseline @ 95%", triples).decision == "pass"
    worse = [(true, after, before) for true, before, after in triples]
    found = compare("intent.f1 no regression vs baseline", worse)
    assert found.decision == "fail"
    assert "0 improved, 20 regressed, 100 stayed" in found.reason
    assert compare("intent.mcc not worse than baseline by 0.05 @ 95%", worse).decision == "fail"


def test_nothing_changed_in_forty_cases_is_no_proof_of_equality(compare):
    """Every resample of pairs without a change has a difference of 0; that is no interval."""
    same = [("a", "a", "a"), ("b", "b", "b")] * 20
    found = compare("intent.f1 not worse than baseline by 0.02 @ 95%", same)
    assert found.decision == "inconclusive"
    assert found.low < -0.02 < 0 < found.high
    assert compare("intent.f1 not worse than baseline by 0.2 @ 95%", same).decision == "pass"
    assert compare("intent.f1 no regression vs baseline", same).decision == "pass"


def test_too_few_pairs_and_missing_ones(compare):
    few = [("a", "a", "a"), ("b", "b", "b")] * 10
    assert "too few" in compare("intent.f1 not worse than baseline by 0.2 @ 95%", few).reason
    holes = [("a", "a", "a"), ("b", "b", "b")] * 20 + [("a", "a", "raise")] * 20
    found = compare("intent.f1 not worse than baseline by 0.2 @ 95%", holes)
    assert found.decision == "inconclusive"
    assert "20 pairs of 60 lack a value" in found.reason
    assert recompute(found) == found


# laws

LABEL = st.sampled_from(["a", "b", "c"])
CELLS = st.lists(st.tuples(LABEL, LABEL | st.sampled_from([None, "raise", "fail", "absent"])), min_size=1, max_size=45)
LABEL_GATES = st.builds(
    lambda name, operator, bound, level: parse(f"intent.{name} {operator} {bound}{level}"),
    st.sampled_from(FIGURES),
    st.sampled_from([">=", ">", "<="]),
    st.sampled_from(["0", "0.2", "0.5", "0.75", "0.9"]),
    st.sampled_from(["", " @ 95%", " @ 80%"]),
)
LAWS = settings(max_examples=60)


@LAWS
@given(gate=LABEL_GATES, cells=CELLS, seed=st.integers(0, 99))
def test_the_order_of_labelled_cases_does_not_matter(make_suite, gate, cells, seed):
    suite = labels_suite(make_suite, cells)
    trials, cases = list(suite.trials), list(suite.cases)
    random.Random(seed).shuffle(trials)
    random.Random(seed + 1).shuffle(cases)
    shuffled = dataclasses.replace(suite, trials=tuple(trials), cases=tuple(cases))
    one, other = judge([gate], suite)[0], judge([gate], shuffled)[0]
    assert (one.decision, one.low, one.high, one.observed) == (other.decision, other.low, other.high, other.observed)
    assert recompute(one) == one


@LAWS
@given(gate=LABEL_GATES, cells=CELLS, hole=st.sampled_from([None, "raise", "absent"]), true=LABEL)
def test_a_missing_label_never_turns_inconclusive_into_a_pass(make_suite, gate, cells, hole, true):
    before = judge([gate], labels_suite(make_suite, cells))[0]
    after = judge([gate], labels_suite(make_suite, [*cells, (true, hole)]))[0]
    if before.decision == "inconclusive" and gate.level is None:
        assert after.decision != "pass"
    if before.decision == "inconclusive" and len(cells) >= 30:
        assert after.decision != "pass"


@LAWS
@given(gate=LABEL_GATES, cells=CELLS, data=st.data())
def test_a_label_that_goes_missing_never_brings_a_pass(make_suite, gate, cells, data):
    i = data.draw(st.integers(0, len(cells) - 1))
    before = judge([gate], labels_suite(make_suite, cells))[0]
    hole = (cells[i][0], data.draw(st.sampled_from([None, "raise", "absent"])))
    after = judge([gate], labels_suite(make_suite, [*cells[:i], hole, *cells[i + 1 :]]))[0]
    if before.decision == "inconclusive":
        assert after.decision != "pass"


@LAWS
@given(gate=LABEL_GATES, cells=CELLS)
def test_the_bounds_hold_every_way_to_fill_in_what_is_missing(make_suite, gate, cells):
    """The bounds are safe, not always reached: whatever a label might have been, the figure lies between them."""
    from evalkit.stats.columns import read
    from evalkit.stats.labels import bounds_of, counts_of, figure_of, units_of

    def counts(pairs):
        return counts_of(units_of([(read(labels_suite(make_suite, pairs)), "intent")], failed_as_wrong=True))

    low, high = bounds_of(gate.reduces_by, counts(cells))
    for filled in ("a", "b", "c", "other"):
        whole = [(true, filled if given in (None, "raise", "absent") else given) for true, given in cells]
        value = figure_of(gate.reduces_by, counts(whole))
        assert value is None or float(low) - 1e-12 <= value <= float(high) + 1e-12


@LAWS
@given(cells=CELLS, name=st.sampled_from(FIGURES), level=st.sampled_from(["80", "95", "99"]))
def test_the_interval_of_labels_lies_on_the_scale_around_what_was_seen(make_suite, cells, name, level):
    found = judge([parse(f"intent.{name} >= 0.5 @ {level}%")], labels_suite(make_suite, cells))[0]
    if found.low is not None:
        assert (0 if name == "f1" else -1) <= found.low <= found.observed <= found.high <= 1


@given(gate=LABEL_GATES)
def test_a_gate_on_labels_is_read_back_as_it_is_written(gate):
    assert parse(str(gate)) == gate


@settings(max_examples=15)
@given(cells=st.lists(st.tuples(LABEL, LABEL), min_size=30, max_size=45), name=st.sampled_from(FIGURES))
def test_a_run_against_itself_is_never_a_regression_of_labels(make_suite, cells, name):
    suite = labels_suite(make_suite, cells)
    found = judge([parse(f"intent.{name} no regression vs baseline")], suite, baseline=suite)[0]
    assert found.decision != "fail" or found.inputs["problem"]
