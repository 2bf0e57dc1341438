"""What happens inside a trial: which trial it is, its spans, and what calls to models say.

Nothing of OpenTelemetry is imported before there is a span.
"""

from __future__ import annotations

from evalkit.tracing.call import Api, CallInfo, CallResult
from evalkit.tracing.callspan import CallSpan, start_call
from evalkit.tracing.genai import describe_http, describe_request, describe_response
from evalkit.tracing.imports import when_imported
from evalkit.tracing.own import OwnSpan, scorer_span, span, trace
from evalkit.tracing.scope import Capture, Scope, attached, current, judged_by, scoring
from evalkit.tracing.session import Session, running

__all__ = [
    "Api",
    "CallInfo",
    "CallResult",
    "CallSpan",
    "Capture",
    "OwnSpan",
    "Scope",
    "Session",
    "attached",
    "current",
    "describe_http",
    "describe_request",
    "describe_response",
    "judged_by",
    "running",
    "scorer_span",
    "scoring",
    "span",
    "start_call",
    "trace",
    "when_imported",
]
