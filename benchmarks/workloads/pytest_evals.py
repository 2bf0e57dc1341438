"""pytest-evals: a parametrized eval that fills its bag, then the analysis over all bags."""

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


@pytest.mark.eval(name="answers")
@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_answer(row, eval_bag):
    eval_bag.question = row["input"]["question"]
    eval_bag.output = answer(eval_bag.question)
    eval_bag.exact_match = eval_bag.output == row["expected"]


@pytest.mark.eval_analysis(name="answers")
def test_analysis(eval_results):
    assert len(eval_results) == len(ROWS)
    assert sum(result.result.exact_match for result in eval_results) / len(eval_results) == 1.0
