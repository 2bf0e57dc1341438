"""What was asked for over HTTP, in the form in which it is compared and kept: without headers and credentials."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from evalkit.canonical import canonical_json, digest, digest_bytes
from evalkit.exchange import exchange_key

Redact = Callable[[str], str]
"""Gives a text with what must not be kept blotted out."""

_CREDENTIALS = re.compile(
    r"(access|auth)_token|(x-)?api[-_]?key|authorization|client_secret|jwt|passw(or)?d|pwd|secret|sig(nature)?"
    r"|subscription-key|x-(amz|goog)-(credential|security-token|signature)"
)
"""Parameters of a query that are credentials whatever they say."""
_PERHAPS = re.compile(r"auth|code|key|session|token")
"""Those that are credentials where their value is long; `?key=de` is what was asked for."""
_LONG = 20
_BOUNDARY = re.compile(rb"boundary=\"?([^\";,\s]+)")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. `url`, `request` and `model` are as in `Exchange`; `stream` says that a stream was asked for."""

    method: str
    url: str
    request: str = ""
    model: str | None = None
    stream: bool = False

    @property
    def identity(self) -> str:
        """A digest that is the same for identical requests, whatever the trial."""
        return digest([self.method, self.url, self.request])

    def key(self, *, trial: int, occurrence: int) -> str:
        """The key of its exchange; see `exchange_key`."""
        return exchange_key(method=self.method, url=self.url, request=self.request, trial=trial, occurrence=occurrence)


def asked(method: str, url: str, body: bytes, *, content_type: str = "", redact: Redact) -> Asked:
    """The request in its form at rest. `redact` is applied to every text of it, so that the key holds on every machine
    where the same is blotted out, and whoever has the record can compute it again.

    JSON becomes canonical. The boundary of a multipart body, which is drawn anew for each request, becomes a fixed one.
    """
    value = _json(body)
    model: Any = None
    stream = False
    if value is not _NO_JSON:
        if isinstance(value, dict):
            model, stream = value.get("model"), value.get("stream") is True
        request = canonical_json(redacted(value, redact)).decode("utf-8")
    else:
        request = _text(body, content_type, redact)
    return Asked(
        method=method.upper(),
        url=clean_url(url, redact=redact),
        request=request,
        model=redact(model) if isinstance(model, str) else None,
        stream=stream,
    )


def clean_url(url: str, *, redact: Redact) -> str:
    """The URL without user, password, fragment and the parameters of its query that are credentials."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = [(name, redact(value)) for name, value in parse_qsl(parts.query, True) if not _is_credential(name, value)]
    return urlunsplit((parts.scheme.lower(), host.lower(), redact(parts.path), urlencode(query), ""))


def _is_credential(name: str, value: str) -> bool:
    name = name.lower()
    return bool(_CREDENTIALS.fullmatch(name) or (_PERHAPS.fullmatch(name) and len(value) >= _LONG))


def redacted(value: Any, redact: Redact) -> Any:
    """JSON data with every text in it redacted, the keys of objects too."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [redacted(item, redact) for item in value]
    if isinstance(value, dict):
        return {redact(key): redacted(item, redact) for key, item in value.items()}
    return value


def is_local(url: str) -> bool:
    """Whether the URL's host is this machine, as far as its name says."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_NO_JSON = object()


def _json(body: bytes) -> Any:
    if body[:64].lstrip()[:1] not in (b"{", b"["):
        return _NO_JSON
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return _NO_JSON


def _text(body: bytes, content_type: str, redact: Redact) -> str:
    boundary = _BOUNDARY.search(content_type.encode("utf-8", "replace"))
    if boundary and content_type.lower().startswith("multipart/"):
        body = body.replace(boundary[1], b"boundary")
    try:
        return redact(body.decode("utf-8"))
    except UnicodeDecodeError:
        return canonical_json({"$bytes": len(body), "$sha256": digest_bytes(body)}).decode("ascii")
