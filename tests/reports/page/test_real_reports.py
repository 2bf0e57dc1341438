"""The reports that examples/real writes: published numbers, slices, trials with traces, judges with their cards."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("EVALKIT_DATA") or ROOT.parent / "shared/data")

pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(
        not (DATA / "EXPECTED.json").is_file(),
        reason=f"no recorded outputs in {DATA}: name their folder in EVALKIT_DATA",
    ),
]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages by name; of GSM8K two systems of the four, to save time."""
    spec = importlib.util.spec_from_file_location("examples_real_reports", ROOT / "examples/real/reports.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    module.SYSTEMS = module.SYSTEMS[-2:]
    return {page.stem: page for page in module.write_all(tmp_path_factory.mktemp("real"))}


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((DATA / "EXPECTED.json").read_text(encoding="utf-8"))


def test_gsm8k_is_held_against_another_system(
    reader: Any, pages: dict[str, Path], expected: dict[str, Any], shots: Callable[..., None]
) -> None:
    page = reader.open(pages["gsm8k"], width=1440, height=900)
    shots(page, "real-gsm8k")
    right = expected["gsm8k"]["values"]["gpt3-175b_verification"]["correct"]
    assert f"{right} passed" in page.inner_text(".facts")
    assert page.locator("[data-pick=changed][data-letter=w]").count() == 1
    assert page.locator(".trend").first.locator(".point").count() == 2


def test_gsm8k_compared(reader: Any, pages: dict[str, Path]) -> None:
    page = reader.open(pages["gsm8k-compared"], width=1440, height=900)
    assert "gsm8k" in page.title()


def test_bfcl_has_slices_by_category(reader: Any, pages: dict[str, Path], shots: Callable[..., None]) -> None:
    page = reader.open(pages["bfcl"], width=1440, height=900)
    shots(page, "real-bfcl", full_page=True)
    slices = page.eval_on_selector_all(".slices tbody tr", "rows => rows.map(r => r.cells[0].textContent.trim())")
    categories = {json.loads(line)["category"] for line in (DATA / "bfcl/cases.jsonl").read_text("utf-8").splitlines()}
    assert set(slices) == categories
    page.locator(".scatter select").nth(1).select_option("tokens")
    assert "tokens" in page.inner_text(".scatter-told")


def test_tau_bench_has_trials_with_traces(reader: Any, pages: dict[str, Path], shots: Callable[..., None]) -> None:
    page = reader.open(pages["tau-bench"], fragment="#case-tau-airline-02&trial=2", width=1440, height=900)
    page.wait_for_selector(".trial.here .span-row")
    shots(page, "real-tau-bench-case")
    rows = [
        json.loads(line) for line in (DATA / "tau_bench_airline/trajectories.jsonl").read_text("utf-8").splitlines()
    ]
    messages = next(row for row in rows if (row["id"], row["trial"]) == ("tau-airline-02", 1))["messages"]
    called = [call["function"]["name"] for message in messages for call in message.get("tool_calls") or []]
    shown = page.locator(".trial.here .span-row:has(use[href='#i-k-tool']) .span-name").all_text_contents()
    assert shown == called
    assert page.locator(".trial").count() == 4


def test_llmbar_has_a_card_for_each_judge(reader: Any, pages: dict[str, Path], shots: Callable[..., None]) -> None:
    page = reader.open(pages["llmbar"], width=1440, height=900)
    shots(page, "real-llmbar", full_page=True)
    cards = page.locator(".judge").all_inner_texts()
    assert [card.split()[0] for card in cards] == [
        "GPT-4/Vanilla_NoRules", "GPT-4/CoT", "ChatGPT/Vanilla_NoRules", "LLaMA2/Vanilla_NoRules",
    ]  # fmt: skip
    assert all("both orders agree" in card for card in cards)
    assert page.locator(".matrix").count() == 4
