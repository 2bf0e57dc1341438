"""tool_call_match and trajectory_match: the forms that are read, and the four modes."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import ScorerError
from evalkit_scorers import tool_call_match, trajectory_match
from evalkit_scorers.tool_calls import tool_calls_of
from evalkit_scorers.trajectory import difference

ARGUMENTS = {"city": "Paris", "days": 2}
FORMS = {
    "openai": [
        {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": json.dumps(ARGUMENTS)}}
    ],
    "openai message": {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"function": {"name": "weather", "arguments": json.dumps(ARGUMENTS)}}],
    },
    "responses": [{"type": "function_call", "call_id": "c", "name": "weather", "arguments": json.dumps(ARGUMENTS)}],
    "anthropic block": {"type": "tool_use", "id": "t", "name": "weather", "input": ARGUMENTS},
    "anthropic message": {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "Let me see."},
            {"type": "tool_use", "id": "t", "name": "weather", "input": ARGUMENTS},
        ],
    },
    "gemini": [{"functionCall": {"name": "weather", "args": ARGUMENTS}}],
    "gemini message": {
        "role": "model",
        "parts": [{"text": "hm"}, {"functionCall": {"name": "weather", "args": ARGUMENTS}}],
    },
    "name and arguments": {"name": "weather", "arguments": ARGUMENTS},
    "arguments by name": {"weather": ARGUMENTS},
    "arguments by name, as text": [{"weather": json.dumps(ARGUMENTS)}],
    "JSON text": json.dumps([{"name": "weather", "arguments": ARGUMENTS}]),
    "conversation": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "tool_calls": [{"function": {"name": "weather", "arguments": json.dumps(ARGUMENTS)}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "assistant", "content": "Sunny."},
    ],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_usual_form_says_the_same_call(form):
    (call,) = tool_calls_of(form)
    assert call.name == "weather"
    assert dict(call.arguments) == ARGUMENTS
    assert tool_call_match()(output=form, expected={"weather": {"days": 2.0, "city": "Paris"}}) is True
    assert tool_call_match()(output=[{"weather": ARGUMENTS}], expected=form) is True


@pytest.mark.parametrize("nothing", [None, [], "", {}, {"tool_calls": None}, {"role": "assistant", "content": "Hello"}])
def test_no_calls(judge, nothing):
    assert tool_calls_of(nothing) == []
    assert judge(tool_call_match(), nothing, []).passed is True
    assert judge(tool_call_match(), nothing, ["search"]).passed is False


def test_two_calls_in_one_dict_and_names_alone():
    assert [call.name for call in tool_calls_of({"a": {}, "b": {"x": 1}})] == ["a", "b"]
    assert [call.name for call in tool_calls_of(["a", "b"])] == ["a", "b"]


@pytest.mark.parametrize("odd", [5, [5], {"a": 5}, "[1", "{no}", True])
def test_what_is_no_tool_call_is_an_error(odd):
    with pytest.raises(TypeError, match="no tool call"):
        tool_calls_of(odd)


A, B, C = {"a": {}}, {"b": {}}, {"c": {}}


@pytest.mark.parametrize(
    ("expected", "found", "strict", "unordered", "subset", "superset"),
    [
        ([A, B], [A, B], True, True, True, True),
        ([A, B], [B, A], False, True, True, True),
        ([A, B], [A], False, False, True, False),
        ([A, B], [A, B, C], False, False, False, True),
        ([A, B], [C], False, False, False, False),
        ([A], [A, A], False, False, False, True),
        ([A, A], [A], False, False, True, False),
        ([], [], True, True, True, True),
        ([], [A], False, False, False, True),
        ([A], [], False, False, True, False),
    ],
)
def test_modes(judge, expected, found, strict, unordered, subset, superset):
    wanted = {"strict": strict, "unordered": unordered, "subset": subset, "superset": superset}
    for mode, passes in wanted.items():
        assert judge(tool_call_match(mode), found, expected).passed is passes, mode
        assert judge(trajectory_match(mode), found, expected).passed is passes, mode


@pytest.mark.parametrize(
    ("arguments", "expected", "found", "passes"),
    [
        ("exact", {"x": 1}, {"x": 1.0}, True),
        ("exact", {"x": 1}, {"x": True}, False),
        ("exact", {"x": 1}, {"x": 1, "y": 2}, False),
        ("exact", {}, {}, True),
        ("subset", {"x": 1}, {"x": 1, "y": 2}, True),
        ("subset", {"x": 1, "y": 2}, {"x": 1}, False),
        ("subset", {"x": None}, {}, False),
        ("ignore", {"x": 1}, {"x": 9}, True),
        (lambda expected, found: found["x"] in expected["x"], {"x": [1, 2]}, {"x": 2}, True),
        (lambda expected, found: found["x"] in expected["x"], {"x": [1, 2]}, {"x": 3}, False),
    ],
)
def test_arguments(judge, arguments, expected, found, passes):
    assert judge(tool_call_match(arguments=arguments), [{"f": found}], [{"f": expected}]).passed is passes


def test_a_name_alone_asks_for_no_arguments_in_particular(judge):
    assert judge(tool_call_match(), [{"f": {"x": 1}}], ["f"]).passed is True
    assert judge(tool_call_match(), ["f"], [{"f": {"x": 1}}]).passed is False


def test_arguments_that_are_not_json_are_wrong_but_still_a_call(judge):
    broken = [{"function": {"name": "f", "arguments": '{"x": '}}]
    score = judge(tool_call_match(), broken, [{"f": {"x": 1}}])
    assert score.passed is False
    assert "arguments that are not JSON" in score.explanation
    assert judge(tool_call_match(arguments="ignore"), broken, [{"f": {"x": 1}}]).passed is True
    assert judge(tool_call_match(), [{"f": "[1]"}], [{"f": {"x": 1}}]).passed is False
    assert judge(tool_call_match(), [{"f": ""}], [{"f": {}}]).passed is True


def test_the_first_difference_is_named(judge):
    expected, found = [{"f": {"x": 1}}, {"g": {}}], [{"f": {"x": 2}}]
    assert judge(tool_call_match(), found, expected).explanation == "step 1: expected f(x=1), found f(x=2)"
    assert judge(tool_call_match(), [], expected).explanation == "step 1: expected f(x=1), found no more"
    assert (
        judge(tool_call_match(), [*expected, {"h": {}}], expected).explanation == "step 3: expected no more, found h()"
    )
    both = judge(tool_call_match("unordered"), found, expected).explanation
    assert both == "lacks f(x=1), g(); has f(x=2) beyond what was expected"


def test_a_picky_expected_call_is_not_robbed_of_its_only_match(judge):
    # Taken in order, the name alone would use up f(x=1), and nothing would be left for the second.
    scorer = tool_call_match("unordered")
    assert judge(scorer, [{"f": {"x": 1}}, {"f": {"x": 2}}], ["f", {"f": {"x": 1}}]).passed is True


@given(st.lists(st.lists(st.integers(0, 4), max_size=4), max_size=4), st.integers(0, 5))
def test_the_pairing_is_as_large_as_trying_all_of_them(choices, size):
    found = list(range(size))
    largest = max(
        sum(place in allowed for allowed, place in zip(choices, order, strict=False))
        for order in itertools.permutations([*found, *[-1] * len(choices)], len(choices))
    )
    fault = difference(choices, found, lambda allowed, place: place in allowed, "superset")
    assert (fault is None) == (largest == len(choices))


@given(st.lists(st.sampled_from("abc")), st.randoms())
def test_laws_of_the_modes(steps, random):
    shuffled = steps[:]
    random.shuffle(shuffled)
    assert trajectory_match()(output=steps, expected=steps) is True
    assert trajectory_match("unordered")(output=shuffled, expected=steps) is True
    assert trajectory_match("subset")(output=shuffled[1:], expected=steps) is True
    assert trajectory_match("superset")(output=[*shuffled, "d"], expected=steps) is True


def test_a_key_compares_a_part_of_each_step(judge):
    found = [{"action": {"name": "search"}, "took": 1.2}, {"action": {"name": "buy"}, "took": 0.1}]
    assert judge(trajectory_match(key="action.name"), found, ["search", "buy"]).passed is True
    assert judge(trajectory_match(key=lambda step: step["took"] > 1), found, found[::-1]).passed is False
    assert judge(trajectory_match(), found, ["search", "buy"]).passed is False


def test_trajectories_that_are_none(judge):
    assert judge(trajectory_match(), None, []).passed is True
    assert judge(trajectory_match(), [1], None).status == "unscored"
    assert judge(tool_call_match(), [1], None).status == "unscored"
    with pytest.raises(TypeError, match="lists of steps"):
        trajectory_match()(output="search", expected=["search"])


@pytest.mark.parametrize(
    "make",
    [
        lambda: tool_call_match("ordered"),
        lambda: tool_call_match(arguments="all"),
        lambda: trajectory_match("any"),
        lambda: trajectory_match(key="a..b"),
        lambda: trajectory_match(keys="a"),
    ],
)
def test_wrong_trajectory_options(make):
    with pytest.raises(ScorerError):
        make()
