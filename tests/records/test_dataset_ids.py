"""Case ids are unique, readable and stable; the digest of a dataset is canonical."""

from __future__ import annotations

import hashlib

import pytest

from evalkit import Case, Dataset
from evalkit.canonical import canonical_json
from evalkit.errors import DatasetError


def test_an_id_made_from_the_input_survives_a_corrected_expectation() -> None:
    before = Dataset.of([Case(input={"q": "2+2"}, expected="5")], name="sums")
    after = Dataset.of([Case(input={"q": "2+2"}, expected="4")], name="sums")
    assert before[0].id == after[0].id
    assert before.digest != after.digest


def test_equal_inputs_are_told_apart_in_their_order() -> None:
    made = Dataset.of([Case(input="x"), Case(input="y"), Case(input="x")], name="d")
    assert made[2].id == made[0].id + "-2"


def test_the_digest_is_that_of_the_list_of_contents() -> None:
    made = Dataset.of([Case(id="a", input=1.0), Case(id="b", input={"z": 1, "a": [None]}, tags=("t",))], name="d")
    assert made.digest == hashlib.sha256(canonical_json([case.content() for case in made])).hexdigest()


@pytest.mark.parametrize(
    ("identifier", "says"),
    [
        (17, "int, not text"),
        ("a\nb", "control characters"),
        ("\x1b[31mred", "control characters"),
        ("lone \ud800", "control characters"),
        ("x" * 201, "201 characters"),
    ],
)
def test_an_id_that_could_not_be_shown_is_refused(identifier: object, says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        Dataset.of([Case(id=identifier, input=1)], name="d")  # type: ignore[arg-type]  # the mistake under test


def test_twenty_thousand_cases_get_ids_of_their_own() -> None:
    cases = [Case(input={"question": f"What is {n} + {n}?"}, expected=str(2 * n)) for n in range(20_000)]
    dataset = Dataset.of(cases, name="many")
    assert len({case.id for case in dataset}) == 20_000
