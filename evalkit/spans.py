"""A trace is what happened inside one trial, as a tree of spans; the words are OpenTelemetry's."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from evalkit.usage import Usage

SpanKind = Literal["case", "llm", "embedding", "tool", "agent", "retrieval", "chain", "scorer", "http"]
"""What a span stands for. `case` is the root of a trial, `chain` anything of the user's own, `http` a call that is
not to a model."""

SpanStatus = Literal["unset", "ok", "error"]
_NONE: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return _NONE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One thing that took time. Ids are lower-case hex digits (32 for a trace, 16 for a span), times integer
    nanoseconds since the epoch.

    `parent_id` is `None` for a root. `attributes` are the canonical ones (`gen_ai.*`), `raw` what the span came with
    where that was something else. `model` and `provider` are those that answered. `usage` is this call's own, and
    only a call to a model has one. `error` is a sentence, `None` unless the status is `error`.
    """

    trace_id: str
    span_id: str
    parent_id: str | None = None
    kind: SpanKind = "chain"
    name: str
    start_ns: int
    end_ns: int
    status: SpanStatus = "unset"
    error: str | None = None
    model: str | None = None
    provider: str | None = None
    usage: Usage | None = None
    tool_name: str | None = None
    attributes: Mapping[str, Any] = dataclasses.field(default_factory=_nothing)
    raw: Mapping[str, Any] = dataclasses.field(default_factory=_nothing)
    events: tuple[Mapping[str, Any], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The spans of one trial, in the order they started; the first without a parent is the root.

    `normaliser` is the version of the rules that made canonical attributes of the raw ones.
    """

    trace_id: str
    spans: tuple[Span, ...] = ()
    normaliser: str = ""

    @property
    def root(self) -> Span | None:
        """The span that has no parent, `None` where the trace has lost it."""
        return next((span for span in self.spans if span.parent_id is None), None)
