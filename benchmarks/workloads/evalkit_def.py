"""evalkit with a plain function: the bodies run in threads."""

import os
import time

import evalkit as ek
from evalkit_scorers import exact_match

DELAY = float(os.environ["BENCH_DELAY"])


@ek.suite(
    dataset="cases.jsonl", scorers=[exact_match()], max_concurrency=int(os.environ["BENCH_CONCURRENCY"] or 0) or None
)
def test_answer(case: ek.Case) -> str:
    if DELAY:
        time.sleep(DELAY)
    return "42"
