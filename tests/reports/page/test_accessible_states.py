"""axe-core (WCAG 2.2 A and AA, and its best practices) finds nothing in any state of the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

pytestmark = pytest.mark.browser

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
RULES = """async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const found = await axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']});
    return found.violations.map(v => [v.id, v.help, v.nodes.slice(0, 4).map(n => n.html.slice(0, 160) + ' ' + n.failureSummary.slice(0, 200))]);
}"""


def complaints(page: Any) -> list[Any]:
    page.evaluate(AXE)
    return page.evaluate(RULES)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_with_everything_on_it(
    reader: Any, rich_report: Path, shots: Callable[..., None], scheme: str
) -> None:
    page = reader.open(rich_report, width=1440, height=900, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true; })")
    shots(page, f"page-{scheme}", full_page=True)
    assert complaints(page) == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 360)])
def test_an_open_case(reader: Any, rich_report: Path, shots: Callable[..., None], scheme: str, width: int) -> None:
    page = reader.open(rich_report, fragment="#case-mail-004&trial=2", width=width, height=900, color_scheme=scheme)
    page.wait_for_selector("#panel-title")
    page.evaluate("document.querySelectorAll('#panel summary').forEach(one => one.click())")
    page.evaluate("[...document.querySelectorAll('#panel .span-row')].slice(0, 4).forEach(row => row.click())")
    page.wait_for_selector("#panel .span-details")
    shots(page, f"case-{width}-{scheme}")
    assert complaints(page) == []


def test_a_phone(reader: Any, rich_report: Path, shots: Callable[..., None]) -> None:
    page = reader.open(rich_report, width=360, height=780, color_scheme="dark")
    shots(page, "page-360-dark", full_page=True)
    assert complaints(page) == []


def test_filters_at_work_and_the_list_of_keys(reader: Any, rich_report: Path, shots: Callable[..., None]) -> None:
    page = reader.open(rich_report, width=768, height=1000)
    page.click("[data-pick=changed][data-letter=w]")
    assert complaints(page) == []
    page.fill("#search", "no such words")
    page.wait_for_selector("text=No case matches these filters")
    assert complaints(page) == []
    page.focus("#table")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    shots(page, "keys-768-light")
    assert complaints(page) == []
    page.keyboard.press("Escape")
    assert not page.is_visible("#help")


def test_escape_closes_the_list_of_keys_and_leaves_the_case_open(reader: Any, rich_report: Path) -> None:
    page = reader.open(rich_report, fragment="#case-mail-004")
    page.wait_for_selector("#panel-title")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    assert not page.is_visible("#help")
    assert page.inner_text("#panel-title") == "mail-004"
    page.keyboard.press("Escape")
    page.wait_for_selector("#panel", state="hidden")


def test_a_run_without_anything_around_it(reader: Any, support_report: Path) -> None:
    assert complaints(reader.open(support_report)) == []
