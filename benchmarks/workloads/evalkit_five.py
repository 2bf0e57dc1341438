"""evalkit with five scores for each case and outputs of some length: what a report is made of."""

import evalkit as ek
from evalkit_scorers import contains, exact_match, token_f1


@ek.scorer(blocking=False)
def length(output: str) -> float:
    return min(1.0, len(output) / 400)


@ek.scorer(blocking=False)
def tone(output: str) -> str:
    return "plain" if "e" in output[:3] else "warm"


@ek.suite(
    dataset="cases.jsonl",
    scorers=[exact_match(), contains(), token_f1(), length, tone],
    gates=["exact_match >= 0.5"],  # so that a case that is wrong is a miss and not a failed test
)
async def test_answer(case: ek.Case) -> str:
    return str(case.metadata["answer"])
