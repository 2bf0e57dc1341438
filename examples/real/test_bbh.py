"""BIG-Bench Hard, ten tasks: code-davinci-002 answering directly and with a chain of thought (Suzgun et al. 2022).

No model is called: the suite replays recorded outputs. One suite per way of asking; the tasks are its slices.
"""

import os
from pathlib import Path

import pytest

import evalkit
from evalkit_scorers import exact_match

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).parents[3] / "shared/data", "bbh")
if not DATA.is_dir():
    pytest.skip(f"no recorded outputs in {DATA}: name their folder in EVALKIT_DATA", allow_module_level=True)


def answer_of(output: str, way: str) -> str:
    """What the paper scores: all of a direct answer, and of a chain of thought what follows its last conclusion."""
    if way == "cot":
        output = output.rpartition("the answer is ")[2].strip().removesuffix(".")
    return output.strip()


@pytest.mark.parametrize("way", ["direct", "cot"])
@evalkit.suite(
    dataset=evalkit.load(DATA / "cases.jsonl", input="input", expected="target", id="id"),
    scorers=[exact_match()],
    gates=["exact_match >= 0.5 @ 95%", "errors <= 0"],
)
async def test_bbh(case, way, recorded):
    return answer_of(recorded(DATA, f"code-davinci-002-{way}", case)["output"], way)
