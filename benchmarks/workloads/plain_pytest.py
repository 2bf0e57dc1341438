"""Plain pytest: one parametrized test, nothing stored but the exit code."""

import json
import os
import time
from pathlib import Path

import pytest

ROWS = [json.loads(line) for line in Path("cases.jsonl").read_text().splitlines()]
DELAY = float(os.environ["BENCH_DELAY"])


def answer(question):
    if DELAY:
        time.sleep(DELAY)
    return "42"


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_answer(row):
    assert answer(row["input"]["question"]) == row["expected"]
