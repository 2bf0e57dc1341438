"""One dataset, read the same from every kind of file."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
from pathlib import Path

import pytest

import evalkit as ek
from evalkit.errors import DatasetError, MissingExtra

ROWS = [
    {"id": "a", "input": {"question": "2+2?", "n": 2}, "expected": "4", "tags": ["easy"], "metadata": {"lang": "en"}},
    {"id": "b", "input": {"question": "3×3?", "n": 3}, "expected": "9", "tags": [], "metadata": {"lang": "de"}},
]


def write(folder: Path, kind: str) -> Path:
    path = folder / f"cases.{kind}"
    if kind == "jsonl":
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\n", encoding="utf-8")
    elif kind == "json":
        path.write_text(json.dumps(ROWS), encoding="utf-8")
    elif kind in ("yaml", "yml"):
        import yaml

        path.write_text(yaml.safe_dump({"cases": ROWS}, allow_unicode=True), encoding="utf-8")
    else:
        pyarrow = pytest.importorskip("pyarrow", reason="the extra `parquet` is optional")
        pytest.importorskip("pyarrow.parquet", reason="likewise")
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "json", "yaml", "yml", "parquet"])
def test_the_same_rows_have_the_same_digest_in_every_kind_of_file(tmp_path: Path, kind: str) -> None:
    read = ek.load(write(tmp_path, kind).name).read(tmp_path)
    reference = ek.Dataset.of([ek.Case(**row) for row in ROWS], name="reference")
    assert [case.content() for case in read] == [case.content() for case in reference]
    assert read.digest == reference.digest
    assert read.name == "cases"


def test_a_row_knows_where_it_stands(tmp_path: Path) -> None:
    sources = {kind: ek.load(write(tmp_path, kind)).read()[1].source for kind in ("jsonl", "json", "yaml")}
    folder = tmp_path.as_posix()
    assert sources["jsonl"] == f"{folder}/cases.jsonl:2"
    assert sources["json"] == f"{folder}/cases.json row 2"
    assert sources["yaml"].startswith(f"{folder}/cases.yaml:")


def test_a_relative_path_is_short_in_the_source(tmp_path: Path) -> None:
    write(tmp_path, "jsonl")
    assert ek.load("cases.jsonl").read(tmp_path)[0].source == "cases.jsonl:1"


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    file = ek.load(tmp_path / "not-there.jsonl")
    with pytest.raises(DatasetError, match="no such file"):
        file.read()


def test_a_csv_keeps_numbers_as_text_and_splits_tags(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text('id,input,expected,tags\n007,"1,5",0.50,easy; short\n8,"two\nlines",,\n')
    first, second = ek.load("c.csv").read(tmp_path)
    assert (first.id, first.input, first.expected, first.tags) == ("007", "1,5", "0.50", ("easy", "short"))
    assert (second.input, second.expected, second.tags) == ("two\nlines", None, ())
    assert (first.source, second.source) == ("c.csv:2", "c.csv:3")


def test_yaml_reads_words_as_they_look(tmp_path: Path) -> None:
    rows = ["no", "on", "12:30", "2026-01-31", "010", "0o10", "1e3", "1_000", "<<", "true", "null", '"5"']
    (tmp_path / "c.yaml").write_text("\n".join(f"- {{input: x{n}, expected: {row}}}" for n, row in enumerate(rows)))
    got = [case.expected for case in ek.load("c.yaml").read(tmp_path)]
    assert got == ["no", "on", "12:30", "2026-01-31", 10, 8, 1000.0, "1_000", "<<", True, None, "5"]


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_line_ends_blank_lines_and_a_byte_order_mark_do_not_matter(tmp_path: Path, ending: str) -> None:
    text = ending.join(['{"input": 1}', "", '{"input": 2}', "   ", ""])
    (tmp_path / "c.jsonl").write_bytes(b"\xef\xbb\xbf" + text.encode())
    read = ek.load("c.jsonl").read(tmp_path)
    assert [(case.input, case.source) for case in read] == [(1, "c.jsonl:1"), (2, "c.jsonl:3")]
    (tmp_path / "c.csv").write_bytes(b"\xef\xbb\xbf" + ending.join(["input,expected", "", "a,b"]).encode())
    assert ek.load("c.csv").read(tmp_path)[0].expected == "b"


def test_a_line_separator_inside_a_text_is_no_line_end(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"input": "a\u2028b\x85c"}\n', encoding="utf-8")
    assert ek.load("c.jsonl").read(tmp_path)[0].input == "a\u2028b\x85c"


def test_fifty_megabytes_in_one_value_are_read(tmp_path: Path) -> None:
    size = 50_000_000
    (tmp_path / "big.jsonl").write_text('{"input": "' + "x" * size + '"}\n')
    (tmp_path / "big.csv").write_text("input\n" + "x" * size + "\n")
    assert len(ek.load("big.jsonl").read(tmp_path)[0].input) == size
    assert len(ek.load("big.csv").read(tmp_path)[0].input) == size


def test_reading_a_csv_leaves_the_limit_of_the_csv_module_as_it_was(tmp_path: Path) -> None:
    import csv

    before = csv.field_size_limit()
    (tmp_path / "c.csv").write_text("input\na\n")
    ek.load("c.csv").read(tmp_path)
    assert csv.field_size_limit() == before


def test_many_rows_are_all_read(tmp_path: Path) -> None:
    rows = ({"id": f"q{n}", "question": f"What is {n} + {n}?", "answer": str(2 * n), "w": n / 7} for n in range(20_000))
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    read = ek.load("c.jsonl", input="question", expected="answer").read(tmp_path)
    assert len(read) == 20_000


def test_a_limit_reads_no_further(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"input": 1}\n{"input": 2}\nbroken\n')
    assert len(ek.load("c.jsonl", limit=2).read(tmp_path)) == 2


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    real = builtins.__import__

    def no_pyarrow(name: str, *rest: object, **more: object) -> object:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]  # the same arguments, passed on

    monkeypatch.setattr(builtins, "__import__", no_pyarrow)
    with pytest.raises(MissingExtra, match=r"pip install 'pytest-evalkit\[parquet\]'"):
        ek.load("c.parquet").read(tmp_path)


def test_importing_the_loaders_imports_no_parser_that_is_not_needed() -> None:
    code = "import sys, evalkit.loaders; print([m for m in ('yaml', 'pyarrow', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
