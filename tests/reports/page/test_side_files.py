"""Where the contents are too much for one file they stand beside the page, which reads them from disk."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import EvalkitError
from evalkit_reports import write_html
from evalkit_reports.sidefiles import FILE, side_files


@pytest.fixture(scope="module")
def paged(support_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 cases, in a folder and under a name that a URL has to spell otherwise."""
    folder = tmp_path_factory.mktemp("side") / "nightly #4 – é"
    return write_html(support_run(2_000, gated=False), folder / "report 50%.html", inline=100_000)


def folder_of(page: Path) -> Path:
    return page.with_name("report 50%.files")


@pytest.mark.browser
def test_a_page_reads_its_side_files_from_disk(reader: Any, paged: Path) -> None:
    page = reader.open(paged)
    assert "Side files" in page.inner_text(".banners")
    assert "report 50%.files" in page.inner_text(".banners")
    assert page.evaluate("document.querySelectorAll('script[src]').length") == 0, "nothing is read before it is needed"
    page.click(".row >> nth=3")
    page.wait_for_selector("#panel-title")
    assert "Sorry about that!" in page.inner_text("#panel")
    page.fill("#search", "support-01999 working")
    reader.until(page, "document.querySelector('#count').textContent.startsWith('1 of 2,000')")
    page.focus("#table")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    reader.until(page, "document.querySelector('#panel-title')?.textContent === 'support-01999'")


@pytest.mark.browser
def test_a_deep_link_into_a_side_file(reader: Any, paged: Path) -> None:
    page = reader.open(paged, fragment="#case-support-01234")
    page.wait_for_selector("#panel-title")
    assert page.inner_text("#panel-title") == "support-01234"


@pytest.mark.browser
def test_a_page_that_lost_its_side_files_says_so(chromium: Any, paged: Path, tmp_path: Path) -> None:
    alone = tmp_path / paged.name
    shutil.copy(paged, alone)
    page = chromium.new_page()
    thrown: list[str] = []
    page.on("pageerror", lambda error: thrown.append(str(error)))
    page.goto(alone.as_uri())
    page.wait_for_selector("html[data-ready=yes]")
    page.click(".row >> nth=3")
    page.wait_for_selector("#trouble:not([hidden])")
    assert "report 50%.files/cases-" in page.inner_text("#trouble")
    assert "is not beside this page" in page.inner_text("#trouble")
    page.fill("#search", "anything")
    page.wait_for_selector("#trouble:has-text('The search needs all contents')")
    assert thrown == []
    page.close()


@pytest.mark.browser
def test_nothing_but_side_files_can_be_loaded(chromium: Any, paged: Path) -> None:
    """Injected markup does not run, and a script that would load another file is stopped by trusted types."""
    broken = paged.with_name("broken.html")
    (paged.parent / "evil.js").write_text("window.pwned = 1", encoding="utf-8")
    injected = '<script>window.pwned=1</script><script src="evil.js"></script><img src=x onerror="window.pwned=1">'
    broken.write_text(paged.read_text("utf-8").replace("<main>", f"<main>{injected}", 1), "utf-8")
    page = chromium.new_page()
    page.goto(broken.as_uri())
    page.wait_for_selector("html[data-ready=yes]")
    assert page.evaluate("window.pwned") is None
    for attempt in (
        "(() => { const script = document.createElement('script'); script.src = 'evil.js'; document.head.append(script); })()",
        "trustedTypes.createPolicy('other', {createScriptURL: url => url})",
        "trustedTypes.createPolicy('evalkit-side-files', {createScriptURL: url => url})",
        "(() => { document.body.innerHTML = '<b>x</b>'; })()",
    ):
        with pytest.raises(Exception, match=r"Trusted|policy|Policy"):  # Playwright gives page errors its own type
            page.evaluate(attempt)
    assert page.evaluate("window.pwned") is None
    page.close()


def test_side_files_hold_one_call_with_base64(paged: Path) -> None:
    files = sorted(folder_of(paged).iterdir())
    assert files
    for file in files:
        text = file.read_text("ascii")
        assert re.fullmatch(r'evalkitCases\(\d+,\["[A-Za-z0-9+/=]+"(, "[A-Za-z0-9+/=]+")*\]\);\n', text)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', paged.read_text("utf-8"))[1]
    assert "strict-dynamic" in policy
    assert "unsafe" not in policy


def test_old_side_files_go_and_what_is_not_ours_stays(support_run: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    folder = tmp_path / "report.files"
    write_html(support_run(60, gated=False), path, inline=10)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    before = {file.name for file in folder.iterdir()}
    write_html(support_run(60, gated=False, seed=9), path, inline=10)
    after = {file.name for file in folder.iterdir()}
    assert before & after == {"notes.txt"}
    assert len(after) > 1
    write_html(support_run(60, gated=False), path)
    assert [file.name for file in folder.iterdir()] == ["notes.txt"]
    (folder / "notes.txt").unlink()
    write_html(support_run(60, gated=False), path)
    assert not folder.exists()


def test_a_small_report_is_one_file(support_run: Callable[..., Any], tmp_path: Path) -> None:
    path = write_html(support_run(300), tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == [path]
    text = path.read_text("utf-8")
    assert "strict-dynamic" not in text
    assert "This page is one file" in text


def test_chunks_are_gathered_into_files_of_some_size() -> None:
    chunk = "A" * (FILE // 3)
    files = side_files([chunk] * 7)
    assert [file.first for file in files] == [0, 3, 6]
    assert all(len(file.text) <= FILE + 100 for file in files)
    assert side_files([]) == ()


def test_a_folder_that_cannot_be_written_is_told(support_run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "report.files").write_text("in the way", encoding="utf-8")
    with pytest.raises(EvalkitError, match="side files"):
        write_html(support_run(20, gated=False), tmp_path / "report.html", inline=10)
    assert not (tmp_path / "report.html").exists()
