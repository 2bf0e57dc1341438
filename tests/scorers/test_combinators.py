"""not_, all_of, any_of, weighted, on: truth tables, names, versions, sync and async alike."""

import asyncio
import threading
import time

import pytest

from evalkit.errors import ScorerError
from evalkit.score import ErrorInfo, Score, scorer
from evalkit_scorers import (
    all_of,
    any_of,
    contains,
    cost,
    edit_distance,
    exact_match,
    json_schema,
    json_valid,
    not_,
    numeric_match,
    on,
    weighted,
)


def says(value, name="says"):
    """A scorer that always gives `value`."""
    return scorer(name=name, version="1", blocking=False)(lambda output: value)


def says_later(value, name="later"):
    async def later(output):
        await asyncio.sleep(0)
        return value

    return scorer(name=name, version="1")(later)


def breaks(output):
    raise RuntimeError("out of order")


YES, NO, OPEN = True, False, None


@pytest.fixture(params=[says, says_later], ids=["sync", "async"])
def giving(request):
    return request.param


@pytest.mark.parametrize(("inner", "outer"), [(YES, NO), (NO, YES), (OPEN, OPEN)])
def test_not(judge, giving, inner, outer):
    assert judge(not_(giving(inner)), "x").passed is outer


@pytest.mark.parametrize(
    ("parts", "both", "either"),
    [
        ((YES, YES), YES, YES),
        ((YES, NO), NO, YES),
        ((NO, YES), NO, YES),
        ((NO, NO), NO, NO),
        ((YES, OPEN), OPEN, YES),
        ((OPEN, YES), OPEN, YES),
        ((NO, OPEN), NO, OPEN),
        ((OPEN, NO), NO, OPEN),
        ((OPEN, OPEN), OPEN, OPEN),
    ],
)
def test_all_of_and_any_of(judge, giving, parts, both, either):
    scorers = [giving(value) for value in parts]
    for combine, passes in ((all_of, both), (any_of, either)):
        score = judge(combine(*scorers), "x")
        assert score.passed is passes
        assert score.status == ("unscored" if passes is None else "scored")


def test_parts_may_be_plain_functions_and_a_mixture_of_sync_and_async(judge):
    def short(output):
        return len(output) < 5

    async def polite(output):
        return "please" in output

    mixed = any_of(short, polite)
    assert mixed.is_async
    assert mixed.name == "short_or_polite"
    assert judge(mixed, "x").passed is True
    assert judge(mixed, "long, please").passed is True
    assert judge(mixed, "much too long").passed is False


def test_pass_marks_count_inside_and_outside(judge):
    near = edit_distance() >= 0.6
    assert judge(all_of(near), "abc", "abd").passed is True
    assert judge(not_(near), "abc", "abd").passed is False
    assert judge(all_of(near), "abc", "xyz").explanation == "edit_distance: 3 edits in 3 characters"
    mean = weighted((exact_match(), 1), (edit_distance(), 1))
    assert judge(mean >= 0.3, "abc", "abd").passed is True
    assert judge(mean >= 0.4, "abc", "abd").passed is False


def test_a_number_or_a_label_neither_passes_nor_fails(judge):
    with pytest.raises(ValueError, match=r"number without a pass mark.*edit_distance >= 0\.8"):
        judge(all_of(edit_distance()), "a", "b")
    with pytest.raises(ValueError, match="a label"):
        judge(not_(says("polite")), "x")


def test_all_scores_of_a_part_have_to_pass(judge):
    assert judge(all_of(says({"a": True, "b": False})), "x").passed is False
    assert judge(all_of(says({"a": True, "b": True})), "x").passed is True
    assert judge(not_(says({"a": True, "b": False})), "x").passed is True


def test_a_part_that_raises_makes_the_whole_an_error():
    for combined in (not_(breaks), all_of(breaks, says(True)), any_of(breaks, says(True)), weighted((breaks, 1))):
        with pytest.raises(RuntimeError, match="out of order"):
            combined(output="x")


def test_a_part_that_returns_an_error_makes_the_whole_an_error(judge, giving):
    error = Score(status="error", error=ErrorInfo(type="Timeout", message="too slow"), explanation="Timeout: too slow")
    for combine in (not_, all_of, any_of, lambda part: weighted((part, 1))):
        score = judge(combine(giving(error)), "x")
        assert (score.status, score.passed, score.value) == ("error", None, None)
        assert score.error.message == "too slow"


def test_what_decides_ends_it():
    asked = []

    def tells(name, value):
        def tell(output):
            asked.append(name)
            return value

        return scorer(name=name)(tell)

    all_of(tells("a", True), tells("b", False), tells("c", True))(output="x")
    assert asked == ["a", "b"]
    asked.clear()
    any_of(tells("a", False), tells("b", True), tells("c", False))(output="x")
    assert asked == ["a", "b"]


@pytest.mark.parametrize(
    ("pairs", "value"),
    [
        ([(True, 3), (0.0, 1)], 0.75),
        ([(0.5, 1), (1.0, 1)], 0.75),
        ([(10, 2), (True, 0)], 10.0),
        ([(-1.0, 1), (1.0, 3)], 0.5),
        ([(True, 1), (None, 1)], None),
    ],
)
def test_weighted(judge, giving, pairs, value):
    score = judge(weighted(*[(giving(given), weight) for given, weight in pairs]), "x")
    assert score.value == value
    assert score.kind == "score"


def test_weighted_shows_its_parts(judge):
    score = judge(weighted((exact_match(), 3), (edit_distance(), 1)), "abc", "abd")
    assert score.explanation == "exact_match 0 × 3, edit_distance 0.667 × 1"


@pytest.mark.parametrize("value", ["label", {"a": 1, "b": 2}])
def test_weighted_needs_one_number_from_each(judge, value):
    with pytest.raises(ValueError, match="one number"):
        judge(weighted((says(value), 1)), "x")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: all_of(), "no scorers"),
        (lambda: all_of([exact_match()]), "all_of(*scorers)"),
        (lambda: any_of(exact_match), "Write exact_match()"),
        (lambda: not_(5), "cannot be called"),
        (lambda: not_(), "missing"),
        (lambda: weighted(exact_match()), "pairs"),
        (lambda: weighted((exact_match(), -1)), "at least 0"),
        (lambda: weighted((exact_match(), "2")), "number"),
        (lambda: weighted((exact_match(), 0)), "add up to zero"),
        (lambda: weighted(), "no scorers"),
        (lambda: on("", exact_match()), "no path"),
        (lambda: on("a", cost()), "does not look at the output"),
        (lambda: on("a", exact_match), "Write exact_match()"),
        (lambda: on("a", exact_match(), expect="b"), 'no option "expect". Did you mean "expected"'),
    ],
)
def test_wrong_combinations(make, text):
    with pytest.raises(ScorerError) as caught:
        make()
    assert text in str(caught.value)


def test_names_say_what_was_combined_and_are_words_that_a_gate_can_name():
    names = [
        not_(exact_match()).name,
        all_of(exact_match(), json_valid()).name,
        any_of(exact_match(), contains()).name,
        weighted((exact_match(), 1), (edit_distance(), 1)).name,
        on("answer.value", numeric_match()).name,
        on(["a.b", "c"], exact_match()).name,
        on(str.strip, exact_match()).name,
        on(lambda output: output, exact_match()).name,
        all_of(*[exact_match()] * 9).name,
        all_of(exact_match().named("is it?")).name,
    ]
    assert names == [
        "not_exact_match",
        "exact_match_and_json_valid",
        "exact_match_or_contains",
        "weighted_exact_match_edit_distance",
        "numeric_match_answer_value",
        "exact_match_a_b_c",
        "exact_match_strip",
        "exact_match_part",
        "exact_match_and_8_more",
        "is_it",
    ]
    assert all(name.isidentifier() for name in names)
    assert not_(exact_match()).named("differs").name == "differs"


def test_versions_follow_the_parts():
    same = [all_of(exact_match(), json_valid()).version for _ in range(2)]
    assert same[0] == same[1]
    different = [
        *same[:1],
        all_of(json_valid(), exact_match()).version,
        all_of(exact_match(strip=True), json_valid()).version,
        all_of(exact_match() >= 1, json_valid()).version,
        any_of(exact_match(), json_valid()).version,
        weighted((exact_match(), 1), (json_valid(), 1)).version,
        weighted((exact_match(), 1), (json_valid(), 2)).version,
        on("a", exact_match()).version,
        on("b", exact_match()).version,
        on("a", exact_match(), expected="b").version,
        on("a", exact_match(strip=True)).version,
    ]
    assert len(set(different)) == len(different)


def test_what_the_parts_need_is_what_the_whole_needs():
    assert all_of(exact_match(), json_valid()).needs == ("output", "expected")
    assert all_of(exact_match(), json_valid()).requires_expected
    assert not all_of(json_valid(), contains("x")).requires_expected
    assert contains("x").needs == all_of(json_valid(), contains("x")).needs == ("output",)
    assert any_of(cost() <= 1, json_valid()).needs == ("output", "trace")
    assert not all_of(exact_match(), json_valid()).blocking
    assert all_of(exact_match(), breaks).blocking


def test_a_part_that_waits_does_not_hold_up_the_event_loop():
    threads = []

    def waits(output):
        threads.append(threading.current_thread())
        time.sleep(0.05)
        return True

    combined = all_of(waits, says_later(True))
    assert asyncio.run(combined(output="x")).passed is True
    assert threads[0] is not threading.main_thread()


def test_a_hidden_awaitable_is_an_error_and_leaves_no_warning():
    async def later(output):
        return True

    hidden = scorer(name="hidden")(lambda output: later(output))
    with pytest.raises(TypeError, match="async def"):
        all_of(hidden)(output="x")


NESTED = {"answer": {"value": 3, "unit": "km"}, "items": [{"price": 1}, {"price": 2}]}


@pytest.mark.parametrize(
    ("field", "inner", "options", "output", "expected", "passes"),
    [
        ("answer.value", numeric_match(), {}, NESTED, NESTED, True),
        ("answer.value", numeric_match(), {}, NESTED, 3, True),
        ("answer.value", numeric_match(), {}, NESTED, {"answer": {"value": 4}}, False),
        ("items.1.price", numeric_match(), {}, NESTED, 2, True),
        ("items.-1.price", numeric_match(), {}, NESTED, 2, True),
        ("items.7.price", numeric_match(), {}, NESTED, 2, False),
        ("answer.unit", exact_match(), {}, '{"answer": {"unit": "km"}}', "km", True),
        ("answer.unit", exact_match(), {}, '```json\n{"answer": {"unit": "km"}}\n```', "km", True),
        ("answer.unit", exact_match(), {}, "not json", "km", False),
        ("answer", json_schema({"required": ["value"]}), {}, NESTED, None, True),
        ("answer.unit", exact_match(), {"expected": "u"}, NESTED, {"u": "km"}, True),
        ("answer.unit", exact_match(), {"expected": str.lower}, NESTED, "KM", True),
        (["a.b"], exact_match(), {}, {"a.b": "x"}, "x", True),
        (lambda text: text.rpartition("is ")[2], exact_match(), {}, "it is Paris", "Paris", True),
        (lambda output: output["answer"]["unit"], contains("k"), {}, NESTED, None, True),
    ],
)
def test_on_a_part(judge, giving, field, inner, options, output, expected, passes):
    if giving is says_later:
        inner = all_of(inner, says_later(True))
    assert judge(on(field, inner, **options), output, expected).passed is passes


def test_on_where_expected_lacks_the_field_is_unscored(judge):
    assert judge(on("b", exact_match()), {"b": 1}, {"a": 1}).status == "unscored"


def test_on_keeps_the_pass_mark(judge):
    near = on("name", edit_distance() >= 0.9)
    assert near.pass_mark == (">=", 0.9)
    assert judge(near, {"name": "abc"}, "abd").passed is False
    assert judge(near >= 0.5, {"name": "abc"}, "abd").passed is True


def test_everything_nests(judge):
    scorer = not_(any_of(on("a", exact_match()), weighted((on("b", edit_distance()), 1), (json_valid(), 1)) >= 0.9))
    assert judge(scorer, {"a": "x", "b": "y"}, {"a": "q", "b": "z"}).passed is True
    assert judge(scorer, {"a": "q", "b": "y"}, {"a": "q", "b": "z"}).passed is False
