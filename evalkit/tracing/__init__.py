"""What happens inside a trial: which trial it is, its spans, and what calls to models say.

Nothing of OpenTelemetry is imported before there is a span.
"""

from __future__ import annotations

from evalkit.tracing.call import Api, CallInfo, CallResult
from evalkit.tracing.callspan import CallSpan, start_call
from evalkit.tracing.counting import accounted
from evalkit.tracing.genai import describe_http, describe_request, describe_response
from evalkit.tracing.imports import when_imported
from evalkit.tracing.misses import with_misses
from evalkit.tracing.own import Judging, OwnSpan, span, trace
from evalkit.tracing.scope import Capture, Scope, attached, current, inherited, scoring
from evalkit.tracing.session import Session, running

__all__ = [
    "Api",
    "CallInfo",
    "CallResult",
    "CallSpan",
    "Capture",
    "Judging",
    "OwnSpan",
    "Scope",
    "Session",
    "accounted",
    "attached",
    "current",
    "describe_http",
    "describe_request",
    "describe_response",
    "inherited",
    "running",
    "scoring",
    "span",
    "start_call",
    "trace",
    "when_imported",
    "with_misses",
]
