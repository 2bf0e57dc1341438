"""A reader walks through a comparison in Chromium. The `reader` fixture fails on any console message or request."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.case import Case
from evalkit.runs import Run, SuiteRun
from evalkit.score import ErrorInfo, Score
from evalkit.trial import Output, Trial, outcome_of
from evalkit_reports.versus import write_versus

pytestmark = pytest.mark.browser

WORST = "</script><script>window.pwned=1</script>"
ATTACKS = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    WORST,
    "<svg onload=window.pwned=1>",
    "<del>not ours</del><ins>neither</ins>",
    "lone \ud800 surrogate",
    "\u202eright to left override \u2066 isolate",
    "שלום עולם",
    "__proto__",
    "%E0%A4%A",
    "",
)


def changed(run: Run, *, seed: int = 3, run_id: str = "019a9f3e-6c1d-7b42-9d0e-aaaaaaaaaaaa") -> Run:
    """The same cases answered a little worse by something else; four in ten answers differ."""
    rng = random.Random(seed)
    (suite,) = run.suites
    trials = []
    for trial in suite.trials:
        if rng.random() < 0.6 or trial.output.error is not None:
            trials.append(trial)
            continue
        value = str(trial.output.value).replace("within two working days", "within three working days")
        output = dataclasses.replace(trial.output, value=value)
        right = rng.random() < 0.6
        scores = tuple(
            dataclasses.replace(score, value=float(right), passed=right) if score.name == "resolved" else score
            for score in trial.scores
        )
        trials.append(dataclasses.replace(trial, output=output, scores=scores, outcome=outcome_of(output, scores)))
    return dataclasses.replace(run, id=run_id, suites=(dataclasses.replace(suite, trials=tuple(trials)),))


@pytest.fixture(scope="module")
def compared(support_run: Callable[..., Run], tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = support_run(160)
    return write_versus(base, [changed(base)], tmp_path_factory.mktemp("versus") / "compare.html")


def kinds(page: Any) -> list[str]:
    """What became of the cases in the table's window, from the top."""
    rows = page.eval_on_selector_all(
        ".row", "rows => rows.map(r => [parseFloat(r.style.top), r.querySelector('.outcome').textContent.trim()])"
    )
    return [kind for _, kind in sorted(rows)]


def chips(page: Any) -> dict[str, int]:
    texts = page.locator("#kinds button").all_inner_texts()
    return {text.rsplit(" ", 1)[0].strip(): int(text.rsplit(" ", 1)[1]) for text in texts}


def test_newly_failing_cases_come_first_and_every_kind_can_be_picked(reader: Any, compared: Path) -> None:
    page = reader.open(compared)
    counts = chips(page)
    assert counts["all"] == 160
    assert counts["newly failing"] > 5
    assert kinds(page)[0] == "newly failing"
    for name in ("newly passing", "output changed", "the same"):
        page.locator("#kinds button", has_text=name).click()
        assert page.text_content("#count") == f"{counts[name]} of 160 rows"
    assert set(kinds(page)) == {"the same"}
    page.click("#reset")
    reader.until(page, "document.querySelector('#count').textContent === '160 rows'")


def test_the_first_screen_has_the_word_why_and_both_runs(reader: Any, compared: Path) -> None:
    page = reader.open(compared)
    for selector in (".stamp", ".sentence", ".reasons li", ".facts .side >> nth=1", ".differences tbody tr"):
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800, f"{selector} is below the first screen"
    assert page.inner_text(".stamp").strip() == "WORSE"
    assert "newly fail" in page.inner_text(".sentence")


def test_a_case_faces_both_outputs_with_the_words_that_differ(reader: Any, compared: Path) -> None:
    page = reader.open(compared)
    page.locator("#kinds button", has_text="output changed").click()
    page.focus("#table")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel-title")
    assert page.locator("#panel .before del").all_inner_texts() == ["two"]
    assert page.locator("#panel .after ins").all_inner_texts() == ["three"]
    assert page.locator("#panel .before .scores > div").count() == 5
    assert page.locator("#panel .after .scores > div").count() == 5
    left, right = (page.locator(f"#panel .{side}").bounding_box() for side in ("before", "after"))
    assert left["y"] == right["y"]
    page.locator("#panel .after .mode", has_text="Text").first.click()
    assert page.locator("#panel .after ins").count() == 0
    first = page.inner_text("#panel-title")
    page.keyboard.press("j")
    reader.until(page, "first => document.querySelector('#panel-title').textContent !== first", arg=first)
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()


def test_identical_outputs_are_said_to_be(reader: Any, compared: Path) -> None:
    page = reader.open(compared)
    page.locator("#kinds button", has_text="the same").click()
    page.locator(".row").first.click()
    page.wait_for_selector("#panel .same-note")
    assert page.inner_text("#panel .same-note") == "The outputs are identical."
    assert page.locator("#panel del, #panel ins").count() == 0


def test_a_case_can_be_linked_to(reader: Any, compared: Path) -> None:
    page = reader.open(compared, fragment="#case-support-00042")
    page.wait_for_selector("#panel-title")
    assert page.inner_text("#panel-title") == "support-00042"


def test_words_of_either_side_are_found(reader: Any, compared: Path) -> None:
    page = reader.open(compared)
    page.wait_for_selector("html[data-searchable=yes]")
    page.fill("#search", '"within three working days"')
    reader.until(page, "document.querySelector('#count').textContent.includes(' of 160')")
    assert set(kinds(page)) <= {"newly failing", "newly passing", "score changed", "output changed"}
    page.fill("#search", "nothing like this anywhere")
    page.wait_for_selector(".empty")


def test_of_several_candidates_one_can_be_picked(reader: Any, support_run: Callable[..., Run], tmp_path: Path) -> None:
    base = support_run(40)
    runs = [changed(base, seed=seed, run_id=f"run-{seed}") for seed in (3, 4)]
    page = reader.open(write_versus(base, runs, tmp_path / "three.html"))
    assert page.text_content("#count") == "80 rows"
    page.select_option("#side", label="B")
    assert page.text_content("#count") == "40 of 80 rows"
    page.locator(".row").first.click()
    page.wait_for_selector("#panel .others")
    assert "run=B" in page.url
    page.locator("#panel .others button").first.click()
    reader.until(page, "document.querySelector('#panel .after h3').textContent === 'Candidate A'")
    assert "run=A" in page.url


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (768, "dark"), (1440, "light")])
def test_nothing_is_wider_than_the_screen(reader: Any, compared: Path, width: int, scheme: str) -> None:
    page = reader.open(compared, width=width, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".row").first.click()
    page.wait_for_selector("#panel-title")
    assert page.evaluate("document.querySelector('#panel').scrollWidth") <= width


def test_print_lists_the_cases(reader: Any, compared: Path) -> None:
    page = reader.open(compared)
    page.locator("#kinds button", has_text="newly failing").click()
    wanted = chips(page)["newly failing"]
    page.emulate_media(media="print")
    reader.until(page, "n => document.querySelectorAll('#printed .line').length === n", arg=wanted)
    assert page.locator("#table").is_hidden()


def test_attacks_on_both_sides_are_text(
    reader: Any, run_of: Callable[..., Run], suite_run: Callable[..., SuiteRun], tmp_path: Path
) -> None:
    def side(shift: int) -> Run:
        cases, trials = [], []
        for place, text in enumerate(ATTACKS):
            other = ATTACKS[(place + shift) % len(ATTACKS)]
            case = Case(id=f"{text}{place}", input={text: text}, expected=text, metadata={text: text}, tags=(text,))
            error = ErrorInfo(type=other or "E", message=other, traceback=other) if place % 4 == 3 else None
            scores = (
                Score(name=text, label=other, explanation=other, scorer=text, metadata={text: other}),
                Score(name="n", value=place / 9 if shift else 0.5, explanation=other),
            )
            values = (f"{text} {other}", {"nested": [text, other]}, [{"role": other, "content": text}])
            output = Output(value=values[place % 3], error=error, trace_id=other)
            start = run_of().started_at
            cases.append(case)
            trials.append(
                Trial(case_id=case.id, output=output, scores=scores, outcome="errored", started_at=start, duration=1)
            )
        return run_of(suite_run(f"{WORST}suite", cases, trials), id=ATTACKS[0])

    path = write_versus(side(0), [side(1), side(2)], tmp_path / "c.html", title=ATTACKS[0])
    page = reader.open(path)
    assert page.title().endswith(ATTACKS[0])
    rows = int(page.get_attribute("#table", "aria-rowcount")) - 1
    assert rows == 2 * len(ATTACKS)
    page.focus("#table")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    for _ in range(rows):
        page.wait_for_selector("#panel-title")
        page.evaluate("document.querySelectorAll('#panel summary, #panel .unfold').forEach(e => e.click())")
        page.evaluate(
            "document.querySelectorAll('#panel .mode').forEach(e => { if (!e.textContent.startsWith('Copy')) e.click(); })"
        )
        page.keyboard.press("j")
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.querySelectorAll('script').length") == 1
    assert page.evaluate("document.querySelectorAll('img, iframe, base, object').length") == 0
    handlers = "() => [...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => a.name.startsWith('on')).length"
    assert page.evaluate(handlers) == 0


def test_the_policy_would_stop_a_script_that_got_in(chromium: Any, compared: Path, tmp_path: Path) -> None:
    """The page is broken on purpose, as if escaping had failed: the browser itself then refuses."""
    broken = tmp_path / "broken.html"
    injected = '<script>window.pwned=1</script><img src=x onerror="window.pwned=1">'
    broken.write_text(compared.read_text("utf-8").replace("<main>", f"<main>{injected}", 1), "utf-8")
    page = chromium.new_page()
    page.goto(broken.as_uri())
    page.wait_for_selector("html[data-ready=yes]")
    assert page.evaluate("window.pwned") is None
    page.close()
