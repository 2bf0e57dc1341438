"""pydantic-evals: a dataset of cases and its own equality evaluator; the report stays in memory."""

import asyncio
import json
import os
import time
from pathlib import Path

from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import EqualsExpected

ROWS = [json.loads(line) for line in Path("cases.jsonl").read_text().splitlines()]
DELAY = float(os.environ["BENCH_DELAY"])
CONCURRENCY = int(os.environ["BENCH_CONCURRENCY"] or 0) or None


def answer(inputs):
    return "42"


async def answer_later(inputs):
    await asyncio.sleep(DELAY)
    return "42"


dataset = Dataset(
    name="answers",
    cases=[Case(name=row["id"], inputs=row["input"], expected_output=row["expected"]) for row in ROWS],
    evaluators=[EqualsExpected()],
)
begin = time.perf_counter()
report = dataset.evaluate_sync(answer_later if DELAY else answer, max_concurrency=CONCURRENCY)
print(f"evaluated in {time.perf_counter() - begin:.3f} s")
print(f"scored {len(report.cases)} mean {report.averages().assertions:.3f}")
