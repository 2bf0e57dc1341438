"""Answers: the record of one that came, and one that is given from a record."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from typing import Any

from evalkit.canonical import canonical_json
from evalkit.exchange import BodyEncoding, Exchange
from evalkit.transport import pieces
from evalkit.transport.asked import Asked, Redact, redacted
from evalkit.transport.streams import Given, events, of_module

MISS_STATUS = 424
"""The status of the answer to a call that was never recorded: no client tries again after it, as after 5xx or 429."""

_STREAMS = ("text/event-stream", "application/x-ndjson", "application/jsonl", "application/stream+json")
_LAST_EVENTS = ("[DONE]", "response.completed", "response.incomplete", "response.failed", "message_stop")
_LINE_ENDS = re.compile(r"(?<=\n)")


def decoded(module: Any, status: int, headers: Any, raw: bytes) -> bytes | None:
    """The bytes of an answer without their content encoding, `None` where they cannot be decoded."""
    if "content-encoding" not in headers:
        return raw
    only = [(name, headers[name]) for name in ("content-encoding", "content-type") if name in headers]
    try:
        content: bytes = module.Response(status, headers=only, content=raw).content
    except module.DecodingError:
        return None
    return content


def is_stream(content_type: str) -> bool:
    """Whether an answer of that type comes in events or lines."""
    return content_type.partition(";")[0].strip().lower() in _STREAMS


def is_json(body: bytes) -> bool:
    """Whether the bytes are one whole JSON value."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def is_finished(body: bytes) -> bool:
    """Whether a stream of events that was not read to its end had said its last: clients stop reading there."""
    text = body.rstrip()
    last = text[max(text.rfind(b"\n\n"), text.rfind(b"\r\n\r\n"), 0) :].decode("utf-8", "replace")
    for line in last.splitlines():
        field, _, value = line.partition(":")
        value = value.strip()
        if field in ("event", "data") and value in _LAST_EVENTS:
            return True
        if field == "data" and _type_of(value) in _LAST_EVENTS:
            return True
    return False


def _type_of(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value.get("type") if isinstance(value, dict) else None


def recorded(
    asked: Asked,
    body: bytes,
    *,
    key: str,
    trial: int,
    occurrence: int,
    status: int,
    content_type: str,
    at: dt.datetime,
    duration: float,
    suite: str,
    case_id: str,
    redact: Redact,
) -> Exchange:
    """The record of an answer, redacted."""
    text, encoding = _at_rest(body, content_type, redact)
    return Exchange(
        key=key,
        method=asked.method,
        url=asked.url,
        request=asked.request,
        trial=trial,
        occurrence=occurrence,
        status=status,
        content_type=content_type,
        stream=is_stream(content_type),
        body=text,
        encoding=encoding,
        recorded_at=at.replace(microsecond=0),
        duration=round(duration, 6),
        model=asked.model,
        suite=suite,
        case_id=redact(case_id),
    )


def _at_rest(body: bytes, content_type: str, redact: Redact) -> tuple[str, BodyEncoding]:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(body).decode("ascii"), "base64"
    if is_stream(content_type):
        return _events_at_rest(text, redact), "text"
    return _json_text(text, redact), "text"


def _events_at_rest(text: str, redact: Redact) -> str:
    lines = [_cut(line) for line in _LINE_ENDS.split(text)]
    values = [_json(bare) for _, bare, _ in lines]
    made = []
    for (lead, bare, end), value, joined in zip(lines, values, pieces.whole(values, redact), strict=True):
        clean = redact(bare) if value is None else redacted(joined, redact)
        made.append(lead + (bare if clean == value else clean if value is None else _compact(clean)) + end)
    return "".join(made)


def _cut(line: str) -> tuple[str, str, str]:
    lead = "data: " if line.startswith("data: ") else "data:" if line.startswith("data:") else ""
    bare = line[len(lead) :].rstrip("\r\n")
    return lead, bare, line[len(lead) + len(bare) :]


def _json_text(text: str, redact: Redact) -> str:
    # A pattern that runs to the next blank would eat quotes and braces of JSON; so its texts are redacted one by one,
    # and the whole is written anew only where one of them changed: what is kept is what came, byte for byte.
    value = _json(text)
    if value is None:
        return redact(text)
    clean = redacted(value, redact)
    return text if clean == value else _compact(clean)


def _json(text: str) -> Any:
    """The object or list that the text is in JSON, `None` where it is neither."""
    if text[:64].lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def content(exchange: Exchange) -> bytes:
    """The bytes of a recorded answer."""
    if exchange.encoding == "base64":
        return base64.b64decode(exchange.body)
    return exchange.body.encode("utf-8", "surrogatepass")


def given(module: Any, exchange: Exchange) -> Any:
    """A recorded answer as a response of httpx or httpx2; a stream comes event by event."""
    headers = {"content-type": exchange.content_type} if exchange.content_type else {}
    body = content(exchange)
    if not exchange.stream:
        return module.Response(exchange.status, headers=headers, content=body)
    return module.Response(exchange.status, headers=headers, stream=of_module(module, Given)(events(body)))


def refused(module: Any, message: str) -> Any:
    """The answer to a call that was never recorded: an error of OpenAI's form, which no client tries again.

    An exception would not do: openai 2 takes any for a lost connection and calls again.
    """
    error = {"message": message, "type": "replay_miss", "code": "replay_miss", "param": None}
    headers = {"content-type": "application/json", "x-should-retry": "false"}
    return module.Response(MISS_STATUS, headers=headers, content=canonical_json({"error": error}))
