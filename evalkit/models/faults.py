"""What can go wrong with a call, and which of it may go right the next time."""

from __future__ import annotations

import dataclasses
import email.utils
import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Literal

from evalkit.errors import EvalkitError, ReplayMiss
from evalkit.transport.origin import origin

FaultKind = Literal[
    "rate", "server", "timeout", "connection", "garbage", "truncated", "error body", "refused", "filtered"
]
_RETRIED: frozenset[FaultKind] = frozenset(
    ("rate", "server", "timeout", "connection", "garbage", "truncated", "error body")
)
_TRIED_AGAIN = frozenset((408, 409, 425, 429))
_FOR_GOOD = ("insufficient_quota", "billing", "invalid_", "not_found", "unsupported", "context_length", "permission")
_FILTERED = ("content_filter", "content_policy", "responsibleaipolicy", "safety")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that went wrong. `status` is HTTP's, `retry_after` in seconds; both `None` where nobody said."""

    kind: FaultKind
    said: str
    status: int | None = None
    retry_after: float | None = None
    retriable: bool = True

    def __str__(self) -> str:
        return self.said


class Broken(Exception):
    """An answer came that is no whole answer."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.said)
        self.fault = fault


def fault_of(error: BaseException) -> Fault | None:
    """What `error` says went wrong with a call; `None` for an error that is not about the call at all."""
    import openai

    if isinstance(error, Broken):
        return error.fault
    first = origin(error)
    if first is not error:
        return Fault(kind="connection", said=_in_words(first))
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return Fault(kind="timeout", said="no answer in time")
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__
        if cause is not None and not _of_network(cause):
            return None
        return Fault(kind="connection", said=_in_words(cause or error))
    if isinstance(error, openai.APIStatusError):
        return _of_status(error)
    if isinstance(error, openai.APIError):  # an event of a stream that says error
        return error_in_body(error.body if isinstance(error.body, Mapping) else {"message": str(error)})
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return Fault(kind="garbage", said="an answer that is no JSON")
    if _of_network(error):
        timeout = "timeout" in type(error).__name__.lower()
        return Fault(kind="timeout" if timeout else "connection", said=_in_words(error))
    return None


def error_in_body(said: Mapping[str, Any]) -> Fault:
    """The fault that an error object in a body stands for, such as `{"message": …, "type": …, "code": …}`."""
    code = f"{said.get('code') or ''} {said.get('type') or ''}".lower()
    message = " ".join(str(said.get("message") or said.get("code") or "an error").split())[:200]
    if any(word in code for word in _FILTERED):
        return Fault(kind="filtered", said=f"the content filter: {message}", retriable=False)
    if any(word in code for word in _FOR_GOOD):
        return Fault(kind="refused", said=message, retriable=False)
    if "rate_limit" in code or str(said.get("code")) == "429":
        return Fault(kind="rate", said=f"429 in the body: {message}")
    return Fault(kind="error body", said=f"an error in the body of a 200: {message}")


def replay_miss(error: BaseException) -> ReplayMiss | None:
    """The missing record that the cache answered with, as the error it is."""
    body = getattr(error, "body", None)
    if isinstance(body, Mapping) and body.get("code") == "replay_miss":
        return ReplayMiss(str(body.get("message")))
    return None


def own_error(error: BaseException) -> EvalkitError | None:
    """An error of evalkit's that a client wrapped into one of its own."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, EvalkitError):
            return seen
        seen = seen.__cause__
    return None


def _of_status(error: Any) -> Fault:
    status, headers = int(error.status_code), error.response.headers
    body = error.body if isinstance(error.body, Mapping) else {}
    said = f"{status} {' '.join(str(body.get('message') or error.message).split())[:200]}".strip()
    inner = error_in_body(body) if body else None
    if inner is not None and inner.kind == "filtered":
        return Fault(kind="filtered", said=said, status=status, retriable=False)
    again = status >= 500 or status in _TRIED_AGAIN
    asked = headers.get("x-should-retry", "").lower()
    again = {"true": True, "false": False}.get(asked, again)
    if status == 429 and inner is not None and not inner.retriable:
        again = False
    if not again:
        return Fault(kind="refused", said=said, status=status, retriable=False)
    kind: FaultKind = "rate" if status in (429, 529) else "server"
    return Fault(kind=kind, said=said, status=status, retry_after=retry_after(headers))


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """The seconds that a `Retry-After` (or OpenAI's `retry-after-ms`) asks for, `None` where there is none.

    Takes seconds and HTTP dates; what is neither, or lies in the past, is none.
    """
    try:
        milliseconds = float(headers.get("retry-after-ms") or "nan")
        if 0 <= milliseconds < 1e9:
            return milliseconds / 1000
    except ValueError:
        pass
    text = headers.get("retry-after")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            when = email.utils.parsedate_to_datetime(text).timestamp()
        except (ValueError, TypeError):
            return None
        seconds = when - (time.time() if now is None else now)
    return seconds if 0 <= seconds < 1e6 else None


def _of_network(error: BaseException) -> bool:
    """Whether an error is one of the network's: of httpx or httpx2, or of the system."""
    for name in ("httpx", "httpx2"):
        module: Any = sys.modules.get(name)
        if module is not None and isinstance(error, module.TransportError | module.DecodingError):
            return not isinstance(error, module.UnsupportedProtocol)
    return isinstance(error, OSError) and not isinstance(error, EvalkitError)


def _in_words(error: BaseException) -> str:
    said = " ".join(str(error).split())[:200]
    return f"the connection failed ({type(error).__name__}{': ' + said if said else ''})"
