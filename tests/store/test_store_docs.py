"""The page on the store lists each table and column there is, and its queries run."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evalkit import errors
from evalkit.case import Case, Dataset
from evalkit.runs import Metric
from evalkit.score import ErrorInfo
from evalkit.store import blobs, schema
from evalkit.trial import Output, Usage

PAGE = (Path(__file__).parents[2] / "docs" / "store.md").read_text("utf-8")
TABLES = {table.name: table for table in [schema.alembic_version, *schema.metadata.sorted_tables]}
QUERIES = re.findall(r"^([^\n]+):\n\n```sql\n(.*?)^```$", PAGE, re.M | re.S)
SCRIPTS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)


def test_every_table_is_listed() -> None:
    assert set(re.findall(r"^### `(\w+)`$", PAGE, re.M)) == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_listed_in_its_order(name: str) -> None:
    section = PAGE.partition(f"### `{name}`\n")[2].partition("\n#")[0]
    assert re.findall(r"^\| `(\w+)` \| \S", section, re.M) == list(TABLES[name].columns.keys())


def test_every_error_of_a_store_is_explained() -> None:
    kinds = {kind.__name__ for kind in errors.StoreError.__subclasses__()}
    assert set(re.findall(r"^\| `(Store\w+)` \|", PAGE, re.M)) == kinds


def test_the_length_up_to_which_a_value_stays_in_its_row() -> None:
    assert f"Up to {blobs.INLINE:,} characters" in PAGE


@pytest.fixture
def filled(store: Any, begin: Any, path: Path) -> Path:
    """A store of two runs, with a miss, an error, costs, tags and a long value."""
    for _ in range(2):
        run = begin(store)
        cases = [Case(id=f"case-{i:03}", input={"a": i}, expected=i, tags=("hard", "new")) for i in range(3)]
        tagged = Dataset.of(cases, name="tagged")
        info = store.load(run.run_id).suite("math").info
        store.add_suite(run.run_id, dataclasses.replace(info, name="tagged"), tagged, tagged.cases)
        usage = Usage(input_tokens=5, output_tokens=7, cost=Decimal("0.25"))
        trials = [
            run.trial(0, outcome="missed", output=Output(value="wrong", usage=usage)),
            run.trial(1, outcome="errored", output=Output(error=ErrorInfo(type="KeyError", message="x"))),
            run.trial(2, output=Output(value="long " * 5000)),
        ]
        store.add_trials(run.run_id, "tagged", trials)
        run.finish(metrics=[Metric(suite="tagged", name="exact", statistic="mean", value=0.5)])
    return path


def test_there_are_queries() -> None:
    assert len(QUERIES) >= 6


@pytest.mark.parametrize(("question", "query"), QUERIES, ids=[question for question, _ in QUERIES])
def test_the_queries_run_and_find_something(filled: Path, question: str, query: str) -> None:
    with contextlib.closing(sqlite3.connect(filled)) as database:
        found = database.execute(query).fetchall()
    assert found
    if question == "What each run cost":
        assert [row[1:] for row in found] == [(0.25, 12), (0.25, 12)]
    if question == "The mean of a score per tag":
        assert found == [("hard", "exact", 1.0, 6), ("new", "exact", 1.0, 6)]
    if question.startswith("The cases that missed"):
        assert found == [("tagged", "case-000", '{"a":0}', "0", '"wrong"')]


@pytest.mark.parametrize("code", SCRIPTS, ids=range(len(SCRIPTS)))
def test_the_python_on_the_page_runs(filled: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas", reason="the page shows to_frame(), which needs the extra `frames`")
    monkeypatch.chdir(filled.parents[1])
    assert Path(".evalkit/evalkit.db").exists()
    scope: dict[str, Any] = {}
    exec(compile(code, "docs/store.md", "exec"), scope)  # the page's own example, by design
    if "text" in scope:
        assert scope["text"] == '"' + "long " * 5000 + '"'
    else:
        assert len(scope["frame"]) == 3
