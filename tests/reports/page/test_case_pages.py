"""What a reader finds on the page of a case: prompt, difference, transcript, waterfall, versions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit_reports import write_html

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def single(rich: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each case once, so that a case is one column."""
    made = rich(40, repeat=1, seed=11)
    return write_html(made.run, tmp_path_factory.mktemp("single") / "report.html", around=made.around)


def trial_where(rich: Callable[..., Any], outcome: str) -> Any:
    return next(trial for trial in rich(40, repeat=1, seed=11).run.suites[0].trials if trial.outcome == outcome)


def opened(reader: Any, path: Path, case: str) -> Any:
    page = reader.open(path, fragment=f"#case-{case}")
    page.wait_for_selector("#panel-title")
    return page


def test_a_miss_is_held_against_what_was_expected_word_by_word(reader: Any, single: Path, rich: Any) -> None:
    trial = trial_where(rich, "missed")
    page = opened(reader, single, trial.case_id)
    case = next(case for case in rich(40, repeat=1, seed=11).run.suites[0].cases if case.id == trial.case_id)
    wanted, given = case.expected["intent"], trial.output.value["intent"]
    difference = page.locator("#panel .diff")
    assert difference.locator("del").first.text_content() == wanted
    assert difference.locator("ins").first.text_content() == given
    assert page.get_attribute("#panel .mode:has-text('Against expected')", "aria-pressed") == "true"
    page.click("#panel .block:has(h4:text-is('Output')) .mode:has-text('Fields')")
    assert page.locator("#panel .diff").count() == 0


def test_an_output_that_is_what_was_expected_is_said_to_be(reader: Any, single: Path, rich: Any) -> None:
    page = opened(reader, single, trial_where(rich, "passed").case_id)
    page.click("#panel .mode:has-text('Same as expected')")
    assert "character by character" in page.inner_text("#panel .diff-key")


def test_the_prompt_is_shown_as_it_was_sent(reader: Any, single: Path, rich: Any) -> None:
    trial = trial_where(rich, "passed")
    page = opened(reader, single, trial.case_id)
    fold = page.locator("#panel .fold", has_text="Prompt as it was sent").last
    assert "2 messages to sorter-mini-2026, the first of 2 calls" in fold.inner_text()
    fold.locator("summary").first.click()
    said = fold.locator(".message").all_inner_texts()
    assert said[0].startswith("system")
    assert "Which intent has this message?" in said[1]


def test_a_score_leads_to_what_its_judge_was_asked_and_answered(reader: Any, single: Path, rich: Any) -> None:
    page = opened(reader, single, trial_where(rich, "passed").case_id)
    entry = page.locator("#panel .scores > div", has_text="polite")
    assert "took 1 call · 180 in, 12 out · $0.00090" in entry.inner_text()
    entry.locator("summary", has_text="Transcript of the judge").click()
    told = entry.locator(".fold-body").inner_text()
    assert "Is the reply polite?" in told
    assert "verdict" in told
    assert page.locator("#panel summary:has-text('Transcript of the judge')").count() == 1


def test_the_waterfall_is_a_tree_with_times_tokens_and_cost(reader: Any, single: Path, rich: Any) -> None:
    trial = trial_where(rich, "passed")
    page = opened(reader, single, trial.case_id)
    rows = page.locator("#panel .span-row")
    kinds = rows.locator(".span-kind").all_inner_texts()
    assert kinds == ["trial", "agent", "model", "tool", "retrieval", "model", "scorer", "model"]
    indents = rows.locator(".span-title").evaluate_all(
        "all => all.map(one => parseFloat(getComputedStyle(one).paddingLeft))"
    )
    assert indents == [14.0 * depth for depth in (0, 1, 2, 2, 2, 2, 1, 2)]
    bars = rows.locator("rect").evaluate_all(
        "all => all.map(r => [r.getAttribute('x'), r.getAttribute('width')].map(parseFloat))"
    )
    assert bars[0] == [0.0, 100.0]
    assert bars[1] == [pytest.approx(100 * 4 / 900, abs=0.01), pytest.approx(100 * 610 / 900, abs=0.01)]
    told = rows.nth(2).inner_text().split()
    assert "240" in told
    assert "$0.00042" in told
    rows.nth(3).click()
    details = page.locator("#panel .span-details")
    assert "search" in details.inner_text()
    assert [head.split("\n")[0] for head in details.locator(".block-head").all_inner_texts()] == ["Arguments", "Result"]
    assert rows.nth(3).get_attribute("aria-expanded") == "true"
    rows.nth(3).click()
    assert page.locator("#panel .span-details").count() == 0


def test_a_step_that_failed_says_so_in_word_and_shape(reader: Any, rich: Any, tmp_path: Path) -> None:
    made = rich(40, repeat=1, seed=11).run
    suite = made.suites[0]
    broken = next(t for t in suite.trials if t.trace and any(span.status == "error" for span in t.trace.spans))
    page = opened(reader, write_html(made, tmp_path / "r.html"), broken.case_id)
    row = page.locator("#panel .span-row", has_text="execute_tool")
    assert "error" in row.inner_text()
    assert row.locator("use[href='#i-errored']").count() == 1
    row.click()
    assert "no such index" in page.inner_text("#panel .span-details .fault")


def test_the_search_finds_what_only_a_trace_has(reader: Any, single: Path, rich: Any) -> None:
    suite = rich(40, repeat=1, seed=11).run.suites[0]
    broken = {t.case_id for t in suite.trials if t.trace and any(span.error for span in t.trace.spans)}
    page = reader.open(single)
    page.fill("#search", '"no such index"')
    reader.until(page, f"document.querySelector('#count').textContent.startsWith('{len(broken)} of')")
    page.fill("#search", '"execute_tool search"')
    reader.until(page, "/^[1-9]/.test(document.querySelector('#count').textContent)")


def test_versions_and_the_cost_of_judges_stand_with_the_trial(reader: Any, single: Path, rich: Any) -> None:
    page = opened(reader, single, trial_where(rich, "passed").case_id)
    facts = page.locator("#panel .meta").last.inner_text()
    text = " ".join(page.locator("#panel .meta").all_inner_texts()).replace("\n", " ")
    assert "intent v3 (ab12cd34)" in text
    assert "sorter (cd34ef56)" in text
    assert "Judges 1 call · 180 in, 12 out · $0.00090" in text
    assert facts


def test_a_trace_of_many_spans_is_cut_and_says_so(reader: Any, rich: Any, tmp_path: Path) -> None:
    made = rich(3, repeat=1, seed=2).run
    suite = made.suites[0]
    trial = next(trial for trial in suite.trials if trial.trace)
    root = trial.trace.spans[0]
    many = [
        dataclasses.replace(root, span_id=f"{n:016x}", parent_id=root.span_id, kind="chain", name=f"step {n}")
        for n in range(100, 700)
    ]
    trace = dataclasses.replace(trial.trace, spans=(root, *many))
    trials = tuple(dataclasses.replace(one, trace=trace) if one is trial else one for one in suite.trials)
    path = write_html(
        dataclasses.replace(made, suites=(dataclasses.replace(suite, trials=trials),)), tmp_path / "r.html"
    )
    page = opened(reader, path, trial.case_id)
    assert page.locator("#panel .span-row").count() == 400
    assert "201 more spans" in page.inner_text("#panel .waterfall .cut-note")
