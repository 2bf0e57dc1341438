"""Ten thousand cases with five scores each: small enough to send, quick enough to work in."""

from __future__ import annotations

import dataclasses
import random
import time
from pathlib import Path
from typing import Any

import pytest

from evalkit.runs import Run
from evalkit_reports import write_html

SECONDS_OF_CPU = 5.0
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
def big_report(big_run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    path = tmp_path_factory.mktemp("big") / "report.html"
    before = time.process_time()
    write_html(big_run, path)
    return path, time.process_time() - before


@pytest.mark.slow
def test_it_is_written_in_seconds_and_stays_small(big_report: tuple[Path, float]) -> None:
    path, cpu = big_report
    assert cpu <= SECONDS_OF_CPU
    assert path.stat().st_size <= MEGABYTES * 1_000_000


@pytest.mark.slow
@pytest.mark.browser
def test_it_opens_searches_sorts_and_scrolls_with_few_rows_in_the_page(
    reader: Any, big_report: tuple[Path, float]
) -> None:
    page = reader.open(big_report[0])
    page.wait_for_selector("html[data-searchable=yes]", timeout=60_000)
    count = "document.querySelectorAll('.row').length"
    assert page.evaluate(count) < 60
    timed = """async (act) => {
        const times = [];
        for (let n = 0; n < 5; n++) {
            const start = performance.now();
            await act(n);
            document.querySelector('#table').offsetHeight;
            times.push(performance.now() - start);
            await new Promise(resolve => setTimeout(resolve, 20));
        }
        return times.sort((a, b) => a - b)[2];
    }"""
    search = page.evaluate(
        f"""({timed})(async n => {{
            const box = document.querySelector('#search');
            box.value = ['s', 'parcel', 'ratelimited', 'zzz yyy', 'vat number'][n];
            box.dispatchEvent(new Event('input'));
            await null;
        }})"""
    )
    page.fill("#search", "")
    sort = page.evaluate(f"({timed})(async n => {{ document.querySelectorAll('#head button')[n].click(); }})")
    # What people feel as instant is about 100 ms; the bounds leave room for a busy machine.
    assert search < 500
    assert sort < 1000
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
