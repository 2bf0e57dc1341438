"""Reports of recorded model outputs: numbers as published, contents as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalkit.case import Case
from evalkit.score import Score
from evalkit.trial import Output, Trial, Usage
from evalkit_reports import write_html

pytestmark = [pytest.mark.data, pytest.mark.browser]


def test_gsm8k_shows_the_published_count_and_each_solution(
    recorded: Any, reader: Any, suite_run: Any, judged: Any, run_of: Any, tmp_path: Path
) -> None:
    cases = [
        Case(id=row["id"], input={"question": row["question"]}, expected=row["answer"])
        for row in recorded("gsm8k/cases.jsonl")
    ]
    rows = [row for row in recorded("gsm8k/outputs.jsonl") if row["model"] == "gpt3-175b_verification"]
    trials = [
        Trial(
            case_id=row["id"],
            output=Output(value=row["output"]),
            scores=(Score(name="correct", value=row["is_correct"]),),
            outcome="passed" if row["is_correct"] else "missed",
            started_at=run_of().started_at,
            duration=0.1,
        )
        for row in rows
    ]
    path = write_html(judged(suite_run("gsm8k", cases, trials), "correct >= 0.5 @ 95%"), tmp_path / "r.html")
    page = reader.open(path)
    assert page.inner_text(".stamp").strip() == "PASS"
    assert "742 passed" in page.inner_text(".facts")
    assert "742 of 1,319 are 1 (56.3%)" in page.inner_text("figure[data-score=correct]")
    page.click("#outcomes [data-outcome=m]")
    assert page.text_content("#count") == "577 of 1,319 rows"
    page.click(".row >> nth=0")
    page.wait_for_selector("#panel-title")
    wrong = next(row for row in rows if not row["is_correct"])
    assert page.inner_text("#panel-title") == wrong["id"]
    assert wrong["output"] in page.locator("#panel .block", has_text="Output").locator(".shown").first.text_content()


def test_function_calls_show_slices_latency_and_tokens(
    recorded: Any, reader: Any, suite_run: Any, run_of: Any, tmp_path: Path
) -> None:
    cases = [
        Case(
            id=row["id"],
            input={"question": row["question"], "functions": row["functions"]},
            expected=row["possible_answer"],
            metadata={"category": row["category"]},
        )
        for row in recorded("bfcl/cases.jsonl")
    ]
    rows = [row for row in recorded("bfcl/outputs.jsonl") if row["model"] == "gpt-4o-2024-05-13-FC"]
    trials = [
        Trial(
            case_id=row["id"],
            output=Output(
                value=row["tool_calls"] or row["text"],
                latency=row["latency_s"],
                usage=Usage(input_tokens=row["input_tokens"], output_tokens=row["output_tokens"]),
            ),
            scores=(Score(name="call", value=row["valid"], explanation=str(row["error"] or "")),),
            outcome="passed" if row["valid"] else "missed",
            started_at=run_of().started_at,
            duration=row["latency_s"],
        )
        for row in rows
    ]
    page = reader.open(write_html(run_of(suite_run("bfcl", cases, trials)), tmp_path / "r.html"))
    slices = page.eval_on_selector_all(".slices tbody tr", "rows => rows.map(r => r.cells[0].textContent.trim())")
    assert sorted(slices) == sorted({row["category"] for row in recorded("bfcl/cases.jsonl")})
    values = page.eval_on_selector_all(".slices tbody tr", "rows => rows.map(r => parseFloat(r.cells[2].textContent))")
    assert values == sorted(values)
    assert page.locator("figure", has_text="latency").locator(".bin").count() > 3
    page.click(".row >> nth=0")
    page.wait_for_selector("#panel-title")
    assert page.locator("#panel .j-key").count() > 3


def test_conversations_read_as_conversations(
    recorded: Any, reader: Any, suite_run: Any, run_of: Any, tmp_path: Path
) -> None:
    rows = [row for row in recorded("tau_bench_airline/trajectories.jsonl") if row["id"] < "tau-airline-05"]
    cases = [Case(id=id_) for id_ in sorted({row["id"] for row in rows})]
    trials = [
        Trial(
            case_id=row["id"],
            number=row["trial"] + 1,
            output=Output(value=row["messages"]),
            scores=(Score(name="reward", value=row["reward"] == 1.0),),
            outcome="passed" if row["reward"] == 1.0 else "missed",
            started_at=run_of().started_at,
            duration=1.0,
        )
        for row in rows
    ]
    path = write_html(run_of(suite_run("airline", cases, trials)), tmp_path / "r.html")
    page = reader.open(path, fragment="#case-tau-airline-02&trial=2")
    page.wait_for_selector(".trial.here")
    assert page.locator(".trial").count() == 4
    messages = next(row for row in rows if row["id"] == "tau-airline-02" and row["trial"] == 1)["messages"]
    assert page.locator(".trial.here .message").count() == len(messages)
    assert messages[0]["content"] in page.text_content(".trial.here .message >> nth=0")
    called = [call["function"]["name"] for message in messages for call in message.get("tool_calls") or []]
    assert called
    assert f"calls {called[0]}" in page.text_content(".trial.here .chat")
