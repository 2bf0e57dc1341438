"""evalkit traces: lists, trees and messages, however wide the terminal and however hostile the text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evalkit.plaintext import cells
from evalkit.runs import Run
from evalkit.spans import Span, Trace
from evalkit.store import open_store
from evalkit.usage import Usage

START = 1_763_800_000_000_000_000
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


def span(number: int, parent: int | None, kind: Any, name: str, start: float, end: float, **more: Any) -> Span:
    return Span(
        trace_id=TRACE_ID,
        span_id=f"{number:016x}",
        parent_id=None if parent is None else f"{parent:016x}",
        kind=kind,
        name=name,
        start_ns=START + int(start * 1e9),
        end_ns=START + int(end * 1e9),
        **more,
    )


CALL = Usage(input_tokens=1204, output_tokens=310, cost=Decimal("0.0123"), calls=1)
MESSAGES = {
    "gen_ai.system_instructions": [{"type": "text", "content": "Be kind."}],
    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Where is it?\nPlease \x1b[31mhurry"}]}],
    "gen_ai.output.messages": [
        {"role": "assistant", "parts": [{"type": "tool_call", "name": "find", "arguments": {"id": 7}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "response": "gone"}]},
        {"role": "assistant", "content": "It is gone."},
        "plain words",
    ],
}  # fmt: skip
SPANS = (
    span(1, None, "case", "c1", 0, 3.2, status="error", error="RuntimeError: the tool broke"),
    span(2, 1, "agent", "support agent", 0.01, 2.5),
    span(3, 2, "llm", "chat small", 0.02, 0.9, model="small-2026", usage=CALL, attributes=MESSAGES),
    span(
        4,
        2,
        "tool",
        "find \x1b[2J\n::error::",
        0.95,
        1.2,
        status="error",
        error="KeyError: \x1b]0;pwned\x07 " + "x " * 90,
    ),
    span(5, 2, "llm", "chat small", 1.25, 2.4, usage=Usage(calls=1, uncounted=1, unpriced=1)),
    span(6, 1, "scorer", "politeness 評価", 2.6, 3.1),
)


@pytest.fixture
def untraced(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No trial is traced by itself, whatever an earlier test of this process has imported."""
    monkeypatch.setenv("EVALKIT_CAPTURE", "off")


@pytest.fixture
def traced(make_run: Callable[..., Run], project: Path, untraced: None) -> Run:
    """A stored run whose case c1 missed and has the trace above; c0 passed and has one of a root alone."""
    run = make_run(wrong=(1, 2), cases=3, name="support")
    with open_store(project / ".evalkit" / "evalkit.db") as store:
        for trial in store.load(run.id).suite("support").trials[:2]:
            trace = Trace(trace_id=TRACE_ID, spans=SPANS, normaliser="7")
            if trial.case_id == "c0":
                root = dataclasses.replace(SPANS[0], trace_id="a" * 32, status="ok", error=None)
                trace = Trace(trace_id="a" * 32, spans=(root,))
            store.add_trials(run.id, "support", [dataclasses.replace(trial, attempt=2, trace=trace)])
    return run


def test_a_trace_is_a_tree_with_times_and_tokens(cli: Callable[..., Any], traced: Run) -> None:
    text = cli("traces", "show", TRACE_ID[:8]).out
    assert f"trace {TRACE_ID}\nsupport c1: missed\nrun {traced.id}\n" in text
    assert "took 3.20 s, 2 calls, tokens ≥ 1,204+310, cost ≥ $0.0123" in text
    lines = {line.split("  ")[0]: line for line in text.splitlines()}
    assert lines["├─ support agent"].split() == ["├─", "support", "agent", "agent", "10", "ms", "2.49", "s"]
    assert "1,204+310  $0.0123" in text
    assert "│  └─ chat small" in text
    assert "└─ politeness 評価" in text
    assert "unknown  unknown" in text
    assert "\nc1: RuntimeError: the tool broke\n" in text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_every_line_fits_and_nothing_moves_the_cursor(
    cli: Callable[..., Any], traced: Run, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for words in (["show", TRACE_ID, "--messages"], ["list", "last"]):
        text = cli("traces", *words).out
        assert not set("\x1b\x07\x00\r") & set(text)
        assert "\n::error" not in text
        assert [line for line in text.splitlines() if cells(line) > width] == []
    if width >= 60:
        assert "took" in text


def test_the_trace_of_a_case(cli: Callable[..., Any], traced: Run) -> None:
    assert f"trace {TRACE_ID}" in cli("traces", "show", "last", "c1").out
    assert f"trace {TRACE_ID}" in cli("traces", "show", "last", "c1", "--suite", "support", "--trial", "1").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "ffff"], 'The store has no trace "ffff"'),
        (["show", "last", "c2"], "No trial of the case \"c2\" was traced"),
        (["show", "last", "c11"], "Did you mean \"c1\"?"),
        (["show", "last", "c1", "--trial", "3"], "has no trial 3 that was traced"),
        (["show", "last", "c1", "--suite", "nope"], "has no traces of the suite nope"),
        (["list", "last", "--suite", "suport"], "Did you mean \"support\"?"),
        (["list", "nothing"], 'The store has no run "nothing"'),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_in_a_sentence(
    cli: Callable[..., Any], traced: Run, words: list[str], said: str
) -> None:
    result = cli("traces", *words)
    assert result.code == 2
    assert said in result.err
    assert "Traceback" not in result.err


def test_the_traces_of_a_run(cli: Callable[..., Any], traced: Run) -> None:
    text = cli("traces", "list", "last").out
    assert [line.split()[1:3] for line in text.splitlines()[1:]] == [["c0", "passed"], ["c1", "missed"]]
    only = cli("traces", "list", "last", "--failed").out
    assert "c0" not in only
    found = cli("traces", "list", "last", "--failed", "--json").json()
    assert [one["trace"] for one in found["traces"]] == [TRACE_ID]
    assert found["traces"][0]["usage"]["input_tokens"] == 1204


def test_a_run_without_traces(cli: Callable[..., Any], make_run: Callable[..., Run], untraced: None) -> None:
    make_run(cases=2)
    assert cli("traces", "list", "last").out == "No traces to show.\n"
    assert "has no traces" in cli("traces", "show", "last", "c1").err


def test_what_was_said(cli: Callable[..., Any], traced: Run) -> None:
    text = cli("traces", "show", TRACE_ID, "--messages").out
    said = text[text.index("chat small (0000000000000003)") :].splitlines()[1:]
    assert [line.rstrip() for line in said] == [
        "system     Be kind.",
        "user       Where is it?",
        "           Please  [31mhurry",
        'assistant  calls find({"id": 7})',
        "tool       got gone",
        "assistant  It is gone.",
        "           plain words",
    ]


def test_json_has_every_span(cli: Callable[..., Any], traced: Run) -> None:
    found = cli("traces", "show", TRACE_ID, "--json").json()
    assert (found["schema"], found["trace"], found["case"], found["normaliser"]) == (
        "evalkit.trace/1",
        TRACE_ID,
        "c1",
        "7",
    )
    assert [one["span"] for one in found["tree"]] == [one.span_id for one in SPANS]
    assert found["tree"][2]["usage"]["cost"] == 0.0123
    assert found["tree"][2]["attributes"]["gen_ai.input.messages"] == MESSAGES["gen_ai.input.messages"]


def test_a_failing_case_leads_to_its_trace(cli: Callable[..., Any], traced: Run) -> None:
    assert f"    trace     evalkit traces show {TRACE_ID[:12]}\n" in cli("show", "last").out
    cases = cli("show", "last", "--json").json()["cases"]
    assert [case["trace"] for case in cases if case["case"] == "c1"] == [TRACE_ID]


def odd_tree(*links: tuple[int, int | None]) -> Trace:
    spans = tuple(span(number, parent, "chain", f"s{number}", 0, 1) for number, parent in links)
    return Trace(trace_id=TRACE_ID, spans=spans)


@pytest.mark.parametrize(
    ("links", "names"),
    [
        ([(1, None), (2, 9)], ["s1", "s2"]),  # a parent that is missing
        ([(1, None), (2, 3), (3, 2)], ["s1", "s2", "└─ s3"]),  # each other's parents
        ([(1, 1)], ["s1"]),
        ([(1, None), (1, None), (2, 1)], ["s1", "└─ s2", "s1"]),  # one id twice
        ([(2, 1), (1, None), (3, 1)], ["s1", "├─ s2", "└─ s3"]),
    ],
)
def test_odd_trees_show_every_span_once(links: list[tuple[int, int | None]], names: list[str]) -> None:
    from evalkit.cli.traceviews import tree_lines
    from evalkit.plaintext import Paint

    lines = list(tree_lines(odd_tree(*links), 100, Paint(on=False)))[1:]
    assert [line.split("  chain")[0].rstrip() for line in lines] == names


def test_a_tree_of_a_thousand_levels_is_shown_without_sinking() -> None:
    from evalkit.cli.traceviews import tree_lines
    from evalkit.plaintext import Paint

    deep = odd_tree((1, None), *((number, number - 1) for number in range(2, 1001)))
    lines = list(tree_lines(deep, 80, Paint(on=False)))[1:]
    assert len(lines) == 1000
    assert "s1000" in lines[-1]
    assert list(tree_lines(Trace(trace_id=TRACE_ID), 80, Paint(on=False))) == ["It has no spans."]
