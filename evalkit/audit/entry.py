"""An entry of the audit log: what happened, and a hash that depends on all that happened before."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

from evalkit.canonical import canonical_json, jsonable

GENESIS = "0" * 64
"""What the first entry has for the hash of the one before it."""

_SAFE = 2**53 - 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the log. `seq` counts from 1; `body` is canonical JSON (RFC 8785); hashes are 64 hex digits."""

    seq: int
    prev_hash: str
    hash: str
    body: str


def hash_of(prev_hash: str, seq: int, body: str) -> str:
    r"""The hash of an entry: SHA-256 of the previous hash, the number and the body, a line feed between them.

    A hash has 64 digits and a number no line feed, so no two entries can be written the same way. In a shell:
    `printf '%s\n%s\n%s' "$prev_hash" "$seq" "$body" | sha256sum`.
    """
    return hashlib.sha256(f"{prev_hash}\n{seq}\n{body}".encode("utf-8", "surrogatepass")).hexdigest()


def body_of(said: Mapping[str, Any]) -> str:
    """`said` as canonical JSON, with figures that not every reader of JSON gets right written as text.

    These are all fractions, and integers beyond 2**53: whoever reads the log and writes it again gets the same bytes.
    """
    return canonical_json(_exact(jsonable(said))).decode("utf-8")


def following(prev_hash: str, seq: int, body: str) -> Entry:
    """The entry number `seq`, after the one whose hash is `prev_hash`."""
    return Entry(seq=seq, prev_hash=prev_hash, hash=hash_of(prev_hash, seq, body), body=body)


def _exact(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_SAFE <= value <= _SAFE else str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return value
