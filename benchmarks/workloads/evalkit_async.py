"""evalkit with an async function: the bodies are awaited together."""

import asyncio
import os

import evalkit as ek
from evalkit_scorers import exact_match

DELAY = float(os.environ["BENCH_DELAY"])


@ek.suite(
    dataset="cases.jsonl", scorers=[exact_match()], max_concurrency=int(os.environ["BENCH_CONCURRENCY"] or 0) or None
)
async def test_answer(case: ek.Case) -> str:
    if DELAY:
        await asyncio.sleep(DELAY)
    return "42"
