"""A run with everything around it: traces, judges, labels, repeats, a baseline, earlier runs, a promotion."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evalkit.case import Case
from evalkit.runs import JudgeRecord, Metric, Run, ScorerInfo
from evalkit.score import ErrorInfo, Score
from evalkit.spans import Span, Trace
from evalkit.stats.summary import summarise
from evalkit.trial import Output, Trial, outcome_of
from evalkit.usage import Usage
from evalkit.versions import Version
from evalkit_reports import write_html
from evalkit_reports.context import (
    ApprovalView,
    Context,
    EarlierRun,
    JudgeCard,
    PromotionView,
    RuleVerdict,
)

START = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)
INTENTS = ("billing", "cancel", "delivery", "login", "refund")
MESSAGES = {
    "billing": "Why was my card charged twice for invoice {n}?",
    "cancel": "Please cancel subscription {n} before it renews.",
    "delivery": "Parcel {n} was said to arrive on Monday.\nIt did not.",
    "login": "לא הצלחתי להיכנס לחשבון {n} 🔐",
    "refund": "I want my money back for order {n}.",
}
PROMPT = "Which intent has this message? Answer with one word of: billing, cancel, delivery, login, refund.\n\nMessage: {message}"
RUBRIC = "Is the reply polite? Answer as JSON.\n<reply>{reply}</reply>"
REPLY = "Thanks for writing. Your message is about **{intent}**.\n\n```python\nticket(intent={intent!r}, n={n})\n```\nWe answer within two days."
VERSIONS = (
    Version(kind="prompt", name="intent", digest="ab12cd34" * 8, body={"text": PROMPT, "template": "plain"}, number=3),
    Version(kind="model", name="sorter", digest="cd34ef56" * 8, body={"model": "sorter-mini", "temperature": 0}),
)


def message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def model_span(number: int, at: int, took: int, asked: str, answered: str, **other: Any) -> dict[str, Any]:
    attributes = {
        "gen_ai.system_instructions": [{"type": "text", "content": "You sort mail."}],
        "gen_ai.input.messages": [message("user", asked)],
        "gen_ai.output.messages": [message("assistant", answered)],
        "gen_ai.request.model": "sorter-mini",
    }
    usage = Usage(
        input_tokens=40 + len(asked) // 4, output_tokens=3 + len(answered) // 4, cost=Decimal("0.00042"), calls=1
    )
    return {"id": number, "kind": "llm", "name": "chat sorter-mini", "at": at, "took": took, "attributes": attributes,
            "usage": usage, "model": "sorter-mini-2026", "provider": "openai", **other}  # fmt: skip


def trace_of(rng: random.Random, case: Case, reply: str, *, broken: bool) -> Trace:
    trace_id = f"{rng.getrandbits(128):032x}"
    asked = PROMPT.format(message=case.input["message"])
    search = {"gen_ai.tool.call.arguments": {"query": case.id, "limit": 3}, "gen_ai.tool.call.result": ["T-1", "T-2"]}
    rows: list[dict[str, Any]] = [
        {"id": 1, "kind": "case", "name": case.id, "at": 0, "took": 900},
        {"id": 2, "parent": 1, "kind": "agent", "name": "invoke_agent sorter", "at": 4, "took": 610},
        model_span(3, 8, 240, asked, "Let me look that up.", parent=2),
        {"id": 4, "parent": 2, "kind": "tool", "name": "execute_tool search", "at": 260, "took": 90, "tool_name": "search",
         "attributes": search, "status": "error" if broken else "ok", "error": "no such index" if broken else None},
        {"id": 5, "parent": 2, "kind": "retrieval", "name": "retrieve tickets", "at": 352, "took": 20},
        model_span(6, 380, 230, asked, reply, parent=2),
        {"id": 7, "parent": 1, "kind": "scorer", "name": "polite", "at": 640, "took": 240, "attributes": {"evalkit.scorer": "polite"}},
        model_span(8, 645, 230, RUBRIC.format(reply=reply), '{"verdict": "polite", "why": "It thanks."}', parent=7),
    ]  # fmt: skip
    base = 1_763_631_000_000_000_000
    spans = tuple(
        Span(
            trace_id=trace_id,
            span_id=f"{row['id']:016x}",
            parent_id=f"{row['parent']:016x}" if "parent" in row else None,
            kind=row["kind"],
            name=row["name"],
            start_ns=base + row["at"] * 1_000_000,
            end_ns=base + (row["at"] + row["took"]) * 1_000_000,
            status=row.get("status", "unset"),
            error=row.get("error"),
            model=row.get("model"),
            provider=row.get("provider"),
            usage=row.get("usage"),
            tool_name=row.get("tool_name"),
            attributes=row.get("attributes", {}),
        )
        for row in rows
    )
    return Trace(trace_id=trace_id, spans=spans)


def rich_trial(rng: random.Random, case: Case, number: int, skill: float) -> Trial:
    truth = case.expected["intent"]
    luck = rng.random() - (0.18 if "hard" in case.tags else 0)
    given = truth if luck < skill else rng.choice([intent for intent in INTENTS if intent != truth])
    latency = rng.lognormvariate(-0.4, 0.5) * (1.6 if given != truth else 1)
    reply = REPLY.format(intent=given, n=case.metadata["n"])
    common = {"case_id": case.id, "number": number, "started_at": START, "duration": latency + 0.3,
              "nodeid": f"evals/test_mail.py::test_mail[{case.id}]", "versions": VERSIONS}  # fmt: skip
    if rng.random() < 0.03:
        error = ErrorInfo(
            type="RateLimited", message="429 after 5 attempts", traceback="Traceback …\n  RateLimited: 429\n"
        )
        return Trial(output=Output(error=error, latency=latency), outcome="errored", **common)
    trace = trace_of(rng, case, reply, broken=rng.random() < 0.1)
    judge = Usage(input_tokens=180, output_tokens=12, cost=Decimal("0.0009"), calls=1)
    told = {"scorer": "intent", "scorer_version": "518d0831d3de"}
    scores = (
        Score(name="intent", value=given == truth, label=given, metadata={"expected": truth}, **told),
        Score(name="polite", value=round(rng.betavariate(6, 2), 2), explanation="It thanks, and says what comes next.",
              scorer="polite", scorer_version="77aa88bb99cc", usage=judge),
        Score(name="tone", label=rng.choice(["warm", "plain", "curt"]), scorer="tone", scorer_version="1"),
    )  # fmt: skip
    output = Output(
        value={"intent": given, "reply": reply},
        latency=latency,
        usage=Usage(
            input_tokens=rng.randint(90, 300), output_tokens=rng.randint(20, 90), cost=Decimal("0.00084"), calls=2
        ),
        trace_id=trace.trace_id,
    )
    return Trial(output=output, scores=scores, outcome=outcome_of(output, scores), trace=trace, **common)


def cases(size: int) -> list[Case]:
    made = []
    for number in range(size):
        intent = INTENTS[number % len(INTENTS)]
        made.append(
            Case(
                id=f"mail-{number:03d}",
                input={"message": MESSAGES[intent].format(n=1000 + number)},
                expected={"intent": intent, "reply": REPLY.format(intent=intent, n=1000 + number)},
                metadata={"n": 1000 + number, "lang": "he" if intent == "login" else "en"},
                tags=("hard",) if number % 4 == 0 else (),
            )
        )
    return made


CALIBRATION = {
    "trust": "calibrated", "n": 120, "source": "labels.csv", "labels": ["polite", "rude"], "table": [[70, 4], [5, 41]],
    "accuracy": {"value": 0.925, "count": 111, "n": 120, "interval": [0.862, 0.965]},
    "recall": {"polite": {"value": 0.946, "count": 70, "n": 74, "interval": [0.867, 0.985]}},
    "kappa": {"value": 0.84, "interval": [0.74, 0.94]}, "weighted_kappa": None, "humans": {"alpha": 0.81},
    "positions": None, "reasons": ["It is not as good as one more annotator yet."],
}  # fmt: skip


def promotion() -> PromotionView:
    return PromotionView(
        id="019a9f3e-7777-7b42-9d0e-1f6a2b3c4d5e",
        subject="prompt intent",
        alias="production",
        old="v2 (99aa00bb)",
        new="v3 (ab12cd34)",
        state="approved",
        policy="two-eyes",
        requested_by="ada",
        requested_at=START,
        rules=(
            RuleVerdict(rule="intent >= 0.8 @ 95%", state="pass", reason="0.86, and 0.81 is surely reached."),
            RuleVerdict(rule="age <= 14 days", state="fail", reason="The run is 16 days old."),
        ),
        approvals=(
            ApprovalView(who="grace", decision="approved", how="a token", when=START, reason="Looks right."),
            ApprovalView(who="ada", decision="approved", how="the login of the machine", when=START, is_own=True),
        ),
        override="grace: the outage leaves no time for another run",
        fingerprint="4f1d2c9a7b3e",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rich:
    """A run, and what is around it."""

    run: Run
    around: Context


@pytest.fixture(scope="session")
def rich(suite_run: Callable[..., Any], judged: Callable[..., Run]) -> Callable[..., Rich]:
    def make(size: int = 60, *, repeat: int = 3, seed: int = 5) -> Rich:
        rng = random.Random(seed)
        all_cases = cases(size)
        scorers = (
            ScorerInfo(name="intent", version="518d0831d3de"),
            ScorerInfo(
                name="polite",
                version="77aa88bb99cc",
                config={"rubric_version": "1"},
                judge=JudgeRecord(standing="calibrated", calibration="c1"),
            ),
            ScorerInfo(name="tone", version="1"),
        )

        def run(skill: float, **fields: Any) -> Run:
            trials = [rich_trial(rng, case, number, skill) for case in all_cases for number in range(1, repeat + 1)]
            suite = suite_run("mail", all_cases, trials, scorers=scorers, versions=VERSIONS)
            gates = ("intent >= 0.8 @ 95%", "polite >= 0.7", "errors <= 5%", "p95(latency) <= 4s")
            return judged(suite, *gates, **fields)

        made = run(0.86)
        before = run(0.8, id="019a9f3e-0000-7b42-9d0e-1f6a2b3c4d5e", started_at=START - dt.timedelta(days=2))
        metrics = [metric for metric in summarise(made.suites[0]) if not metric.slice]
        earlier = tuple(earlier_run(place, metrics, rng) for place in range(9))
        card = JudgeCard(judge="polite", version="77aa88bb99cc", made_at=START, body=CALIBRATION)
        around = Context(
            baseline=before,
            earlier={"mail": earlier},
            attempts={"mail": 2},
            promotions=(promotion(),),
            cards=(card,),
        )
        return Rich(run=made, around=around)

    return make


def earlier_run(place: int, metrics: list[Metric], rng: random.Random) -> EarlierRun:
    def moved(metric: Metric) -> Metric:
        shift = (rng.random() - 0.6) * 0.08 * abs(metric.value or 1)
        ends = {
            end: None if (value := getattr(metric, end)) is None else value + shift for end in ("value", "low", "high")
        }
        return dataclasses.replace(metric, **ends)

    return EarlierRun(
        run=f"019a9f3e-{place:04d}-7b42-9d0e-1f6a2b3c4d5e",
        started_at=START - dt.timedelta(days=20 - 2 * place),
        commit=f"{place}" * 40,
        decision=("fail", "inconclusive", "pass")[place % 3],
        dataset="9f2c" * 16 if place > 2 else "0000" * 16,
        dataset_name="mail",
        scorers={"intent": "7c01fe22ab90" if place < 5 else "518d0831d3de"},
        partial=place == 7,
        metrics=tuple(map(moved, metrics)),
    )


@pytest.fixture(scope="session")
def rich_report(rich: Callable[..., Rich], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = rich()
    return write_html(made.run, tmp_path_factory.mktemp("rich") / "report.html", around=made.around)


@pytest.fixture(scope="session")
def shots() -> Iterator[Callable[[Any, str], None]]:
    """`shots(page, name)` keeps a picture in the folder of EVALKIT_SCREENSHOTS, or of CI's work; else it does nothing."""
    named = os.environ.get("EVALKIT_SCREENSHOTS")
    folder = (
        Path(named) if named else Path(__file__).parents[3] / ".ci/work/screenshots" if os.environ.get("CI") else None
    )
    kept: list[str] = []

    def take(page: Any, name: str, **options: Any) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(folder / f"{name}.png"), **options)
            kept.append(name)

    yield take
    if folder is not None and kept:
        (folder / "taken.json").write_text(json.dumps(kept), encoding="utf-8")
