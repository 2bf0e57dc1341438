"""The published numbers of recorded model outputs come out, case by case."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from evalkit.case import Case
from evalkit_scorers import code_execution, exact_match, numeric_match, on, tool_call_match
from evalkit_scorers.tool_calls import tool_calls_of

DATA = Path(os.environ.get("EVALKIT_DATA", Path(__file__).resolve().parents[2].parent / "shared/data"))
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded outputs are not at {DATA}; set EVALKIT_DATA"),
]


def rows(name: str) -> list[dict]:
    with (DATA / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def passed(result) -> bool:
    return result if isinstance(result, bool) else result.passed


def test_gsm8k_flags_all_agree():
    answers = {case["id"]: case["answer"] for case in rows("gsm8k/cases.jsonl")}
    outputs = rows("gsm8k/outputs.jsonl")
    scorer = numeric_match(after="A: ")
    found = [passed(scorer(output=row["output"], expected=answers[row["id"]])) for row in outputs]
    assert len(found) == 4 * 1319
    assert [row["id"] for row, right in zip(outputs, found, strict=True) if right != row["is_correct"]] == []
    correct = Counter(row["model"] for row, right in zip(outputs, found, strict=True) if right)
    assert correct == {
        "gpt3-6b_finetuning": 286,
        "gpt3-6b_verification": 515,
        "gpt3-175b_finetuning": 458,
        "gpt3-175b_verification": 742,
    }


def test_bbh_cells():
    targets = {case["id"]: (case["task"], case["target"]) for case in rows("bbh/cases.jsonl")}
    expected = json.loads((DATA / "EXPECTED.json").read_text(encoding="utf-8"))["bbh"]["values"]

    def answer(text: str) -> str:
        said = text.rpartition("the answer is ")[2].strip()
        return said.removesuffix(".").strip()

    scorers = {"direct": exact_match(strip=True), "cot": on(answer, exact_match(strip=True))}
    correct: Counter[str] = Counter()
    for row in rows("bbh/outputs.jsonl"):
        task, target = targets[row["id"]]
        prompting = row["model"].rpartition("-")[2]
        correct[f"{task}/{prompting}"] += passed(scorers[prompting](output=row["output"], expected=target))
    assert correct == {cell: values["correct"] for cell, values in expected.items()}


def test_every_recorded_bfcl_answer_can_be_read_as_calls():
    categories = {case["id"]: case["category"] for case in rows("bfcl/cases.jsonl")}
    outputs = rows("bfcl/outputs.jsonl")
    for row in outputs:
        calls = tool_calls_of(row["tool_calls"])
        assert bool(calls) == bool(row["tool_calls"])
        assert tool_call_match()(output=row["tool_calls"], expected=row["tool_calls"] or []) is True or any(
            call.fault for call in calls
        )
    # Where no function fits, no call is right. BFCL also lets a call pass whose arguments nobody can read.
    relevance = [row for row in outputs if categories[row["id"]] == "relevance"]
    assert relevance
    scorer = tool_call_match()
    differing = [row for row in relevance if passed(scorer(output=row["tool_calls"], expected=[])) != row["valid"]]
    assert len(differing) == 3
    assert all(row["valid"] and all(call.fault for call in tool_calls_of(row["tool_calls"])) for row in differing)


def test_tau_bench_conversations_are_trajectories_of_calls():
    for row in rows("tau_bench_airline/trajectories.jsonl"):
        calls = tool_calls_of(row["messages"])
        made = [call for message in row["messages"] for call in message.get("tool_calls") or ()]
        assert [call.name for call in calls] == [call["function"]["name"] for call in made]
        assert tool_call_match()(output=row["messages"], expected=made) is True


@pytest.mark.slow
def test_humaneval_programs_pass_as_published():
    cases = {
        row["id"]: Case(
            id=row["id"],
            input={"prompt": row["prompt"]},
            metadata={"test": row["test"], "entry_point": row["entry_point"]},
        )
        for row in rows("humaneval/cases.jsonl")
    }
    scorer = code_execution(
        "{{ prompt }}{{ output }}\n{{ test }}\ncheck({{ entry_point }})", allow_execution=True, timeout=20
    )
    correct = Counter(
        row["model"]
        for row in rows("humaneval/outputs.jsonl")
        if scorer(case=cases[row["id"]], output=row["output"]).passed
    )
    assert correct == {"gpt-4": 134, "gpt-3.5-turbo": 42, "text-davinci-003": 93, "gpt-4-reflexion": 150}
