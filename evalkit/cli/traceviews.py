"""How traces are shown: as a tree for a terminal, and as JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalkit import grid
from evalkit.canonical import jsonable
from evalkit.figures import count, figure
from evalkit.plaintext import Paint, clean, fitted, wrapped
from evalkit.usage import Usage

if TYPE_CHECKING:
    from evalkit.spans import Span, Trace
    from evalkit.store import TraceSummary

TRACE = "evalkit.trace/1"
TRACES = "evalkit.traces/1"
SHORT = 12
"""How many digits of a trace's id are shown where there is little room."""

_DEEPEST = 12
_LONGEST = 40
_COLOURS = {"passed": "32", "missed": "33", "errored": "31", "unscored": "33"}
_MESSAGES = ("gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages")


def summary_shape(brief: TraceSummary) -> dict[str, Any]:
    """A trace in brief, as JSON. Times are nanoseconds since 1970, UTC."""
    return {
        "trace": brief.trace_id,
        "run": brief.run_id,
        "suite": brief.suite,
        "case": brief.case_id,
        "trial": brief.number,
        "attempt": brief.attempt,
        "outcome": brief.outcome,
        "start_ns": brief.start_ns,
        "end_ns": brief.end_ns,
        "status": brief.status,
        "error": brief.error,
        "spans": brief.spans,
        "calls": brief.calls,
        "tools": brief.tools,
        "usage": _usage_shape(brief.usage),
    }


def span_shape(span: Span) -> dict[str, Any]:
    """One span, as JSON."""
    return {
        "span": span.span_id,
        "parent": span.parent_id,
        "kind": span.kind,
        "name": span.name,
        "start_ns": span.start_ns,
        "end_ns": span.end_ns,
        "status": span.status,
        "error": span.error,
        "model": span.model,
        "provider": span.provider,
        "tool": span.tool_name,
        "usage": _usage_shape(span.usage),
        "attributes": jsonable(span.attributes),
        "raw": jsonable(span.raw),
        "events": jsonable(list(span.events)),
    }


def _usage_shape(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "cost": None if usage.cost is None else float(usage.cost),
        "saved": None if usage.saved is None else float(usage.saved),
        "calls": usage.calls,
        "uncounted": usage.uncounted,
        "unpriced": usage.unpriced,
    }


def list_columns(found: Sequence[TraceSummary], level: int) -> list[grid.Column]:
    """The columns of a list of traces, fewer the higher the `level`."""
    ids = [one.trace_id if level == 0 else one.trace_id[:SHORT] for one in found]
    cases = [f"{one.case_id} ({one.number})" if one.number > 1 else one.case_id for one in found]
    columns = [grid.Column(title="trace", texts=[clean(text) for text in ids])]
    if level < 3 and len({one.suite for one in found}) > 1:
        columns.append(grid.Column(title="suite", texts=[clean(one.suite) for one in found], least=8))
    columns.append(grid.Column(title="case", texts=[clean(text) for text in cases], least=12))
    columns.append(grid.Column(title="outcome", texts=[one.outcome for one in found]))
    columns.append(grid.Column(title="took", texts=[figure(one.seconds, "s") for one in found], right=True))
    columns.append(grid.Column(title="calls", texts=[f"{one.calls:,}" for one in found], right=True))
    if level < 3:
        columns.append(grid.Column(title="tokens", texts=[_tokens(one.usage) for one in found], right=True))
        columns.append(grid.Column(title="cost", texts=[_cost(one.usage) for one in found], right=True))
    if level < 2 and any(one.error for one in found):
        columns.append(grid.Column(title="error", texts=[clean(one.error or "") for one in found], least=16))
    return columns


def head_lines(brief: TraceSummary, width: int, paint: Paint) -> Iterator[str]:
    """What trace it is, of which trial, and what it used as a whole."""
    again = f", trial {brief.number}" if brief.number > 1 else ""
    yield paint(fitted(clean(f"trace {brief.trace_id}"), width), "1")
    place = fitted(clean(f"{brief.suite} {brief.case_id}{again}: "), width - len(brief.outcome))
    yield place + paint(brief.outcome, _COLOURS[brief.outcome])
    yield fitted(f"run {brief.run_id}", width)
    facts = [] if brief.start_ns is None else [f"{_moment(brief.start_ns)}, took {figure(brief.seconds, 's')}"]
    facts.append(count(brief.calls, "call"))
    usage = brief.usage
    if usage is not None:
        facts.append(f"tokens {_tokens(usage)}")
        facts.append(f"cost {_cost(usage)}")
        if usage.saved:
            facts.append(f"{figure(float(usage.saved), '$')} of it saved by recorded answers")
    yield from wrapped(", ".join(facts), width)


def tree_lines(trace: Trace, width: int, paint: Paint) -> Iterator[str]:
    """The spans as a tree, with when each began, how long it took, and what it used; then the errors."""
    rows = list(_in_tree(trace.spans))
    if not rows:
        yield "It has no spans."
        return
    began = min(span.start_ns for _, span in rows)
    columns = grid.fit((_tree_columns(rows, began, level) for level in range(5)), width)
    yield paint(grid.header(columns), "2")
    for number, (_, span) in enumerate(rows):
        for line in grid.lines(columns, number):
            yield paint(line, "31") if span.status == "error" else line
    failed = [span for _, span in rows if span.status == "error"]
    if failed:
        yield ""
    for span in failed:
        yield from wrapped(f"{clean(span.name)}: {clean(span.error or 'failed without a word')}", width)


def _tree_columns(rows: Sequence[tuple[str, Span]], began: int, level: int) -> list[grid.Column]:
    spans = [span for _, span in rows]
    names = [f"{lead}{clean(span.name)}" for lead, span in rows]
    columns = [grid.Column(title="span", texts=names, least=24 if level < 4 else 12)]
    if level < 2:
        columns.append(grid.Column(title="kind", texts=[span.kind for span in spans]))
    if level < 1 and any(span.model for span in spans):
        columns.append(grid.Column(title="model", texts=[clean(span.model or "") for span in spans], least=12))
    if level < 3:
        starts = [figure((span.start_ns - began) / 1e9, "s") for span in spans]
        columns.append(grid.Column(title="at", texts=starts, right=True))
    took = [figure((span.end_ns - span.start_ns) / 1e9, "s") for span in spans]
    columns.append(grid.Column(title="took", texts=took, right=True))
    if any(span.usage for span in spans):
        columns.append(grid.Column(title="tokens", texts=[_tokens(span.usage) for span in spans], right=True))
        if level < 4:
            columns.append(grid.Column(title="cost", texts=[_cost(span.usage) for span in spans], right=True))
    columns.append(grid.Column(title="", texts=["error" if span.status == "error" else "" for span in spans]))
    return columns


def _in_tree(spans: Sequence[Span]) -> Iterator[tuple[str, Span]]:
    """Each span with the lines that lead to it: parents before their children, those in the order they began.

    A span whose parent is missing is a root. Those that are each other's parents come at the end.
    """
    ids = {span.span_id for span in spans}
    below: dict[str | None, list[int]] = {}
    for number, span in enumerate(spans):
        below.setdefault(span.parent_id if span.parent_id in ids else None, []).append(number)
    seen: set[int] = set()
    starts = [*below.get(None, ()), *range(len(spans))]
    for start in starts:
        # On the stack are: a span, the lead of its line, and the lead of those below it.
        waiting: list[tuple[int, str, str]] = [(start, "", "")]
        while waiting:
            number, lead, under = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            yield lead, spans[number]
            inner = [child for child in below.get(spans[number].span_id, ()) if child not in seen]
            deep = len(under) >= 3 * _DEEPEST
            for place, child in reversed(list(enumerate(inner))):
                last = place == len(inner) - 1
                if deep:
                    waiting.append((child, under, under))
                else:
                    waiting.append((child, under + ("└─ " if last else "├─ "), under + ("   " if last else "│  ")))


def message_lines(trace: Trace, width: int, paint: Paint) -> Iterator[str]:
    """What was said to each model and what it answered, in the order of the calls."""
    for span in trace.spans:
        said = [(key, span.attributes[key]) for key in _MESSAGES if span.attributes.get(key)]
        if span.kind not in ("llm", "embedding") or not said:
            continue
        yield ""
        yield paint(fitted(clean(f"{span.name} ({span.span_id})"), width), "1")
        for key, messages in said:
            for who, text in _messages(key, messages):
                lines = text.splitlines() or [""]
                for place, line in enumerate(lines[:_LONGEST]):
                    yield from _indented(clean(who) if place == 0 else "", line, width)
                if len(lines) > _LONGEST:
                    yield f"{'':<10} … {len(lines) - _LONGEST} more lines"


def _indented(who: str, line: str, width: int) -> Iterator[str]:
    for place, part in enumerate(wrapped(clean(line), max(20, width - 11))):
        yield f"{fitted(who, 10) if place == 0 else '':<10} {part}".rstrip()


def _messages(key: str, messages: Any) -> Iterator[tuple[str, str]]:
    if isinstance(messages, str):
        try:
            messages = json.loads(messages)
        except ValueError:
            messages = [messages]
    if key == _MESSAGES[0]:
        messages = [{"role": "system", "parts": messages}]
    for message in messages if isinstance(messages, list) else [messages]:
        if not isinstance(message, Mapping):
            yield "", _text(message)
            continue
        parts = message.get("parts")
        who = str(message.get("role") or "")
        for part in parts if isinstance(parts, list) else [message.get("content", message)]:
            yield who, _part(part)


def _part(part: Any) -> str:
    if not isinstance(part, Mapping):
        return _text(part)
    kind = part.get("type")
    if kind == "tool_call":
        return f"calls {part.get('name')}({_text(part.get('arguments'))})"
    if kind == "tool_call_response":
        return f"got {_text(part.get('response', part.get('result')))}"
    return _text(part["content"] if "content" in part else dict(part))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(jsonable(value), ensure_ascii=False)


def _tokens(usage: Usage | None) -> str:
    if usage is None:
        return ""
    if usage.input_tokens is None and usage.output_tokens is None:
        return "unknown"
    known = ["?" if tokens is None else f"{tokens:,}" for tokens in (usage.input_tokens, usage.output_tokens)]
    return ("≥ " if usage.uncounted else "") + "+".join(known)


def _cost(usage: Usage | None) -> str:
    if usage is None:
        return ""
    if usage.cost is None:
        return "unknown"
    return ("≥ " if usage.unpriced else "") + figure(float(usage.cost), "$")


def _moment(nanoseconds: int) -> str:
    try:
        when = dt.datetime.fromtimestamp(nanoseconds / 1e9, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return "at an unknown time"
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"
