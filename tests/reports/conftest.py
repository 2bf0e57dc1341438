"""Sample runs made of records, and one browser for all tests that look at a page."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evalkit.case import Case
from evalkit.gates import judge, parse
from evalkit.runs import DatasetInfo, Provenance, Run, ScorerInfo, SuiteInfo, SuiteRun
from evalkit.score import ErrorInfo, Score
from evalkit.stats.summary import summarise
from evalkit.trial import Output, Trial, Usage, outcome_of
from evalkit_reports import write_html

START = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)
TRACEBACK = """Traceback (most recent call last):
  File "evals/test_support.py", line 31, in test_support
    return await client.chat(question)
  File "app/client.py", line 88, in chat
    raise RateLimited(response.headers)
app.client.RateLimited: 429 after 5 attempts
"""
TOPICS = {
    "refund": "How do I get my money back for order {n}? It came broken.",
    "delivery": "Where is parcel {n}? The tracking page has said 'in transit' for nine days.",
    "account": "I cannot sign in as user {n} since I changed my phone.",
    "invoice": "Please send invoice {n} again, this time with our VAT number.",
    "return": "The shoes from order {n} are too small. Can I swap them for a 43?",
}
ANSWER = """Sorry about that! Here is what to do for **{topic}** {n}:

1. Open *Orders* and choose `{n}`.
2. Press **Help**, then **{topic}**.
3. We answer within two working days.

{more}"""
MORE = (
    "You need not send anything back before we say so. Keep the box, if you still have it.",
    "If the page asks for a code, it is in the mail we sent when you ordered.",
    "Should that fail, write to us again and we will do it by hand.",
)


def sample_case(number: int, rng: random.Random) -> Case:
    topic = rng.choice(list(TOPICS))
    return Case(
        id=f"support-{number:05d}",
        input={"question": TOPICS[topic].format(n=1000 + number)},
        expected=f"Explains how to ask for a {topic} and says how long it takes.",
        metadata={"lang": rng.choice(["en", "de", "fr", "ja"]), "topic": topic},
        tags=("hard",) if number % 5 == 0 else ("easy",) if number % 3 else (),
        source=f"support.jsonl:{number + 1}",
    )


def sample_scores(case: Case, rng: random.Random, names: Sequence[str]) -> tuple[Score, ...]:
    hard = "hard" in case.tags
    scores: list[Score] = []
    for place, name in enumerate(names):
        version = f"{place}a41c09b7e2d"[:12]
        about = {"name": name, "scorer": name, "scorer_version": version}
        luck = rng.random()
        if place and luck < 0.01:
            error = ErrorInfo(type="JudgeUnparseable", message="no verdict in the answer", traceback=TRACEBACK)
            scores.append(Score(status="error", error=error, explanation="JudgeUnparseable: no verdict", **about))
        elif place and luck < 0.03:
            scores.append(Score(status="unscored", explanation="The judge declined to answer.", **about))
        elif place == 0:
            scores.append(Score(value=luck > (0.35 if hard else 0.12), **about))
        elif place == 3:
            scores.append(Score(label=rng.choice(["friendly", "neutral", "curt"]), **about))
        else:
            value = round(min(1.0, rng.betavariate(5, 2 if not hard else 4)), 3)
            told = f"Covers {value:.0%} of what was asked; the tone fits."
            scores.append(Score(value=value, passed=value >= 0.4 if place == 1 else None, explanation=told, **about))
    return tuple(scores)


def sample_trial(case: Case, number: int, rng: random.Random, names: Sequence[str]) -> Trial:
    latency = rng.lognormvariate(0.1, 0.6)
    started = START + dt.timedelta(seconds=rng.random() * 60)
    about: dict[str, Any] = {"case_id": case.id, "number": number, "started_at": started, "duration": latency + 0.2}
    nodeid = f"evals/test_support.py::test_support[{case.id}{'' if number == 1 else f'-t{number}'}]"
    if rng.random() < 0.015:
        error = ErrorInfo(type="RateLimited", message="429 after 5 attempts", traceback=TRACEBACK)
        output = Output(error=error, latency=latency)
        return Trial(output=output, outcome="errored", nodeid=nodeid, **about)
    topic = str(case.metadata.get("topic", "order"))
    text = ANSWER.format(topic=topic, n=case.id, more=" ".join(rng.choices(MORE, k=rng.randint(1, 6))))
    usage = Usage(
        input_tokens=rng.randint(80, 400),
        output_tokens=rng.randint(30, 300),
        cost=Decimal(rng.randint(100, 4000)) / 1_000_000,
    )
    output = Output(value=text, latency=latency, usage=usage, trace_id=f"{rng.getrandbits(128):032x}")
    scores = sample_scores(case, rng, names)
    return Trial(output=output, scores=scores, outcome=outcome_of(output, scores), nodeid=nodeid, **about)


def suite_run(name: str, cases: Sequence[Case], trials: Sequence[Trial], **info: Any) -> SuiteRun:
    repeat = max((trial.number for trial in trials), default=1)
    known = {
        "name": name,
        "nodeid": f"evals/test_{name}.py::test_{name}",
        "location": f"evals/test_{name}.py:12",
        "dataset": DatasetInfo(name=name, digest="9f2c" * 16, size=len(cases), source=f"evals/{name}.jsonl"),
        "repeat": repeat,
        "declared": len(cases) * repeat,
        "planned": len(cases) * repeat,
        "seed": 7,
    }
    return SuiteRun(info=SuiteInfo(**(known | info)), cases=tuple(cases), trials=tuple(trials))


def run_of(*suites: SuiteRun, **fields: Any) -> Run:
    known: dict[str, Any] = {
        "id": "019a9f3e-6c1d-7b42-9d0e-1f6a2b3c4d5e",
        "status": "complete",
        "started_at": START,
        "finished_at": START + dt.timedelta(seconds=94),
        "provenance": Provenance(
            commit="4f1d2c9a7b3e5d60718293a4b5c6d7e8f9012345",
            branch="better-answers",
            dirty=False,
            command="pytest evals/ --evalkit-seed 7",
            python="3.11.9",
            platform="Linux-6.1-x86_64",
            host="ci-12",
            user="ada",
            evalkit="0.1.0",
            packages={"pytest": "9.2.0", "pytest-evalkit": "0.1.0", "openai": "1.109.0"},
        ),
        "suites": suites,
        "metrics": tuple(metric for suite in suites for metric in summarise(suite)),
        "seed": 7,
        "store": "sqlite:///.evalkit/evalkit.db",
    }
    return Run(**(known | fields))


NAMES = ("resolved", "helpful", "grounded", "tone", "brevity")


def support_run(size: int = 240, *, repeat: int = 1, scores: int = 5, seed: int = 1, gated: bool = True) -> Run:
    """A support assistant's eval: bool, marked, graded and labelled scores, errors and unscored among them."""
    rng = random.Random(seed)
    names = NAMES[:scores]
    cases = [sample_case(number, rng) for number in range(size)]
    trials = [sample_trial(case, number, rng, names) for case in cases for number in range(1, repeat + 1)]
    scorers = tuple(ScorerInfo(name=name, version=f"{i}a41c09b7e2d"[:12]) for i, name in enumerate(names))
    suite = suite_run("support", cases, trials, scorers=scorers)
    if not gated:
        return run_of(suite)
    return judged(suite, "resolved >= 0.83 @ 95%", "helpful >= 0.75", "errors <= 10%", "p95(latency) <= 4s")


def judged(suite: SuiteRun, *gates: str, **fields: Any) -> Run:
    """A run of one suite whose gates were really judged."""
    suite = dataclasses.replace(suite, info=dataclasses.replace(suite.info, gates=gates))
    return run_of(suite, verdicts=judge([parse(gate) for gate in gates], suite), **fields)


@pytest.fixture(name="support_run", scope="session")
def _support_run() -> Callable[..., Run]:
    return support_run


@pytest.fixture(name="run_of", scope="session")
def _run_of() -> Callable[..., Run]:
    return run_of


@pytest.fixture(name="judged", scope="session")
def _judged() -> Callable[..., Run]:
    return judged


@pytest.fixture(name="suite_run", scope="session")
def _suite_run() -> Callable[..., SuiteRun]:
    return suite_run


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], list[dict[str, Any]]]:
    """Reads a file of recorded outputs, or skips loudly where they are not at hand."""
    folder = Path(os.environ.get("EVALKIT_DATA", Path(__file__).parents[2].parent / "shared" / "data"))

    def read(name: str) -> list[dict[str, Any]]:
        path = folder / name
        if not path.is_file():
            pytest.skip(f"RECORDED DATA ABSENT: {path} is not there; set EVALKIT_DATA")
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]

    return read


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One headless Chromium for the session. Its absence fails in CI, and is said aloud elsewhere."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("EVALKIT_CHROMIUM") or shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("the browser tests need Chromium: install it, or set EVALKIT_CHROMIUM")
        pytest.skip("CHROMIUM ABSENT: the report is not looked at; install it, or set EVALKIT_CHROMIUM")
    quiet = ["quic", "background-networking", "component-update", "sync", "gpu"]
    args = ["--headless=new", "--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in quiet)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=args)
        yield browser
        browser.close()


class Reader:
    """Opens reports, and remembers all that the browser complained of."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.complaints: list[str] = []
        self.contexts: list[Any] = []

    def open(self, path: Path, *, fragment: str = "", width: int = 1280, height: int = 800, **options: Any) -> Any:
        context = self.browser.new_context(viewport={"width": width, "height": height}, **options)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.on("request", self._seen)
        page.goto(path.as_uri() + fragment)
        page.wait_for_selector("html[data-ready=yes]")
        return page

    def until(self, page: Any, condition: str, arg: Any = None) -> None:
        """Waits until `condition` holds. Playwright's own `wait_for_function` needs an `eval` that the page forbids."""
        deadline = time.monotonic() + 20
        while not page.evaluate(condition, arg):
            assert time.monotonic() < deadline, f"never came true: {condition}"
            page.wait_for_timeout(20)

    def _seen(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.complaints.append(f"network: {request.url}")


@pytest.fixture
def reader(chromium: Any) -> Iterator[Reader]:
    """A reader that fails the test at its end if the browser logged, threw or asked for anything."""
    made = Reader(chromium)
    yield made
    for context in made.contexts:
        context.close()
    assert made.complaints == []


@pytest.fixture(scope="session")
def support_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_html(support_run(), tmp_path_factory.mktemp("support") / "report.html")
