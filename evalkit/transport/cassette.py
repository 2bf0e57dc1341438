"""A cassette is a file of recorded exchanges of one suite, made to be kept in git and read by people.

It is JSON, indented and sorted, so that a change in one exchange is a change in a few lines. Bodies that are JSON are
written as such where their exact text can be made again from it, and as a list of lines otherwise: what is replayed is
what came, byte for byte. Keys are not written: they follow from the request, so a request can be edited by hand.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from pathlib import Path
from typing import Any

from evalkit.canonical import canonical_json
from evalkit.errors import CacheError, did_you_mean
from evalkit.exchange import Exchange, exchange_key

FORMAT = "evalkit.cassette/1"

_STYLES: dict[str, dict[str, Any]] = {
    "compact": {"separators": (",", ":"), "ensure_ascii": False},
    "spaced": {"ensure_ascii": False},
    "indented": {"indent": 2, "ensure_ascii": False},
    "compact-ascii": {"separators": (",", ":")},
    "spaced-ascii": {},
    "indented-ascii": {"indent": 2},
}
_REQUIRED = frozenset({"case", "method", "url", "request", "trial", "response"})
_KNOWN = _REQUIRED | {"occurrence", "model", "recorded_at", "duration"}
_RESPONSE = frozenset({"status", "content_type", "stream", "body"})


def dumps(suite: str, exchanges: list[Exchange]) -> str:
    """The text of a cassette. It ends with a newline, and is the same for the same exchanges in any order."""
    entries = [_entry(exchange) for exchange in sorted(exchanges, key=_place)]
    whole = {"format": FORMAT, "suite": suite, "exchanges": entries}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _place(exchange: Exchange) -> tuple[str, int, str, str, str, int]:
    return (
        exchange.case_id,
        exchange.trial,
        exchange.url,
        exchange.method,
        exchange.request,
        exchange.occurrence,
    )


def _entry(exchange: Exchange) -> dict[str, Any]:
    return {
        "case": exchange.case_id,
        "trial": exchange.trial,
        "occurrence": exchange.occurrence,
        "method": exchange.method,
        "url": exchange.url,
        "model": exchange.model,
        "recorded_at": exchange.recorded_at.isoformat(),
        "duration": exchange.duration,
        "request": _request(exchange.request),
        "response": {
            "status": exchange.status,
            "content_type": exchange.content_type,
            "stream": exchange.stream,
            "body": _body(exchange),
        },
    }


def _request(text: str) -> Any:
    if text[:1] in ("{", "["):
        try:
            value = json.loads(text)
            if canonical_json(value).decode("utf-8") == text:
                return {"json": value}
        except (ValueError, RecursionError):
            pass
    return _lines(text)


def _body(exchange: Exchange) -> Any:
    if exchange.encoding == "base64":
        return {"base64": exchange.body}
    text = exchange.body
    if text[:64].lstrip()[:1] in ("{", "[") and not exchange.stream:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return _lines(text)
        bare = text.rstrip("\n")
        for style, options in _STYLES.items():
            if json.dumps(value, **options) == bare:
                return {"json": value, "style": style} | ({"end": text[len(bare) :]} if bare != text else {})
    return _lines(text)


def _lines(text: str) -> Any:
    return {"lines": [line + "\n" for line in text.split("\n")[:-1]] + [text.rpartition("\n")[2]]} if text else {}


def loads(text: str, *, where: str) -> tuple[str, list[Exchange]]:
    """The suite of a cassette, and its exchanges.

    Raises `CacheError` that says which exchange is wrong and how, whatever the text is.
    """
    try:
        whole = json.loads(text)
    except ValueError as error:
        raise CacheError(f"This cassette is not JSON: {error}.", where=where, hint=_HINT) from None
    except RecursionError:
        raise CacheError("This cassette is nested too deeply.", where=where, hint=_HINT) from None
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        found = whole.get("format") if isinstance(whole, dict) else None
        newer = f"Its format is {found!r:.60}." if isinstance(found, str) else "It does not say its format."
        raise CacheError(f"This is no cassette of the format {FORMAT}. {newer}", where=where, hint=_HINT)
    entries = whole.get("exchanges")
    if not isinstance(entries, list) or not isinstance(whole.get("suite"), str):
        raise CacheError("A cassette has `suite`, a text, and `exchanges`, a list.", where=where, hint=_HINT)
    found_exchanges = []
    for number, entry in enumerate(entries, start=1):
        try:
            found_exchanges.append(_exchange(entry, whole["suite"]))
        except (_Wrong, ValueError, OverflowError, RecursionError) as error:
            raise CacheError(f"Exchange {number} cannot be used: {error}.", where=where, hint=_HINT) from None
    return whole["suite"], found_exchanges


_HINT = "Put it right, or record it again with --evalkit-cache refresh."


class _Wrong(Exception):
    pass


def _exchange(entry: Any, suite: str) -> Exchange:
    if not isinstance(entry, dict):
        raise _Wrong("it is not an object")
    for name in entry:
        if name not in _KNOWN:
            raise _Wrong(f'it has "{name:.40}", which no exchange has.' + did_you_mean(name, _KNOWN))
    for name in sorted(_REQUIRED - set(entry)):
        raise _Wrong(f"it has no `{name}`")
    response = entry["response"]
    if not isinstance(response, dict):
        raise _Wrong("its `response` is not an object")
    for name in response:
        if name not in _RESPONSE:
            raise _Wrong(f'its response has "{name:.40}", which none has.' + did_you_mean(name, _RESPONSE))
    method, url = _typed(entry, "method", str), _typed(entry, "url", str)
    request = _text(entry["request"], "request", canonical=True)
    trial, occurrence = _whole(entry, "trial", 1), _whole(entry, "occurrence", 1, default=1)
    status = _whole(response, "status", 100, default=200)
    if status > 599:
        raise _Wrong(f"its status is {status}, which is none of HTTP's")
    content_type = _typed(response, "content_type", str, default="")
    if not content_type.isascii() or any(ord(letter) < 32 for letter in content_type):
        raise _Wrong("its `content_type` is no line of plain text")
    body = response.get("body", {})
    encoded = isinstance(body, dict) and set(body) == {"base64"}
    return Exchange(
        key=exchange_key(method=method, url=url, request=request, trial=trial, occurrence=occurrence),
        method=method,
        url=url,
        request=request,
        trial=trial,
        occurrence=occurrence,
        status=status,
        content_type=content_type,
        stream=_typed(response, "stream", bool, default=False),
        body=_base64(body["base64"]) if encoded else _text(body, "body"),
        encoding="base64" if encoded else "text",
        recorded_at=_time(entry.get("recorded_at")),
        duration=_seconds(entry.get("duration", 0.0)),
        model=None if entry.get("model") is None else _typed(entry, "model", str),
        suite=suite,
        case_id=_typed(entry, "case", str),
    )


def _typed(holder: dict[str, Any], name: str, kind: type[Any], default: Any = None) -> Any:
    value = holder.get(name, default)
    if not isinstance(value, kind):
        words = {str: "a text", bool: "true or false"}
        raise _Wrong(f"its `{name}` is {value!r:.40}, not {words[kind]}")
    return value


def _whole(holder: dict[str, Any], name: str, minimum: int, default: int | None = None) -> int:
    value = holder.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
        raise _Wrong(f"its `{name}` is {value!r:.40}, not a whole number from {minimum} on")
    return value


def _text(value: Any, name: str, *, canonical: bool = False) -> str:
    if isinstance(value, dict):
        if not value:
            return ""
        if "json" in value and set(value) <= {"json", "style", "end"}:
            if canonical:
                return canonical_json(value["json"]).decode("utf-8")
            style, end = value.get("style", "compact"), value.get("end", "")
            if isinstance(style, str) and style in _STYLES and isinstance(end, str):
                return json.dumps(value["json"], **_STYLES[style]) + end
            raise _Wrong(f"its `{name}` has the style {style!r:.40}, not one of {', '.join(_STYLES)}")
        lines = value.get("lines")
        if set(value) == {"lines"} and isinstance(lines, list) and all(isinstance(line, str) for line in lines):
            return "".join(lines)
    raise _Wrong(f'its `{name}` is neither {{"json": …}} nor {{"lines": […]}}')


def _base64(value: Any) -> str:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise _Wrong("its `body` is no base64") from None
    return str(value)


def _time(value: Any) -> dt.datetime:
    if value is None:
        return dt.datetime.fromtimestamp(0, dt.UTC)
    try:
        moment = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _Wrong(f"its `recorded_at` is {value!r:.40}, not a time") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e9:
        raise _Wrong(f"its `duration` is {value!r:.40}, not a number of seconds")
    return float(value)


def read(path: Path) -> tuple[str, list[Exchange]]:
    """The suite and the exchanges of a file. Raises `CacheError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CacheError(f"This cassette cannot be read: {error}.", where=str(path)) from None
    return loads(text, where=str(path))
