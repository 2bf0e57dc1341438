"""What is wrong with a file is said with its line, before any case runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import evalkit as ek
from evalkit.errors import DatasetError


def said(folder: Path, name: str, content: str | bytes, **mapped: object) -> str:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DatasetError) as caught:
        ek.load(name, **mapped).read(folder)  # type: ignore[arg-type]  # whatever a test wants mapped
    return str(caught.value)


def test_a_missing_file_names_the_near_ones(tmp_path: Path) -> None:
    (tmp_path / "gsm8k.jsonl").write_text('{"input": 1}')
    with pytest.raises(DatasetError) as caught:
        ek.load("gsm8.jsonl").read(tmp_path)
    assert 'There is no such file. Did you mean "gsm8k.jsonl"?' in str(caught.value)
    assert "gsm8.jsonl" in str(caught.value)


def test_a_missing_folder_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="There is no folder"):
        ek.load("data/cases.jsonl").read(tmp_path)


def test_a_folder_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").mkdir()
    with pytest.raises(DatasetError, match="a folder, not a file"):
        ek.load("data.jsonl").read(tmp_path)


def test_an_unknown_ending_lists_the_known_ones(tmp_path: Path) -> None:
    assert 'Did you mean ".jsonl"' in said(tmp_path, "c.jsonll", "")
    assert "nothing is not read" in said(tmp_path, "cases", "")


def test_something_that_is_no_path_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        ek.load('[{"input": "' + "x" * 5000 + '"}]').read(tmp_path)


def test_line_17_of_a_jsonl_is_named(tmp_path: Path) -> None:
    lines = [json.dumps({"input": n}) for n in range(30)]
    lines[16] = '{"input": 16, "expected": }'
    text = said(tmp_path, "cases.jsonl", "\n".join(lines))
    assert "cases.jsonl:17: This is not JSON: Expecting value at column 27" in text


def test_two_values_on_a_line_are_told_apart_from_a_typo(tmp_path: Path) -> None:
    assert "more than one value" in said(tmp_path, "c.jsonl", '{"input": 1} {"input": 2}')


def test_a_pretty_printed_json_named_jsonl_is_recognised(tmp_path: Path) -> None:
    assert "name it .json" in said(tmp_path, "c.jsonl", json.dumps([{"input": 1}], indent=2))


def test_a_broken_json_names_the_line(tmp_path: Path) -> None:
    assert "c.json:3:" in said(tmp_path, "c.json", '[\n{"input": 1},\n{"input" 2}\n]')


def test_an_id_given_twice_names_both_lines(tmp_path: Path) -> None:
    text = said(tmp_path, "c.jsonl", '{"id": "x", "input": 1}\n{"id": "y", "input": 1}\n{"id": "x", "input": 2}\n')
    assert 'c.jsonl:3: The id "x" is given twice, first at' in text
    assert "c.jsonl:1" in text


def test_ids_that_are_the_same_as_text_are_the_same(tmp_path: Path) -> None:
    assert 'The id "1" is given twice' in said(tmp_path, "c.jsonl", '{"id": 1, "input": 1}\n{"id": "1", "input": 2}\n')


@pytest.mark.parametrize("content", ["", "\n\n  \n"])
def test_an_empty_file_is_no_dataset(tmp_path: Path, content: str) -> None:
    assert "c.jsonl: The file has no cases." in said(tmp_path, "c.jsonl", content)
    assert "no cases" in said(tmp_path, "c.csv", content or "input,expected\n")
    assert "no cases" in said(tmp_path, "c.json", "[]")
    assert "no cases" in said(tmp_path, "c.yaml", "[]")
    assert "has no list of cases" in said(tmp_path, "d.yaml", content)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_refused(tmp_path: Path, value: str) -> None:
    assert "c.jsonl:2" in said(tmp_path, "c.jsonl", f'{{"input": 1}}\n{{"input": {value}}}\n')
    assert "c.json" in said(tmp_path, "c.json", f'[{{"input": {value}}}]')


@pytest.mark.parametrize("value", [".nan", "-.inf", "1e999"])
def test_what_is_no_number_is_refused_in_yaml_too(tmp_path: Path, value: str) -> None:
    assert "c.yaml:2:" in said(tmp_path, "c.yaml", f"- input: 1\n- input: {value}\n")


def test_nan_in_parquet_is_refused_and_null_is_none(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="the extra `parquet` is optional")
    pytest.importorskip("pyarrow.parquet", reason="likewise")
    rows = [{"input": "a", "expected": 1.0}, {"input": "b", "expected": None}, {"input": "c", "expected": float("nan")}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "c.parquet")
    assert [case.expected for case in ek.load("c.parquet", limit=2).read(tmp_path)] == [1.0, None]
    with pytest.raises(DatasetError, match=r'c\.parquet row 3: The column "expected"'):
        ek.load("c.parquet").read(tmp_path)


def test_a_file_that_is_no_parquet_is_said_to_be_none(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra `parquet` is optional")
    assert "not a readable Parquet file" in said(tmp_path, "c.parquet", b"PAR1 but not really")


def test_a_byte_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    text = said(tmp_path, "c.jsonl", b'{"input": 1}\n{"input": "caf\xe9"}\n')
    assert "c.jsonl:2: Byte 27 is 0xe9, which is not UTF-8" in text
    assert "c.csv:2: Byte 9 is 0xe9" in said(tmp_path, "c.csv", b"input\ncaf\xe9s\n")


def test_utf16_is_recognised(tmp_path: Path) -> None:
    assert "UTF-16" in said(tmp_path, "c.json", '[{"input": 1}]'.encode("utf-16"))


@pytest.mark.parametrize("depth", [101, 5_000, 200_000])
def test_deep_nesting_is_refused(tmp_path: Path, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    assert "levels deep" in said(tmp_path, "c.jsonl", f'{{"input": {deep}}}\n')
    assert "levels deep" in said(tmp_path, "c.json", f'[{{"input": {deep}}}]')
    assert "levels deep" in said(tmp_path, "c.yaml", f"- input: {deep}\n")


def test_many_brackets_side_by_side_are_not_deep(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text(json.dumps({"input": [[] for _ in range(500)]}))
    assert len(ek.load("c.jsonl").read(tmp_path)[0].input) == 500


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    assert 'c.jsonl:1: The key "input" is given twice' in said(tmp_path, "c.jsonl", '{"input": 1, "input": 2}')
    assert 'c.yaml:2: The key "input" is given twice' in said(tmp_path, "c.yaml", "- input: 1\n  input: 2\n")


def test_aliases_and_anchors_are_refused_before_anything_is_built(tmp_path: Path) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
    )
    assert "c.yaml:1: Anchors" in said(tmp_path, "c.yaml", bomb)


def test_tags_in_yaml_are_refused(tmp_path: Path) -> None:
    assert "plain data" in said(tmp_path, "c.yaml", "- input: !!python/object/apply:os.system ['true']\n")


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    assert "c.yaml:4: This is not YAML" in said(tmp_path, "c.yaml", "- input: 1\n- input: 2\n  bad\n indent: [")
    assert "c.yaml:1: This is not YAML" in said(tmp_path, "c.yaml", "- input: \x07\n")


def test_two_documents_are_not_one_dataset(tmp_path: Path) -> None:
    assert "second document" in said(tmp_path, "c.yaml", "- input: 1\n---\n- input: 2\n")


@pytest.mark.parametrize(("row", "found"), [("a,b,c", 3), ("a", 1)])
def test_a_ragged_row_is_named(tmp_path: Path, row: str, found: int) -> None:
    text = said(tmp_path, "c.csv", f"input,expected\nx,y\n\n{row}\n")
    assert f"c.csv:4: The record has {found} fields, the header 2: input, expected." in text


def test_a_quote_that_is_never_closed_is_named(tmp_path: Path) -> None:
    assert "c.csv:3: The record that begins here is broken" in said(tmp_path, "c.csv", 'input\na\n"b\nc\n')


@pytest.mark.parametrize(("header", "says"), [("a,,b", "Column 2 of the header has no name"), ("a,b,a", '"a" twice')])
def test_a_header_that_is_no_header_is_refused(tmp_path: Path, header: str, says: str) -> None:
    assert says in said(tmp_path, "c.csv", f"{header}\n1,2,3\n", input="a")


def test_a_file_without_input_shows_its_columns(tmp_path: Path) -> None:
    text = said(tmp_path, "c.jsonl", '{"question": 1, "answer": 2}\n')
    assert "c.jsonl:1: The row has no `input`." in text
    assert "Its columns are: question, answer." in text
    assert "evalkit.load(" in text


def test_a_misspelled_key_of_a_case_is_not_ignored(tmp_path: Path) -> None:
    text = said(tmp_path, "c.jsonl", '{"input": 1}\n{"input": 1, "expcted": 2}\n')
    assert 'c.jsonl:2: A case has no key "expcted". Did you mean "expected"?' in text


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("[1, 2]", "A row is a list, not an object"),
        ('"text"', "A row is text"),
        ("null", "A row is null"),
        ('{"input": 1, "id": 1.5}', "The id is 1.5"),
        ('{"input": 1, "id": true}', "The id is True"),
        ('{"input": 1, "id": "a\\u0000b"}', "control characters"),
        ('{"input": 1, "tags": [1]}', "The tags are [1]"),
        ('{"input": 1, "tags": {"a": 1}}', "The tags are"),
        ('{"input": 1, "metadata": "x"}', "The metadata is 'x'"),
        ('{"input": ' + "9" * 5000 + "}", "A number is too long"),
    ],
)
def test_a_row_of_the_wrong_shape_is_named(tmp_path: Path, row: str, says: str) -> None:
    text = said(tmp_path, "c.jsonl", row)
    assert says in text
    assert "c.jsonl:1" in text


def test_an_id_column_must_have_an_id_in_every_row(tmp_path: Path) -> None:
    assert "The id is empty" in said(tmp_path, "c.jsonl", '{"q": 1, "k": "a"}\n{"q": 2}\n', input="q", id="k")


def test_a_file_that_may_not_be_read_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c.jsonl").write_text('{"input": 1}')

    def refuse(self: Path, *_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DatasetError, match=r"c\.jsonl: The file cannot be read: Permission denied"):
        ek.load("c.jsonl").read(tmp_path)


def test_a_file_too_large_for_one_piece_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalkit.loaders.yaml_rows.LARGEST_FILE", 1024 * 1024)
    assert "more than the 1 MB" in said(tmp_path, "c.yaml", "- input: " + "x" * 2_000_000)
