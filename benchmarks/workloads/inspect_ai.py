"""inspect-ai: a task whose solver gives the answer without a model; the log is an .eval file."""

import asyncio
import json
import os
import time
from pathlib import Path

import inspect_ai
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import exact
from inspect_ai.solver import solver

ROWS = [json.loads(line) for line in Path("cases.jsonl").read_text().splitlines()]
DELAY = float(os.environ["BENCH_DELAY"])
CONCURRENCY = int(os.environ["BENCH_CONCURRENCY"] or 0) or None


@solver
def constant():
    async def solve(state, generate):
        if DELAY:
            await asyncio.sleep(DELAY)
        state.output.completion = "42"
        return state

    return solve


task = Task(
    dataset=[Sample(id=row["id"], input=row["input"]["question"], target=row["expected"]) for row in ROWS],
    solver=constant(),
    scorer=exact(),
)
begin = time.perf_counter()
(log,) = inspect_ai.eval(task, model=None, max_samples=CONCURRENCY)
print(f"evaluated in {time.perf_counter() - begin:.3f} s")
assert log.status == "success", log.error
assert Path("logs").is_dir(), "no log was stored"
score = log.results.scores[0]
print(f"scored {score.scored_samples} mean {score.metrics['mean'].value:.3f}")
