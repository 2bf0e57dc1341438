"""MLflow: `mlflow.genai.evaluate` with a tracking store in a SQLite file beside it; every case becomes a trace."""

import asyncio
import json
import os
import time
from pathlib import Path

import mlflow
from mlflow.genai.scorers import scorer

ROWS = [json.loads(line) for line in Path("cases.jsonl").read_text().splitlines()]
DELAY = float(os.environ["BENCH_DELAY"])


def answer(question):
    return "42"


async def answer_later(question):
    await asyncio.sleep(DELAY)
    return "42"


@scorer
def exact_match(outputs, expectations) -> bool:
    return outputs == expectations["expected_response"]


mlflow.set_tracking_uri("sqlite:///mlflow.db")
begin = time.perf_counter()
result = mlflow.genai.evaluate(
    data=[{"inputs": row["input"], "expectations": {"expected_response": row["expected"]}} for row in ROWS],
    predict_fn=answer_later if DELAY else answer,
    scorers=[exact_match],
)
print(f"evaluated in {time.perf_counter() - begin:.3f} s")
print(f"scored {len(result.result_df)} mean {result.metrics['exact_match/mean']:.3f}")
