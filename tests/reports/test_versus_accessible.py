"""axe-core finds nothing to object to in a comparison and in an index, light and dark, wide and narrow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from evalkit.runs import Run
from evalkit_reports import write_html, write_index, write_versus

pytestmark = pytest.mark.browser


AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
RULES = """async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const found = await axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']});
    return found.violations.map(v => [v.id, v.help, v.nodes.slice(0, 4).map(n => n.html.slice(0, 160))]);
}"""


def complaints(page: Any) -> list[Any]:
    """What axe objects to, each with where."""
    page.evaluate(AXE)
    return page.evaluate(RULES)


@pytest.fixture(scope="module")
def pages(support_run: Callable[..., Run], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("accessible")
    base, other, third = (support_run(40, seed=seed) for seed in (1, 1, 2))
    write_html(base, folder / "run.html")
    two = write_versus(base, [_worse(other)], folder / "two.html")
    three = write_versus(base, [_worse(other), third], folder / "three.html")
    return {"two": two, "three": three, "index": write_index(folder)[0]}


def _worse(run: Run) -> Run:
    """Every third answer is another, and wrong."""
    (suite,) = run.suites
    trials = []
    for place, trial in enumerate(suite.trials):
        if place % 3 == 0 and trial.output.error is None:
            output = dataclasses.replace(trial.output, value=f"{trial.output.value} Or not.")
            scores = tuple(
                dataclasses.replace(score, value=0.0, passed=False) if score.name == "resolved" else score
                for score in trial.scores
            )
            trial = dataclasses.replace(trial, output=output, scores=scores, outcome="missed")
        trials.append(trial)
    return dataclasses.replace(run, suites=(dataclasses.replace(suite, trials=tuple(trials)),))


@pytest.mark.parametrize(("name", "scheme", "width"), [("two", "light", 1280), ("three", "dark", 360)])
def test_a_comparison(reader: Any, pages: dict[str, Path], name: str, scheme: str, width: int) -> None:
    page = reader.open(pages[name], width=width, color_scheme=scheme)
    assert complaints(page) == []
    page.locator(".row").first.click()
    page.wait_for_selector("#panel-title")
    assert complaints(page) == []


def test_an_index(chromium: Any, pages: dict[str, Path]) -> None:
    context = chromium.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(pages["index"].as_uri())
    assert complaints(page) == []
    context.close()
