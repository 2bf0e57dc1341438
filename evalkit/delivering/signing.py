"""Signatures of messages, as Standard Webhooks has them: HMAC-SHA256 over id, time and body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

ID = "webhook-id"
TIMESTAMP = "webhook-timestamp"
SIGNATURE = "webhook-signature"
TOLERANCE = 300
"""Seconds by which the time of a message may differ from the receiver's; older ones may have been kept by somebody."""

_VERSION = "v1"


def headers_of(message_id: str, timestamp: int, body: bytes, key: bytes | None) -> dict[str, str]:
    """The headers that name a message, say when it was sent (seconds since 1970) and prove who sent it.

    Without a `key` there is no signature.
    """
    made = {ID: message_id, TIMESTAMP: str(timestamp)}
    if key is not None:
        made[SIGNATURE] = f"{_VERSION},{_signature(message_id, str(timestamp), body, key)}"
    return made


def is_genuine(headers: Mapping[str, str], body: bytes, key: bytes, *, now: float) -> bool:
    """Whether a received message was signed with `key` and is not older, or newer, than `TOLERANCE` seconds.

    For receivers written in Python. `headers` are those of the request, in whatever case; several signatures, as while
    a secret is being replaced, are separated by spaces. Compare ids too: a message may come more than once.
    """
    said = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, timestamp, signatures = said[ID], said[TIMESTAMP], said[SIGNATURE]
        age = abs(now - int(timestamp))
    except (KeyError, ValueError):
        return False
    expected = _signature(message_id, timestamp, body, key).encode("ascii")
    given = [one.partition(",") for one in signatures.split(" ")]
    fits = [
        hmac.compare_digest(text.encode("utf-8", "replace"), expected)
        for version, _, text in given
        if version == _VERSION
    ]
    return age <= TOLERANCE and any(fits)


def _signature(message_id: str, timestamp: str, body: bytes, key: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")
