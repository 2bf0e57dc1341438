"""The index over a folder of pages: newest first, by what each page says of itself, and nothing a page says can harm."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import EvalkitError
from evalkit.runs import Run
from evalkit_reports import write_html, write_index, write_versus

ATTACK = '"><script>window.pwned=1</script><img src=x onerror=window.pwned=1>'


@pytest.fixture
def folder(support_run: Callable[..., Run], tmp_path: Path) -> Path:
    """Three reports and one comparison, of runs a day apart."""
    folder = tmp_path / "reports"
    run = support_run(12)
    runs = [
        dataclasses.replace(run, id=f"run-{day}", started_at=run.started_at + dt.timedelta(days=day))
        for day in range(3)
    ]
    write_html(runs[1], folder / "b.html")
    write_html(runs[0], folder / "sub" / "a.html")
    write_html(runs[2], folder / "c d#1?.html", title="The newest & best")
    write_versus(runs[0], [runs[1]], folder / "compare.html")
    (folder / "notes.html").write_text("<html>none of ours")
    (folder / "report.json").write_text("{}")
    return folder


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.split("<main>")[1]).split())


def pretend(path: Path, said: Any) -> None:
    """A page that says of itself what `said` is."""
    text = said if isinstance(said, str) else json.dumps(said)
    path.write_text(f'<!doctype html><meta name="evalkit-report" content="{escape(text)}"><style>', "utf-8", "replace")


def test_pages_are_listed_newest_first_with_links(folder: Path) -> None:
    path, pages = write_index(folder)
    assert (path.name, pages) == ("index.html", 4)
    page = path.read_text("utf-8")
    links = re.findall(r'<a href="([^"]+)" dir="auto">([^<]+)</a>', page)
    assert links == [
        ("./c%20d%231%3F.html", "The newest &amp; best"),
        ("./b.html", "support"),
        ("./compare.html", "support: 2 runs compared"),
        ("./sub/a.html", "support"),
    ]
    told = text_of(page)
    assert "IDENTICAL support: 2 runs compared 2026-11-21 09:30 UTC" in told
    assert "12 cases in both, 0 newly failing, 0 newly passing" in told
    assert re.search(r"support 12 cases resolved rate 0\.\d+ ", told)


def test_the_index_itself_is_no_report_and_is_written_again(folder: Path) -> None:
    write_index(folder)
    assert write_index(folder)[1] == 4


def test_an_index_of_somebody_else_stays(folder: Path) -> None:
    (folder / "index.html").write_text("my own page")
    with pytest.raises(EvalkitError, match="did not write"):
        write_index(folder)
    assert (folder / "index.html").read_text() == "my own page"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EvalkitError, match="no such folder"):
        write_index(tmp_path / "nowhere")


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    path, pages = write_index(tmp_path)
    assert pages == 0
    assert "No page in this folder is a report of evalkit." in path.read_text("utf-8")


@pytest.mark.parametrize(
    "said",
    [
        "not json",
        "[" * 5000,
        [],
        {"schema": "evalkit.page/9", "kind": "run"},
        {"schema": "evalkit.page/1", "kind": "index"},
        {"schema": "evalkit.page/1", "kind": ["run"]},
    ],
)
def test_a_page_that_says_nothing_we_know_is_left_out(tmp_path: Path, said: Any) -> None:
    pretend(tmp_path / "x.html", said)
    assert write_index(tmp_path)[1] == 0


@pytest.mark.parametrize("wrong", [None, 3, [], {}, "x", -1, 1e999, True, ["a", None, {"name": 5}]])
def test_fields_of_any_type_are_borne(tmp_path: Path, wrong: Any) -> None:
    fields = [
        "title",
        "started_at",
        "decision",
        "commit",
        "branch",
        "suites",
        "more_suites",
        "status",
        "word",
        "partial",
    ]
    suite = dict.fromkeys(["name", "decision", "cases", "metric", "refused", "newly_failing"], wrong)
    metric = dict.fromkeys(["name", "value", "low", "high", "unit"], wrong)
    base = {"schema": "evalkit.page/1", "kind": "run"}
    pretend(tmp_path / "a.html", base | dict.fromkeys(fields, wrong))
    pretend(tmp_path / "b.html", base | {"kind": "comparison", "suites": [suite, suite | {"metric": metric}]})
    pretend(tmp_path / "c.html", base | {"suites": [{"metric": metric | {"value": 0.5}}, wrong]})
    assert write_index(tmp_path)[1] == 3


@pytest.mark.browser
def test_what_pages_and_their_names_say_is_text(chromium: Any, tmp_path: Path) -> None:
    said = {
        "schema": "evalkit.page/1", "kind": "run", "title": ATTACK, "decision": ATTACK, "branch": ATTACK,
        "commit": ATTACK, "started_at": "2026-11-20T09:30:00+00:00", "status": ATTACK,
        "suites": [{"name": ATTACK, "metric": {"name": ATTACK, "value": 0.5, "unit": ATTACK, "statistic": ATTACK}}],
    }  # fmt: skip
    pretend(tmp_path / "javascript:window.pwned=1.html", said)
    pretend(tmp_path / "'onclick='window.pwned=1'.html", said | {"kind": "comparison", "word": ATTACK})
    path, pages = write_index(tmp_path)
    assert pages == 2
    browser_page = chromium.new_page()
    complaints: list[str] = []
    browser_page.on("console", lambda message: complaints.append(message.text))
    browser_page.goto(path.as_uri())
    assert browser_page.locator("h1").inner_text().startswith("Reports")
    links = browser_page.eval_on_selector_all(".entries a", "all => all.map(a => [a.protocol, a.textContent])")
    assert links == [["file:", ATTACK]] * 2
    assert browser_page.evaluate("[window.pwned, document.querySelectorAll('script, img').length]") == [None, 0]
    browser_page.set_viewport_size({"width": 360, "height": 700})
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= 360
    assert complaints == []
    browser_page.close()
