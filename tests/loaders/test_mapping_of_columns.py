"""Rows that are not case-shaped are mapped, not rewritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import evalkit as ek
from evalkit.errors import DatasetError

ROW = {"qid": 7, "question": "2+2?", "context": "sums", "answer": "4", "lang": "en", "hard": False, "topic": "maths"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "c.jsonl").write_text(json.dumps(ROW) + "\n")
    return tmp_path


def only(folder: Path, **mapped: Any) -> ek.Case:
    (case,) = ek.load("c.jsonl", **mapped).read(folder)
    assert isinstance(case, ek.Case)
    return case


def test_columns_left_over_become_metadata(folder: Path) -> None:
    case = only(folder, input="question", expected="answer", id="qid")
    assert (case.id, case.input, case.expected) == ("7", "2+2?", "4")
    assert case.metadata == {"context": "sums", "lang": "en", "hard": False, "topic": "maths"}


def test_a_list_of_columns_is_a_dict_of_their_values(folder: Path) -> None:
    assert only(folder, input=["question", "context"]).input == {"question": "2+2?", "context": "sums"}


def test_a_dict_gives_the_columns_new_names(folder: Path) -> None:
    assert only(folder, input={"q": "question", "text": "context"}).input == {"q": "2+2?", "text": "sums"}


def test_a_callable_gets_the_row(folder: Path) -> None:
    case = only(
        folder, input=lambda row: f"{row['context']}: {row['question']}", expected=lambda row: int(row["answer"])
    )
    assert (case.input, case.expected) == ("sums: 2+2?", 4)


def test_tags_come_from_columns(folder: Path) -> None:
    assert only(folder, input="question", tags=["lang", "topic"]).tags == ("en", "maths")
    assert only(folder, input="question", tags="topic").tags == ("maths",)


def test_named_metadata_is_all_the_metadata_there_is(folder: Path) -> None:
    assert only(folder, input="question", metadata=["lang"]).metadata == {"lang": "en"}
    assert only(folder, input="question", metadata="lang").metadata == {"lang": "en"}


def test_a_field_that_is_not_mapped_takes_the_column_of_its_name(tmp_path: Path) -> None:
    row = {"id": "x", "question": "2+2?", "expected": "4", "metadata": {"lang": "en"}, "source": "book"}
    (tmp_path / "c.jsonl").write_text(json.dumps(row) + "\n")
    (case,) = ek.load("c.jsonl", input="question").read(tmp_path)
    assert (case.id, case.expected, case.metadata) == ("x", "4", {"source": "book", "lang": "en"})


def test_the_name_of_a_dataset_can_be_given(folder: Path) -> None:
    assert ek.load("c.jsonl", input="question", name="sums").read(folder).name == "sums"


def test_a_misspelled_column_is_an_error_with_the_nearest_one(folder: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        only(folder, input="qestion")
    said = str(caught.value)
    assert "c.jsonl:1" in said
    assert 'Did you mean "question"?' in said
    assert "qid, question, context" in said


def test_a_misspelled_column_of_another_field_is_an_error_too(folder: Path) -> None:
    with pytest.raises(DatasetError, match=r'No row has the column "anwser".*Did you mean "answer"'):
        only(folder, input="question", expected="anwser")


def test_a_column_that_some_rows_lack_is_none_there(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"q": 1, "a": 2}\n{"q": 3}\n')
    assert [case.expected for case in ek.load("c.jsonl", input="q", expected="a").read(tmp_path)] == [2, None]


def test_a_callable_that_raises_names_the_row_and_keeps_the_cause(folder: Path) -> None:
    def broken(row: dict[str, Any]) -> Any:
        return row["nothing"]

    with pytest.raises(DatasetError, match=r"c\.jsonl:1: broken, which makes the expected, raised KeyError") as caught:
        only(folder, input="question", expected=broken)
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("column", [3, [], {}, [1], "", {"a": 2}])
def test_a_mapping_that_makes_no_sense_is_refused_when_it_is_declared(column: Any) -> None:
    with pytest.raises(DatasetError, match="`input` is mapped to"):
        ek.load("c.jsonl", input=column)


@pytest.mark.parametrize("limit", [0, -1, True, 2.5])
def test_a_limit_is_a_whole_number(limit: Any) -> None:
    with pytest.raises(DatasetError, match="`limit` is a whole number"):
        ek.load("c.jsonl", limit=limit)
