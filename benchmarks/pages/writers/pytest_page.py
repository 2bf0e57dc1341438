"""A test for each case, with its scores and trace as extras of pytest-html; copied to `test_pages.py`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROWS = [json.loads(line) for line in Path(os.environ["PAGES_CASES"]).read_text("utf-8").splitlines()]
WITH_PAGE = "PAGES_HTML" in os.environ


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_case(row: dict[str, Any], request: pytest.FixtureRequest) -> None:
    if WITH_PAGE:
        from pytest_html import extras

        told = f"{row['question']}\n\n{row['answer']}"
        trace = {"chat": row["question"], "look_up": row["looked_up"], "answer": row["answer"], "took": row["seconds"]}
        request.node.stash[KEY] = [extras.text(told), extras.json(row["scores"]), extras.json(trace)]
    right = row["answer"] == row["expected"]
    assert right, "another answer"  # two long texts would be held against each other, which is not what is measured


KEY = pytest.StashKey[list[Any]]()
