"""The spans of a trial as rows for the page's waterfall: who called what, when, for how long, at which cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evalkit.spans import Span, Trace
from evalkit.usage import Usage
from evalkit_reports.values import Values, json_text

MOST_SPANS = 400
"""Of a trial; the rest is counted."""

_SPOKEN = ("gen_ai.input.messages", "gen_ai.output.messages")
_SYSTEM = "gen_ai.system_instructions"
_SCORER = "evalkit.scorer"
_ARGUMENTS, _RESULT = "gen_ai.tool.call.arguments", "gen_ai.tool.call.result"
_SHOWN_ELSEWHERE = frozenset(
    {
        *_SPOKEN, _SYSTEM, _ARGUMENTS, _RESULT, _SCORER,
        "evalkit.kind", "evalkit.run.id", "evalkit.suite", "evalkit.case.id", "evalkit.trial", "evalkit.cost",
        "gen_ai.operation.name", "gen_ai.tool.name", "gen_ai.response.model", "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
    }
)  # fmt: skip


def span_rows(trace: Trace | None, values: Values) -> dict[str, Any] | None:
    """The rows of a trace, or `None` where there is none.

    `spans` are `[parent, kind, name, start, duration, status, details]`: the place of the parent or -1, times in
    microseconds from the first start, `e` for an error. What is unknown has no key in `details`. An agent says its
    whole conversation again in every turn, so messages stand once in `said` and the spans have their places.
    """
    if trace is None or not trace.spans:
        return None
    spans = sorted(trace.spans, key=lambda span: span.start_ns)[:MOST_SPANS]
    places = {span.span_id: place for place, span in enumerate(spans)}
    first = spans[0].start_ns
    said = _Said(values)
    rows = [
        [
            places.get(span.parent_id or "", -1),
            span.kind,
            span.name,
            (span.start_ns - first) // 1000,
            max(span.end_ns - span.start_ns, 0) // 1000,
            "e" if span.status == "error" else "",
            _details(span, said, values),
        ]
        for span in spans
    ]
    return {"spans": rows, "said": said.texts, "more": len(trace.spans) - len(spans)}


class _Said:
    """Messages, each once."""

    def __init__(self, values: Values) -> None:
        self.texts: list[Any] = []
        self._places: dict[str, int] = {}
        self._values = values

    def places(self, messages: Any) -> list[int] | None:
        if isinstance(messages, str) or not isinstance(messages, Sequence):
            return None
        return [self._place(message) for message in messages]

    def _place(self, message: Any) -> int:
        text = json_text(message)
        if text not in self._places:
            self._places[text] = len(self.texts)
            self.texts.append(self._values.text(message) if type(message) is str else self._values.json(text))
        return self._places[text]


def _details(span: Span, said: _Said, values: Values) -> dict[str, Any]:
    attributes = span.attributes
    more = {name: value for name, value in attributes.items() if name not in _SHOWN_ELSEWHERE}
    if span.events:
        more["events"] = [dict(event) for event in span.events]
    found = {
        "model": span.model,
        "tool": span.tool_name,
        "scorer": attributes.get(_SCORER),
        "usage": usage_row(span.usage),
        "error": values.of(span.error),
        "in": said.places(attributes.get(_SPOKEN[0])),
        "out": said.places(attributes.get(_SPOKEN[1])),
        "system": values.of(attributes.get(_SYSTEM)),
        "arguments": values.of(attributes.get(_ARGUMENTS)),
        "result": values.of(attributes.get(_RESULT)),
        "more": values.of(more or None),
    }
    return {name: value for name, value in found.items() if value is not None}


def usage_row(usage: Usage | None) -> list[Any] | None:
    """Tokens in and out, the cost as text, calls, and how many calls have no token counts and no known price."""
    if usage is None:
        return None
    cost = None if usage.cost is None else str(usage.cost)
    row: list[Any] = [usage.input_tokens, usage.output_tokens, cost]
    tail: list[Any] = [usage.calls, usage.uncounted, usage.unpriced]
    while tail and not tail[-1]:
        tail.pop()
    return row + tail
