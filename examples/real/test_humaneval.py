"""HumanEval: 164 programming problems, and the recorded programs of four systems, run against their unit tests.

No model is called, but the programs are: code that a model wrote is executed here, each program in a fresh process of
its own with limits on time and memory. That is no sandbox. Leave this suite out where you would not run such code:
pytest examples/real --ignore examples/real/test_humaneval.py
"""

import os
from pathlib import Path

import pytest

import evalkit
from evalkit_scorers import code_execution

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).parents[3] / "shared/data", "humaneval")
if not DATA.is_dir():
    pytest.skip(f"no recorded outputs in {DATA}: name their folder in EVALKIT_DATA", allow_module_level=True)


# The outputs are the rest of the function that the prompt begins; the tests define check(), which is called on it.
PROGRAM = "{{ prompt }}{{ output }}\n{{ test }}\ncheck({{ entry_point }})"


@pytest.mark.parametrize("model", ["gpt-3.5-turbo", "text-davinci-003", "gpt-4", "gpt-4-reflexion"])
@evalkit.suite(
    dataset=evalkit.load(DATA / "cases.jsonl", input=["prompt", "entry_point", "test"], id="id"),
    scorers=[code_execution(PROGRAM, allow_execution=True)],
    gates=["code_execution >= 0.2", "errors <= 0"],
)
async def test_humaneval(case, model, recorded):
    return recorded(DATA, model, case)["output"]
