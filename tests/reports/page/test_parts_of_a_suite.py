"""What a reader finds about a suite: baseline, trend, labels, repeats, scatter plot, judges, promotions; and what they lead to."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.stats.columns import read
from evalkit.stats.repeats import flaky_cases
from evalkit_reports import render_html, write_html

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def known(rich: Callable[..., Any]) -> Any:
    return rich()


def count(page: Any) -> int:
    return int(page.text_content("#count").split()[0].replace(",", ""))


def ids(page: Any) -> set[str]:
    return set(page.eval_on_selector_all(".row .id", "all => all.map(one => one.textContent)"))


def test_changes_since_the_baseline_lead_to_their_cases(reader: Any, rich_report: Path, known: Any) -> None:
    page = reader.open(rich_report)
    before, after = (
        {
            case.id: all(t.outcome == "passed" for t in run.suites[0].trials if t.case_id == case.id)
            for case in run.suites[0].cases
        }
        for run in (known.around.baseline, known.run)
    )
    worse = {case for case in after if before[case] and not after[case]}
    assert worse
    chip = page.locator("[data-pick=changed][data-letter=w]")
    assert chip.inner_text().strip() == f"{len(worse)} newly failing"
    chip.click()
    assert count(page) == 3 * len(worse)
    assert ids(page) <= worse
    assert "newly failing since the baseline" in page.inner_text("#only")
    page.click("#only button")
    assert count(page) == 180
    page.select_option("#changed", "w")
    assert count(page) == 3 * len(worse)


def test_a_bar_shows_the_gate_and_the_baseline(reader: Any, rich_report: Path) -> None:
    page = reader.open(rich_report)
    bar = page.locator(".metrics tbody tr", has_text="intent").first
    assert bar.locator(".before").count() == 1
    assert bar.locator(".flag").count() == 1
    assert re.search(
        r"interval .*gate >= 0.8, baseline 0\.\d+", bar.locator("svg[role=img]").get_attribute("aria-label")
    )
    assert re.search(r"\+0\.0\d\d.*better.*worse.*equal", bar.locator(".versus").inner_text().replace("\n", " "))


def test_the_trend_has_a_shape_for_each_run_and_breaks_where_runs_cannot_be_compared(
    reader: Any, rich_report: Path
) -> None:
    page = reader.open(rich_report)
    chart = page.locator(".trend", has_text="intent").first
    assert chart.locator(".point").count() == 10
    assert chart.locator(".step").count() == 5
    assert chart.locator(".break").count() == 4
    text = chart.inner_text()
    assert "the line breaks where runs cannot be compared; hollow: only a part of the cases" in text
    told = chart.locator(".breaks li").all_inner_texts()
    assert [line.partition(" ")[2] for line in told] == [
        "other cases: mail 00000000 → 9f2c9f2c",
        "another scorer: intent 7c01fe22ab90 → 518d0831d3de",
    ]
    assert chart.locator(".part").count() == 1
    hollow = chart.locator("svg svg", has=page.locator(".part")).locator("title").text_content()
    assert "only a part of the cases; not comparable with the run before: only a part of the cases was run" in hollow
    names = chart.locator(".point").evaluate_all("all => all.map(one => one.localName)")
    assert names[:3] == ["rect", "path", "circle"]
    assert "FAIL" in chart.locator("title").first.text_content()


def test_a_cell_of_the_label_table_leads_to_its_cases(reader: Any, rich_report: Path, known: Any) -> None:
    page = reader.open(rich_report)
    wrong = [
        (trial.case_id, score.metadata["expected"], score.label)
        for trial in known.run.suites[0].trials
        for score in trial.scores
        if score.name == "intent" and score.label != score.metadata["expected"]
    ]
    _, expected, given = wrong[0]
    same = [case for case, truth, label in wrong if (truth, label) == (expected, given)]
    page.click(f"[data-pick=labels][data-expected={expected}][data-given={given}]")
    assert count(page) == len(same)
    assert ids(page) == set(same)
    assert page.inner_text("#only").startswith(f"intent: expected {expected}, got {given}")


def test_flaky_cases_are_listed_with_each_trial_and_lead_to_the_table(
    reader: Any, rich_report: Path, known: Any
) -> None:
    page = reader.open(rich_report)
    table = read(known.run.suites[0])
    flaky = [case.case_id for case in flaky_cases(table, table.columns["intent"])]
    page.click(".flaky summary")
    assert page.locator(".flaky li a").all_inner_texts() == flaky
    assert page.locator(".flaky li").first.locator("use").count() == 3
    page.click("[data-pick=flaky]")
    assert count(page) == 3 * len(flaky)
    page.click(".flaky li a >> nth=1")
    page.wait_for_selector("#panel-title")
    assert page.inner_text("#panel-title") == flaky[1]


def test_the_variance_is_split(reader: Any, rich_report: Path) -> None:
    page = reader.open(rich_report)
    rows = page.locator(".splits tbody tr")
    assert [row.split("\n")[0].split("\t")[0] for row in rows.all_inner_texts()] == ["intent", "polite"]
    assert re.search(r"\d+% of the variance lies between cases", rows.first.locator("svg").get_attribute("aria-label"))


def test_points_of_the_scatter_plot_name_their_case_and_open_it(reader: Any, rich_report: Path, known: Any) -> None:
    page = reader.open(rich_report, width=1280, height=900)
    plot = page.locator(".scatter")
    plot.locator("select").nth(0).select_option("polite")
    plot.locator("select").nth(1).select_option("length")
    assert re.search(r"passed: median \d+ characters", plot.locator(".scatter-told").inner_text())
    page.focus(".scatter-frame")
    page.keyboard.press("Home")
    first = page.inner_text(".scatter-tip")
    assert re.fullmatch(r"mail-\d{3}( \(trial \d\))?: polite 0\.\d+, \d+ characters, (passed|missed)", first)
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".scatter-tip") != first
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel-title")
    assert page.inner_text("#panel-title") == first[:8]


def test_a_point_of_the_scatter_plot_is_found_with_the_mouse(reader: Any, rich_report: Path) -> None:
    page = reader.open(rich_report, width=1280, height=900)
    page.locator(".scatter").scroll_into_view_if_needed()
    box = page.locator(".scatter canvas").bounding_box()
    found = False
    for step in range(60):  # somewhere along the row of those that passed there is a point
        page.mouse.move(box["x"] + 60 + step * 12, box["y"] + 38)
        if page.is_visible(".scatter-tip"):
            found = True
            break
    assert found
    said = page.inner_text(".scatter-tip")
    page.mouse.down()
    page.mouse.up()
    page.wait_for_selector("#panel-title")
    assert page.inner_text("#panel-title") == said[:8]


def test_labels_can_be_filtered(reader: Any, rich_report: Path, known: Any) -> None:
    page = reader.open(rich_report)
    page.select_option("#score", label="tone")
    assert page.is_hidden("#from")
    page.select_option("#label", label="curt")
    curt = sum(score.label == "curt" for trial in known.run.suites[0].trials for score in trial.scores)
    assert count(page) == curt
    page.click("#reset")
    reader.until(page, "document.querySelector('#count').textContent === '180 rows'")
    assert page.is_visible("#from")


def test_judges_promotions_and_what_raised(reader: Any, rich_report: Path) -> None:
    page = reader.open(rich_report)
    judge = page.locator(".judge").inner_text()
    assert "calibrated" in judge
    assert "92.5%" in judge
    promotion = page.locator(".promotion").inner_text()
    for text in (
        "prompt intent",
        "v2 (99aa00bb) → v3 (ab12cd34)",
        "PASS",
        "FAIL",
        "The run is 16 days old.",
        "Overridden",
        "of their own request",
        "known by a token",
        "4f1d2c9a7b3e",
    ):
        assert text in promotion
    assert "RateLimited: 429 after 5 attempts" in page.inner_text(".raised")
    assert "3rd run at commit" in page.inner_text(".banners")


def test_nothing_shifts_with_all_of_it_on_the_page(reader: Any, rich_report: Path) -> None:
    page = reader.open(rich_report)
    shift = page.evaluate(
        """() => new Promise(resolve => {
            let sum = 0;
            new PerformanceObserver(list => { for (const e of list.getEntries()) sum += e.value; })
                .observe({type: 'layout-shift', buffered: true});
            setTimeout(() => resolve(sum), 300);
        })"""
    )
    assert shift < 0.01


@pytest.mark.parametrize("width", [360, 768, 1440, 3840])
def test_it_fits_any_width(reader: Any, rich_report: Path, shots: Callable[..., None], width: int) -> None:
    page = reader.open(rich_report, width=width, height=900)
    shots(page, f"rich-{width}", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_prints(reader: Any, rich_report: Path) -> None:
    page = reader.open(rich_report, fragment="#case-mail-004", color_scheme="dark")
    page.wait_for_selector("#panel-title")
    page.emulate_media(media="print")
    page.wait_for_selector("#printed .line")
    assert page.is_visible("#panel .waterfall")
    assert len(page.pdf()) > 20_000


def test_a_reader_without_scripts_sees_all_but_the_cases(rich: Callable[..., Any]) -> None:
    made = rich(20)
    text = render_html(made.run, around=made.around)
    markup = text.split('<script type="text/plain"', 1)[0]
    for part in ("Since the baseline", "Trend", "What was taken for what", "Repeats", "Judges", "Promotions", "Slices"):
        assert part in markup


def test_a_baseline_of_other_cases_is_refused_in_words(rich: Callable[..., Any], tmp_path: Path, reader: Any) -> None:
    made = rich(20)
    suite = made.around.baseline.suites[0]
    info = dataclasses.replace(suite.info, dataset=dataclasses.replace(suite.info.dataset, digest="0" * 64))
    before = dataclasses.replace(made.around.baseline, suites=(dataclasses.replace(suite, info=info),))
    around = dataclasses.replace(made.around, baseline=before)
    page = reader.open(write_html(made.run, tmp_path / "r.html", around=around))
    assert "Not compared" in page.inner_text("main")
    assert page.locator("#changed-pick").is_hidden()
    assert page.locator(".metrics .before").count() == 0
