"""GSM8K: 1,319 grade-school questions and the recorded solutions of four GPT-3 systems (Cobbe et al. 2021).

No model is called: the suite replays the recorded outputs of the named system. The last number of an output is held
against the answer, which is what the recorded verdicts do, flag for flag.
"""

import os
from pathlib import Path

import pytest

import evalkit
from evalkit_scorers import numeric_match

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).parents[3] / "shared/data", "gsm8k")
if not DATA.is_dir():
    pytest.skip(f"no recorded outputs in {DATA}: name their folder in EVALKIT_DATA", allow_module_level=True)

SYSTEMS = ["gpt3-6b_finetuning", "gpt3-6b_verification", "gpt3-175b_finetuning", "gpt3-175b_verification"]


@pytest.mark.parametrize("model", SYSTEMS)
@evalkit.suite(
    dataset=evalkit.load(DATA / "cases.jsonl", input="question", expected="answer", id="id"),
    scorers=[numeric_match()],
    gates=["numeric_match >= 0.15 @ 95%", "errors <= 0"],
)
async def test_gsm8k(case, model, recorded):
    return recorded(DATA, model, case)["output"]
