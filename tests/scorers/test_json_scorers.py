"""json_valid, json_schema, json_fields."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import ScorerError
from evalkit.score import scores_from
from evalkit_scorers import json_fields, json_schema, json_valid

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("output", "options", "passes"),
    [
        ('{"a": 1}', {}, True),
        (" [1, 2]\n", {}, True),
        ("null", {}, True),
        ('"x"', {}, True),
        ({"a": [1]}, {}, True),
        ("", {}, False),
        (None, {}, False),
        ("{'a': 1}", {}, False),
        ('{"a": 1,}', {}, False),
        ("NaN", {}, False),
        ("[Infinity]", {}, False),
        ({"a": float("nan")}, {}, False),
        ({"a": object()}, {}, False),
        ('{"a": 1} and more', {}, False),
        ('```json\n{"a": 1}\n```', {}, False),
        ('```json\n{"a": 1}\n```', {"fenced": True}, True),
        ('\n```\n{"a": 1}\n```\n', {"fenced": True}, True),
        ('{"a": 1}', {"fenced": True}, True),
        ("[" * 100_000, {}, False),
        ("1" * 5000, {}, False),
    ],
)
def test_json_valid(judge, output, options, passes):
    assert judge(json_valid(**options), output).passed is passes


def test_json_valid_says_where(judge):
    assert judge(json_valid(), '{"a":\n oops}').explanation == "not JSON: Expecting value at line 2, column 2"


@given(VALUES)
def test_whatever_json_wrote_is_valid_and_has_all_its_fields(value):
    assert json_valid()(output=json.dumps(value)) is True
    if isinstance(value, dict) and value:
        assert json_fields()(output=json.dumps(value), expected=value).value == 1.0


@pytest.mark.parametrize(
    ("output", "passes", "says"),
    [
        ('{"name": "Ada", "age": 36}', True, None),
        ({"name": "Ada", "age": 36}, True, None),
        ('{"name": "Ada"}', False, "$: 'age' is a required property"),
        ('{"name": "Ada", "age": "36"}', False, "$.age: '36' is not of type 'integer'"),
        ('{"name": 1, "age": -1, "x": 0, "y": 0}', False, "$.name"),
        ("no", False, "not JSON: Expecting value"),
        (None, False, "there is no output"),
    ],
)
def test_json_schema(judge, output, passes, says):
    score = judge(json_schema(PERSON), output)
    assert score.passed is passes
    if says:
        assert says in score.explanation


def test_a_schema_fault_that_quotes_a_huge_value_stays_short(judge):
    assert len(judge(json_schema({"type": "integer"}), json.dumps("x" * 1_000_000)).explanation) < 200


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "objct"}, "no JSON Schema"),
        ({"required": "name"}, "no JSON Schema"),
        ('{"type": "object"}', "json.loads"),
        (None, "json.loads"),
    ],
)
def test_a_schema_that_is_none(schema, says):
    with pytest.raises(ScorerError) as caught:
        json_schema(schema)
    assert says in str(caught.value)


def test_nothing_is_fetched_for_a_reference(monkeypatch):
    import urllib.request

    def refuse(*args, **kwargs):
        raise AssertionError("the network was used")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(Exception, match="Unresolvable"):
        json_schema({"$ref": "https://example.org/person.json"})(output="{}")


def test_an_older_draft_is_honoured(judge):
    draft4 = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 5, "exclusiveMinimum": True}
    assert judge(json_schema(draft4), "5").passed is False
    assert judge(json_schema(draft4), "6").passed is True


EXPECTED = {"customer": {"name": "Ada", "age": 36}, "items": [{"price": 2}], "note": None}


@pytest.mark.parametrize(
    ("options", "output", "expected", "share"),
    [
        ({}, EXPECTED, EXPECTED, 1.0),
        ({}, json.dumps(EXPECTED), json.dumps(EXPECTED), 1.0),
        ({}, {**EXPECTED, "more": 1}, EXPECTED, 1.0),
        ({}, {}, EXPECTED, 0.0),
        ({}, {"customer": {"name": "Ada", "age": 36.0}}, EXPECTED, 0.5),
        ({}, {"customer": {"name": "ada"}}, EXPECTED, 0.0),
        ({"ignore_case": True}, {"customer": {"name": "ada"}}, EXPECTED, 0.25),
        ({"fields": ["customer.name"]}, EXPECTED, EXPECTED, 1.0),
        ({"fields": ["items.0.price", "items.-1.price"]}, EXPECTED, EXPECTED, 1.0),
        ({"fields": ["customer.name", "absent"]}, EXPECTED, EXPECTED, 1.0),
        ({"fields": [["a.b"]]}, {"a.b": 1}, {"a.b": 1}, 1.0),
        ({"abs_tol": 1}, {"customer": {"age": 37}}, {"customer": {"age": 36}}, 1.0),
        ({"rel_tol": 0.1}, {"a": [110, 90]}, {"a": [100, 100]}, 1.0),
        ({"rel_tol": 0.1}, {"a": [111, 90]}, {"a": [100, 100]}, 0.0),
        ({}, {"a": True}, {"a": 1}, 0.0),
        ({}, {"a": {}}, {"a": {}}, 1.0),
        ({}, "not json", EXPECTED, 0.0),
        ({}, None, EXPECTED, 0.0),
        ({}, [1], {"a": 1}, 0.0),
        ({"fenced": True}, '```json\n{"a": 1}\n```', {"a": 1}, 1.0),
    ],
)
def test_json_fields(judge, options, output, expected, share):
    score = judge(json_fields(**options), output, expected)
    assert score.value == share
    assert score.kind == "score"
    assert (score.explanation is None) == (share == 1.0)


def test_json_fields_says_which_are_wrong(judge):
    score = judge(json_fields(), {"customer": {"name": "Bo"}}, {"customer": {"name": "Ada", "age": 36}})
    assert score.explanation == 'customer.name expected "Ada", found "Bo"; customer.age is missing'


def test_a_score_for_each_field():
    scorer = json_fields(per_field=True)
    result = scorer(output={"a": {"b": 1}, "a_b": 3}, expected={"a": {"b": 1}, "a_b": 2})
    scores = {score.name: (score.value, score.passed) for score in scores_from(result, scorer)}
    assert scores == {
        "json_fields": (0.5, None),
        "json_fields_a_b": (1.0, True),
        "json_fields_a_b_2": (0.0, False),
    }


def test_what_leaves_a_case_unscored_and_what_is_an_error(judge):
    assert judge(json_fields(), {"a": 1}, None).status == "unscored"
    assert judge(json_fields(), {"a": 1}, {}).status == "unscored"
    assert judge(json_fields(["b"]), {"a": 1}, {"a": 1}).status == "unscored"
    with pytest.raises(ValueError, match="expected value is not JSON"):
        json_fields()(output={}, expected="{")
    with pytest.raises(TypeError, match="compares dicts"):
        json_fields()(output={}, expected=5)


@pytest.mark.parametrize("fields", ["name", [], [""], ["a..b"], [[]], [5]])
def test_wrong_fields(fields):
    with pytest.raises((ScorerError, TypeError)):
        json_fields(fields)
