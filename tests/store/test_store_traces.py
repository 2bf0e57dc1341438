"""Traces are stored with their trial, counted once, found by the beginning of their id, and left out when not asked for."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import NotFound
from evalkit.spans import Span, Trace
from evalkit.store import Store, check, open_store
from evalkit.store.pieces import LONG
from evalkit.usage import Usage

USAGE = Usage(input_tokens=10, output_tokens=5, cost=Decimal("0.002"), calls=1)


def span(number: int, parent: int | None = 1, **changes: Any) -> Span:
    base = Span(
        trace_id="",
        span_id=f"{number:016x}",
        parent_id=None if parent is None else f"{parent:016x}",
        name=f"span {number}",
        start_ns=1_000_000_000 + number,
        end_ns=2_000_000_000 + number,
    )
    return dataclasses.replace(base, **changes)


def trace(*spans: Span, trace_id: str | None = None) -> Trace:
    trace_id = trace_id or os.urandom(16).hex()
    root = span(1, None, kind="case", status="error", error="it broke")
    made = tuple(dataclasses.replace(one, trace_id=trace_id) for one in (root, *spans))
    return Trace(trace_id=trace_id, spans=made, normaliser="1")


def test_a_trace_is_left_out_without_payload_and_found_by_the_beginning_of_its_id(store: Store, begin: Any) -> None:
    run = begin(store)
    made = trace(span(2, kind="llm", usage=USAGE))
    run.add(run.trial(0, trace=made), run.trial(1))
    assert [trial.trace for trial in run.trials()] == [made, None]
    assert [trial.trace for trial in store.load(run.run_id, payload=False).suite("math").trials] == [None, None]
    assert store.load(run.run_id, traces=False).suite("math").trials[0].output.value == "answer 0"
    assert store.load(run.run_id, traces=False).suite("math").trials[0].trace is None
    assert store.load(run.run_id, payload=False, traces=True).suite("math").trials[0].trace == made
    for name in (made.trace_id, made.trace_id[:12], made.trace_id.upper()):
        assert store.trace(name) == made
    assert store.trial(run.run_id, "math", "case-000").trace == made


def test_the_traces_of_a_run_in_brief(store: Store, begin: Any) -> None:
    run = begin(store)
    made = trace(span(2, kind="llm", usage=USAGE), span(3, 2, kind="tool"), span(4, kind="scorer"))
    run.add(run.trial(0, trace=made, outcome="missed"), run.trial(1, trace=trace()))
    brief, empty = store.traces(run.run_id)
    assert (brief.trace_id, brief.suite, brief.case_id, brief.number, brief.outcome) == (
        made.trace_id,
        "math",
        "case-000",
        1,
        "missed",
    )
    assert (brief.spans, brief.calls, brief.tools, brief.usage) == (4, 1, 1, USAGE)
    assert (brief.status, brief.error, brief.run_id) == ("error", "it broke", run.run_id)
    assert brief.seconds == pytest.approx(1.000000003)
    assert (empty.spans, empty.calls, empty.usage) == (1, 0, None)
    assert store.traces(run.run_id, suite="math", case="case-001") == [empty]
    assert store.traces(run.run_id, suite="other") == []
    assert store.trace_summary(made.trace_id[:10]) == brief


def test_a_call_seen_by_a_framework_and_its_client_counts_once(store: Store, begin: Any) -> None:
    run = begin(store)
    spans = [
        span(2, kind="agent"),
        span(3, 2, kind="llm", usage=USAGE),  # the framework's
        span(4, 3, kind="llm", usage=USAGE),  # the client's
        span(5, 2, kind="embedding", usage=Usage(input_tokens=7, calls=1, unpriced=1)),
    ]
    run.add(run.trial(0, trace=trace(*spans)))
    (brief,) = store.traces(run.run_id)
    assert brief.calls == 2
    assert brief.usage == Usage(input_tokens=17, output_tokens=5, cost=Decimal("0.002"), calls=2, unpriced=1)


def test_spans_whose_parents_go_round_in_a_circle(store: Store, begin: Any) -> None:
    run = begin(store)
    run.add(run.trial(0, trace=trace(span(2, 3, kind="llm", usage=USAGE), span(3, 2, kind="llm", usage=USAGE))))
    (brief,) = store.traces(run.run_id)
    assert brief.spans == 3


def test_a_trace_without_spans(store: Store, begin: Any) -> None:
    run = begin(store)
    run.add(run.trial(0, trace=Trace(trace_id="ab" * 16)))
    (brief,) = store.traces(run.run_id)
    assert (brief.spans, brief.seconds, brief.status) == (0, None, "unset")
    assert store.trace("ab" * 16) == Trace(trace_id="ab" * 16)


def test_a_name_that_begins_several_or_none(store: Store, begin: Any) -> None:
    run = begin(store, size=9)
    for i in range(8):
        run.add(run.trial(i, trace=trace(trace_id=f"abc{i}" + "0" * 28)))
    with pytest.raises(NotFound, match="beginning of several traces") as caught:
        store.trace("abc")
    assert "and more" in str(caught.value)
    with pytest.raises(NotFound, match='no trace "abd"'):
        store.trace("abd")
    for name in ("", " ", "%", "\x00", "zzzz"):
        with pytest.raises(NotFound):
            store.trace(name)


def test_a_trial_written_twice_has_its_trace_once(store: Store, begin: Any) -> None:
    run = begin(store)
    trial = run.trial(0, trace=trace(span(2)))
    run.add(trial)
    run.add(trial, run.trial(1, trace=trace(span(2))))
    assert [len(one.trace.spans) for one in run.trials()] == [2, 2]
    assert len(store.traces(run.run_id)) == 2


def test_only_the_last_attempt_shows_its_trace(store: Store, begin: Any) -> None:
    run = begin(store)
    first, second = trace(), trace(span(2))
    run.add(run.trial(0, trace=first), run.trial(0, attempt=2, trace=second))
    assert [one.trace for one in run.trials()] == [second]
    assert {brief.attempt for brief in store.traces(run.run_id)} == {1, 2}


def test_two_trials_with_one_trace_id_are_both_stored(store: Store, begin: Any) -> None:
    run = begin(store)
    made = trace(span(2))
    run.add(run.trial(0, trace=made))
    run.add(run.trial(1, trace=made))
    assert [one.trace for one in run.trials()] == [made, None]


def test_a_trial_and_its_trace_are_stored_together_or_not_at_all(store: Store, begin: Any) -> None:
    run = begin(store)
    broken = trace(dataclasses.replace(span(2), name=None))  # type: ignore[arg-type]  # on purpose
    with pytest.raises(TypeError):
        run.add(run.trial(0, trace=broken))
    assert run.trials() == ()
    assert store.traces(run.run_id) == []


def conversation(turns: int) -> list[dict[str, Any]]:
    return [{"role": "user", "parts": [{"type": "text", "content": f"{i}: " + "words " * 150}]} for i in range(turns)]


def test_a_conversation_that_is_sent_again_with_every_turn_is_kept_once(path: Path, begin: Any) -> None:
    turns = conversation(30)
    spans = [span(i + 2, kind="llm", attributes={"gen_ai.input.messages": turns[: i + 1]}) for i in range(30)]
    with open_store(path) as store:
        run = begin(store)
        run.add(run.trial(0, trace=trace(*spans)))
        assert run.trials()[0].trace.spans[-1].attributes["gen_ai.input.messages"] == turns
    with contextlib.closing(sqlite3.connect(path)) as database:
        (kept,) = database.execute("SELECT COUNT(*) FROM blobs WHERE size BETWEEN 800 AND 1100").fetchone()
        (sizes,) = database.execute("SELECT SUM(LENGTH(attributes)) FROM spans").fetchone()
        text = database.execute("SELECT attributes FROM spans WHERE position = 3").fetchone()[0]
    assert kept == 30
    assert sizes < 80 * 30 * 31 / 2
    assert len(json.dumps(turns[0])) > LONG
    assert list(json.loads(text)["gen_ai.input.messages"][0]) == ["$blob"]
    assert check(path).ok
