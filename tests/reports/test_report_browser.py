"""A reader walks through the report in Chromium. The `reader` fixture fails on any console message or request."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from evalkit_reports import write_html

pytestmark = pytest.mark.browser


def ids(page: Any) -> list[str]:
    """The cases in the table's window, from the top."""
    rows = page.eval_on_selector_all(
        ".row", "rows => rows.map(r => [parseFloat(r.style.top), r.querySelector('.id').textContent])"
    )
    return [case for _, case in sorted(rows)]


def shown(page: Any) -> str:
    return page.text_content("#count")


def test_first_screen_has_the_verdict_why_and_the_gates(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report)
    for selector in (".stamp", ".sentence", ".reasons li", ".facts .legend", ".gates tbody tr"):
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800, f"{selector} is below the first screen"
    assert page.inner_text(".stamp").strip() == "FAIL"
    assert "1 of 4 gates failed" in page.inner_text(".sentence")
    assert page.locator(".stamp use").get_attribute("href") == "#i-fail"
    assert page.title().startswith("FAIL")


def test_nothing_shifts_while_the_cases_load(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report)
    shift = page.evaluate(
        """() => new Promise(resolve => {
            let sum = 0;
            new PerformanceObserver(list => { for (const e of list.getEntries()) sum += e.value; })
                .observe({type: 'layout-shift', buffered: true});
            setTimeout(() => resolve(sum), 300);
        })"""
    )
    assert shift < 0.01


def test_search_finds_words_in_ids_outputs_and_tracebacks(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report)
    page.fill("#search", "support-00017")
    reader.until(page, "document.querySelector('#count').textContent.startsWith('1 of')")
    assert ids(page) == ["support-00017"]
    page.fill("#search", "RateLimited client.py")
    reader.until(
        page,
        "document.querySelectorAll('.row').length && !document.querySelector('#count').textContent.startsWith('1 of')",
    )
    outcomes = page.eval_on_selector_all(".row .outcome", "cells => cells.map(c => c.textContent.trim())")
    assert set(outcomes) == {"errored"}
    page.fill("#search", '"no such words at all"')
    page.wait_for_selector("text=No case matches these filters")
    page.keyboard.press("Escape")
    reader.until(page, "!document.querySelector('#count').textContent.includes(' of ')")


def test_filters_by_outcome_tag_and_score_and_clears(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report)
    page.click("#outcomes [data-outcome=m]")
    assert page.get_attribute("#outcomes [data-outcome=m]", "aria-pressed") == "true"
    said = int(re.search(r"missed (\d+)", page.inner_text("#outcomes [data-outcome=m]"))[1])
    assert shown(page).startswith(f"{said} of 240")
    page.click("#outcomes [data-outcome='']")
    page.select_option("#tag", label="hard")
    assert shown(page).startswith("48 of 240")
    page.select_option("#tag", "")
    page.select_option("#score", label="helpful")
    page.fill("#below", "0.5")
    values = page.eval_on_selector_all(".row", "rows => rows.map(r => r.children[5].textContent)")
    assert values
    assert all(float(value) < 0.5 for value in values)
    page.click("#reset")
    reader.until(page, "document.querySelector('#count').textContent === '240 rows'")
    assert page.input_value("#below") == ""


def test_a_bar_of_the_histogram_filters_by_its_range(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report)
    bin_ = page.locator("figure[data-score=helpful] .bin").nth(5)
    count = int(bin_.locator("title").text_content().rsplit(": ", 1)[1])
    bin_.click()
    reader.until(page, "document.querySelector('#count').textContent.includes(' of ')")
    assert shown(page).startswith(f"{count} of 240")


def test_sorts_by_header_with_the_unknown_last(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report)
    page.click("#head button:text-is('Latency')")
    page.click("#head button:text-is('Latency')")
    assert page.get_attribute("#head [aria-sort]", "aria-sort") == "descending"
    slowest = page.eval_on_selector_all(
        ".row", "rows => rows.map(r => [parseFloat(r.style.top), r.querySelector('.latency').textContent])"
    )
    seconds = [float(text.split()[0]) for _, text in sorted(slowest)]
    assert seconds == sorted(seconds, reverse=True)
    page.select_option("#sort", label="helpful, lowest first")
    page.evaluate("document.querySelector('#table').scrollTop = 1e9")
    page.wait_for_selector(".row[aria-rowindex='241']")
    last = page.inner_text(".row[aria-rowindex='241'] >> nth=0")
    assert re.search(r"–|unscored|errored", last)


def test_opens_a_case_with_everything_about_it(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report)
    page.click(".row:has-text('support-00003')")
    page.wait_for_selector("#panel-title")
    panel = page.inner_text("#panel")
    for said in (
        "support-00003",
        "Input",
        "Expected",
        "Output",
        "Scores",
        "helpful",
        "Covers",
        "Trace",
        "Latency",
        "Tokens",
    ):
        assert said in panel
    assert page.evaluate("location.hash") == "#case-support-00003"
    page.click("#panel button:text-is('JSON') >> nth=0")
    assert '"question"' in page.inner_text("#panel .block >> nth=0")
    page.click("#panel [aria-label=Close]")
    assert page.is_hidden("#panel")
    assert page.evaluate("document.activeElement.id") == "table"


def test_an_error_is_shown_with_its_traceback(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report)
    page.fill("#search", "RateLimited")
    reader.until(page, "document.querySelector('#count').textContent.includes(' of ')")
    page.click(".row >> nth=0")
    page.wait_for_selector("#panel .fault")
    page.click("#panel summary:text-is('Traceback')")
    assert "raise RateLimited(response.headers)" in page.inner_text("#panel .fault pre")


def test_a_deep_link_opens_the_case_and_an_unknown_one_is_said(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report, fragment="#case-support-00200")
    page.wait_for_selector("#panel-title")
    assert page.inner_text("#panel-title") == "support-00200"
    assert "201 of 240" in page.inner_text(".panel-head")
    page.keyboard.press("Escape")
    page.wait_for_selector(".row.active:has-text('support-00200')")
    other = reader.open(support_report, fragment="#case-nowhere")
    assert "no case nowhere" in other.inner_text("#trouble")


def test_back_and_forward_close_and_open_the_case(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report)
    page.click(".row:has-text('support-00002')")
    page.wait_for_selector("#panel-title")
    page.go_back()
    page.wait_for_selector("#panel", state="hidden")
    page.go_forward()
    page.wait_for_selector("#panel-title")
    assert page.inner_text("#panel-title") == "support-00002"


def test_keyboard_alone_is_enough(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report)
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.inner_text(".row.active .id") == "support-00001"
    page.focus("#table")
    page.keyboard.press("End")
    assert page.inner_text(".row.active .id") == "support-00239"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel-title")
    assert page.inner_text("#panel-title") == "support-00001"
    page.keyboard.press("j")
    reader.until(page, "document.querySelector('#panel-title').textContent === 'support-00002'")
    page.keyboard.press("Escape")
    assert page.is_hidden("#panel")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("00005")
    reader.until(page, "document.querySelector('#count').textContent.startsWith('1 of')")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel-title")
    assert page.inner_text("#panel-title") == "support-00005"


def test_focus_is_visible_and_landmarks_are_named(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the cases"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.locator("main").count() == 1
    unnamed = page.eval_on_selector_all(
        "section, aside, nav, [role=region], [role=grid], button:not([hidden]), input, select",
        """elements => elements.filter(e => !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby')
            && !(e.labels && e.labels.length) && !e.textContent.trim()).map(e => e.outerHTML.slice(0, 80))""",
    )
    assert unnamed == []
    levels = page.eval_on_selector_all("h1, h2, h3", "all => all.map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1


def test_dark_follows_the_system_and_the_button(reader: Any, support_report: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = reader.open(support_report), reader.open(support_report, color_scheme="dark")
    bright, dim = light.evaluate(ground), dark.evaluate(ground)
    assert bright != dim
    light.click("#theme")
    assert light.evaluate(ground) == dim
    light.reload()
    light.wait_for_selector("html[data-ready=yes]")
    assert light.evaluate(ground) == dim


def test_print_shows_the_filtered_cases_and_no_controls(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report, color_scheme="dark")
    page.click("#outcomes [data-outcome=e]")
    page.emulate_media(media="print")
    page.wait_for_selector("#printed .line")
    lines = page.locator("#printed .line").count()
    assert shown(page).startswith(f"{lines} of")
    for selector in (".tools", "#table", "#theme"):
        assert page.is_hidden(selector)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf()) > 10_000


def test_a_phone_shows_it_without_sideways_scrolling(reader: Any, support_report: Path) -> None:
    page = reader.open(support_report, width=360, height=740, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator(".row >> nth=0").scroll_into_view_if_needed()
    assert page.locator(".row .digest >> nth=0").is_visible()
    page.tap(".row >> nth=0")
    page.wait_for_selector("#panel-title")
    box = page.locator("#panel").bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 360)
    assert page.evaluate("document.querySelector('.panel-body').scrollWidth") <= 360
    assert page.locator("#panel [aria-label=Close]").is_visible()


def test_trials_stand_side_by_side(reader: Any, support_run: Any, tmp_path: Path) -> None:
    path = write_html(support_run(12, repeat=3), tmp_path / "r.html")
    page = reader.open(path, fragment="#case-support-00004&trial=3")
    page.wait_for_selector(".trial.here")
    assert page.locator(".trial").count() == 3
    assert page.inner_text(".trial.here h3").startswith("Trial 3")
    tops = {page.locator(".trial").nth(place).bounding_box()["y"] for place in range(3)}
    assert len(tops) == 1


def test_several_suites_have_tabs_that_also_choose_the_cases(
    reader: Any, support_run: Any, run_of: Any, suite_run: Any, tmp_path: Path
) -> None:
    one = support_run(20).suites[0]
    other = suite_run("second", one.cases[:7], one.trials[:7])
    path = write_html(run_of(one, other), tmp_path / "r.html")
    page = reader.open(path)
    assert page.locator(".suite:visible").count() == 0
    page.click("[role=tab]:has-text('second')")
    assert page.locator(".suite:visible").count() == 1
    assert shown(page).startswith("7 of 27")
    page.keyboard.press("ArrowLeft")
    assert page.get_attribute("[role=tab]:has-text('support')", "aria-selected") == "true"
    assert shown(page).startswith("20 of 27")
    link = reader.open(path, fragment="#case-support-00003&suite=second")
    link.wait_for_selector("#panel-title")
    assert "second" in link.inner_text(".panel-body .meta >> nth=0")


@pytest.mark.parametrize("width", [360, 768, 1280, 3840])
def test_the_page_fits_any_width(reader: Any, support_report: Path, width: int) -> None:
    page = reader.open(support_report, width=width, height=900)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
