"""Ten thousand cases with five scores each: small enough to send, quick enough to work in."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest

from evalkit.runs import Run
from evalkit_reports import write_html

MEGABYTES = 25


@pytest.fixture(scope="module")
def big_run(support_run: Any) -> Run:
    """10,000 cases whose outputs are 1,500 characters that hardly compress, so that the size is no flattery."""
    rng = random.Random(3)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(20_000)]
    run = support_run(10_000, gated=False)
    suite = run.suites[0]
    trials = tuple(
        dataclasses.replace(trial, output=dataclasses.replace(trial.output, value=" ".join(rng.choices(words, k=220))))
        for trial in suite.trials
    )
    return dataclasses.replace(run, suites=(dataclasses.replace(suite, trials=trials),))


@pytest.fixture(scope="module")
def big_report(big_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_html(big_run, tmp_path_factory.mktemp("big") / "report.html")


@pytest.mark.slow
def test_it_stays_small(big_report: Path) -> None:
    assert big_report.stat().st_size <= MEGABYTES * 1_000_000


@pytest.mark.slow
@pytest.mark.browser
def test_it_opens_searches_sorts_and_scrolls_with_few_rows_in_the_page(reader: Any, big_report: Path) -> None:
    page = reader.open(big_report)
    page.wait_for_selector("html[data-searchable=yes]", timeout=60_000)
    count = "document.querySelectorAll('.row').length"
    assert page.evaluate(count) < 60
    for words in ("s", "parcel", "ratelimited", "zzz yyy", "vat number", ""):
        page.fill("#search", words)
        assert page.evaluate(count) < 60
    for number in range(5):
        page.evaluate("n => { document.querySelectorAll('#head button')[n].click(); }", number)
        assert 5 < page.evaluate(count) < 60
    for place in (100_000, 399_000, 1e9, 0):
        page.evaluate("top => { document.querySelector('#table').scrollTop = top; }", place)
        page.wait_for_timeout(60)
        assert 5 < page.evaluate(count) < 60
    page.focus("#table")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel-title")
    assert page.inner_text("#panel-title") == page.inner_text(".row.active .id")


@pytest.mark.slow
def test_values_are_shortened_before_a_report_grows_beyond_use(support_run: Any) -> None:
    from evalkit_reports.payload import build_payload

    run = support_run(60, gated=False)
    suite = run.suites[0]
    output = dataclasses.replace(suite.trials[0].output, value="long output " * 25_000, metadata={"raw": "x" * 250_000})
    trials = tuple(
        dataclasses.replace(trial, output=output, number=n // 60 + 1) for n, trial in enumerate(suite.trials * 10)
    )
    payload = build_payload(dataclasses.replace(run, suites=(dataclasses.replace(suite, trials=trials),)))
    assert payload.limit == 20_000
    assert payload.cut == 2 * len(trials)
