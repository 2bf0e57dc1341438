"""What is stored: runs as a team makes them, drawn from a seed, with every trial's scores, and spans for the agents."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from decimal import Decimal

from evalkit.case import Case, Dataset
from evalkit.runs import DatasetInfo, ScorerInfo, SuiteInfo
from evalkit.score import Score
from evalkit.spans import Span, Trace
from evalkit.trial import Output, Trial
from evalkit.usage import Usage

BEGIN = dt.datetime(2026, 1, 5, 8, 0, tzinfo=dt.UTC)
WORDS = [
    "the",
    "answer",
    "that",
    "was",
    "asked",
    "for",
    "is",
    "given",
    "here",
    "in",
    "a",
    "sentence",
    "or",
    "two",
    "with",
    "its",
    "reason",
    "and",
    "a",
    "source",
]
SCORERS = ("exact", "grounded", "polite", "short")
GATES = ("exact >= 0.6 @ 95%", "grounded >= 0.5")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much: `answers` and `agents` are cases a run of each suite, `spans` are to each trial of an agent.

    Every trial has four scores, so that `runs × (answers + agents) × 4` scores are stored and `runs × agents × spans` spans.
    """

    runs: int = 100
    answers: int = 1500
    agents: int = 1000
    spans: int = 10
    session_cases: int = 100_000

    @property
    def scores(self) -> int:
        """Scores in all."""
        return self.runs * (self.answers + self.agents) * len(SCORERS)

    @property
    def all_spans(self) -> int:
        """Spans in all."""
        return self.runs * self.agents * self.spans


def dataset(name: str, size: int) -> Dataset:
    """`size` cases of one suite; the same every time."""
    draw = random.Random(name)
    return Dataset.of(
        [
            Case(id=f"{name}-{i:05}", input={"question": sentence(draw, 12)}, expected=sentence(draw, 4),
                 tags=("hard",) if i % 7 == 0 else (), metadata={"lang": "de" if i % 3 else "en"})
            for i in range(size)
        ],
        name=name,
    )  # fmt: skip


def info(of: Dataset) -> SuiteInfo:
    """The suite of these cases."""
    return SuiteInfo(
        name=of.name,
        nodeid=f"evals/test_{of.name}.py::{of.name}",
        location=f"evals/test_{of.name}.py:7",
        dataset=DatasetInfo(name=of.name, digest=of.digest, size=len(of)),
        scorers=tuple(ScorerInfo(name=name, version="1") for name in SCORERS),
        gates=GATES,
        declared=len(of),
        planned=len(of),
    )


def trials(of: Dataset, run: int, *, spans: int) -> list[Trial]:
    """The trials of the run of that number; `spans` to each, 0 for none."""
    draw = random.Random(f"{of.name} {run}")
    return [_trial(case, run, index, draw, spans) for index, case in enumerate(of.cases)]


def _trial(case: Case, run: int, index: int, draw: random.Random, spans: int) -> Trial:
    good = draw.random() < 0.75
    usage = Usage(input_tokens=draw.randrange(200, 900), output_tokens=draw.randrange(20, 200), calls=1)
    scores = (
        Score(name="exact", value=good, scorer="exact", scorer_version="1"),
        Score(name="grounded", value=round(draw.random(), 3), scorer="grounded", scorer_version="1",
              explanation=sentence(draw, 18)),
        Score(name="polite", value=True, scorer="polite", scorer_version="1"),
        Score(name="short", value=draw.random() < 0.9, scorer="short", scorer_version="1"),
    )  # fmt: skip
    trace = _trace(f"{run:08x}{index:08x}{draw.getrandbits(64):016x}", draw, spans) if spans else None
    latency = draw.uniform(0.2, 3)
    return Trial(
        case_id=case.id,
        output=Output(
            value=sentence(draw, 25), latency=latency, usage=usage, trace_id=trace.trace_id if trace else None
        ),
        scores=scores,
        outcome="passed" if good else "missed",
        started_at=BEGIN + dt.timedelta(hours=run, seconds=index),
        duration=latency,
        trace=trace,
    )


def _trace(name: str, draw: random.Random, spans: int) -> Trace:
    root = f"{draw.getrandbits(64):016x}"
    made = [Span(trace_id=name, span_id=root, kind="case", name="case", start_ns=1, end_ns=10**9 * spans, status="ok")]
    for index in range(1, spans):
        start = index * 10**9
        common = {"trace_id": name, "span_id": f"{draw.getrandbits(64):016x}", "parent_id": root}
        if index % 2:
            messages = [{"role": "user", "parts": [{"type": "text", "content": sentence(draw, 20)}]}]
            made.append(
                Span(**common, kind="llm", name="chat small", start_ns=start, end_ns=start + 5 * 10**8, status="ok",
                     model="small", provider="local", attributes={"gen_ai.input.messages": messages},
                     usage=Usage(input_tokens=300, output_tokens=40, cost=Decimal("0.0003"), calls=1))
            )  # fmt: skip
        else:
            made.append(
                Span(**common, kind="tool", name="look up", start_ns=start, end_ns=start + 10**8, status="ok",
                     tool_name="look_up", attributes={"gen_ai.tool.call.arguments": {"page": sentence(draw, 2)}})
            )  # fmt: skip
    return Trace(trace_id=name, spans=tuple(made), normaliser="1")


def sentence(draw: random.Random, words: int) -> str:
    """So many words."""
    return " ".join(draw.choices(WORDS, k=words))
