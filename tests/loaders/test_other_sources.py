"""Lists, callables and datasets serve as well as files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import evalkit as ek
from evalkit.errors import DatasetError
from evalkit.loaders import read_dataset


def read(source: Any, folder: Path = Path()) -> ek.Dataset:
    return read_dataset(source, folder=folder, name="suite")


def test_a_list_of_cases_and_dicts(tmp_path: Path) -> None:
    made = read([ek.Case(input=1, expected=1), {"input": 2, "expected": 2, "tags": ["x"]}])
    assert made.name == "suite"
    assert [case.input for case in made] == [1, 2]
    assert made[1].tags == ("x",)
    assert all(case.id for case in made)


def test_a_dataset_stays_itself() -> None:
    made = ek.Dataset.of([ek.Case(input=1)], name="mine")
    assert read(made) is made


def test_a_path_is_taken_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.jsonl").write_text('{"input": 1}')
    made = read("sub/c.jsonl", tmp_path)
    assert (made.name, made.source, made[0].source) == ("sub/c", "sub/c.jsonl", "sub/c.jsonl:1")
    assert read(tmp_path / "sub" / "c.jsonl").name == "c"
    assert read(ek.load("sub/c.jsonl", name="n"), tmp_path).name == "n"


def test_a_callable_may_return_or_yield_anything_a_suite_may_name(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"input": 1}')

    def yields() -> Iterator[ek.Case]:
        yield ek.Case(input=1)

    makers: list[Any] = [
        lambda: [{"input": 1}],
        lambda: "c.jsonl",
        lambda: ek.load("c.jsonl"),
        lambda: ek.Dataset.of([ek.Case(input=1)], name="d"),
        yields,
    ]
    for maker in makers:
        assert [case.input for case in read(maker, tmp_path)] == [1]


def test_a_callable_that_raises_is_named_with_its_place() -> None:
    def load_cases() -> list[Any]:
        raise ValueError("no network")

    with pytest.raises(
        DatasetError, match=r"test_other_sources\.py:\d+: load_cases raised ValueError: no network"
    ) as caught:
        read(load_cases)
    assert isinstance(caught.value.__cause__, ValueError)


def test_an_async_callable_is_refused() -> None:
    async def load_cases() -> list[Any]:
        return []

    with pytest.raises(DatasetError, match="load_cases is async"):
        read(load_cases)


def test_an_async_generator_is_refused() -> None:
    async def load_cases() -> Any:
        yield ek.Case(input=1)

    with pytest.raises(DatasetError, match="load_cases is async"):
        read(load_cases)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ([], "has no cases"),
        (list, "has no cases"),
        (lambda: None, "A dataset cannot be NoneType"),
        (lambda: len, "returned something callable"),
        (7, "A dataset cannot be int"),
        ({"input": 1}, "A dataset cannot be dict"),
        ([1], "row 1: A row is int, not an evalkit.Case"),
        ([{"input": 1}, {"inptu": 1}], 'row 2: The row has no `input`. Did you mean "inptu"'),
        ([{"input": float("nan")}], "nan stands for no value"),
        ([ek.Case(input=1, metadata={"w": [float("inf")]})], "inf stands for no value"),
        ([{"id": "a", "input": 1}, {"id": "a", "input": 2}], 'The id "a" is given twice'),
    ],
)
def test_what_is_no_dataset_is_refused(source: Any, says: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read(source)
    assert says in str(caught.value)


def test_a_value_that_contains_itself_is_refused() -> None:
    round_and_round: dict[str, Any] = {}
    round_and_round["self"] = round_and_round
    with pytest.raises(DatasetError, match="levels deep"):
        read([{"input": round_and_round}])


def test_an_open_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"input": 1}')
    with path.open() as file, pytest.raises(DatasetError, match="cannot be an open file"):
        read(file)


def test_a_data_frame_is_told_what_to_do() -> None:
    pandas = pytest.importorskip("pandas", reason="the extra `frames` is optional")
    with pytest.raises(DatasetError, match=r'frame.to_dict\("records"\)'):
        read(pandas.DataFrame({"input": [1]}))
