"""Whether a log is what it was: every entry follows from the one before it, and nothing is missing in between."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from evalkit.audit.entry import GENESIS, body_of

_HASH = re.compile(r"[0-9a-f]{64}")
_FIELDS = frozenset({"action", "actor", "alias", "at", "facts", "promotion", "subject"})
_written = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")).encode
# Fractions are written as text, so that a bare one, or NaN, comes out different.
_read = json.JSONDecoder(parse_float=str, parse_constant=str).decode

Row = tuple[Any, Any, Any, Any]
"""An entry as the database has it: number, previous hash, hash, body. Nothing is taken for granted, types neither."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What verifying a log found: how many entries are good, from the first; the last good one; and the first bad one.

    `seq` and `hash` are of the last good entry: 0 and 64 zeros where there is none. `problem` says what is wrong with
    the first bad one, and names it; it is empty where nothing is.
    """

    entries: int
    seq: int
    hash: str
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem


def verify(
    rows: Iterable[Row],
    *,
    seq: int = 0,
    hash: str = GENESIS,  # noqa: A002 - the field's name
    strict: bool = False,
) -> Verified:
    """Look at each of `rows`, in the order of their numbers; `seq` and `hash` are of the entry before the first.

    The hashes are over the stored bytes, so that nothing is parsed and 100,000 entries take a fraction of a second.
    `strict` also reads each body and sees that it is canonical JSON with all its fields, which takes eight times as
    long and finds only what a program other than evalkit has appended. It stops at the first entry that is wrong: all
    after that rests on it.
    """
    before, entries = hash, 0
    for row in rows:
        problem = _wrong(row, seq + 1, before) or (_malformed(row[0], row[3]) if strict else "")
        if problem:
            return Verified(entries=entries, seq=seq, hash=before, problem=problem)
        seq, before, entries = seq + 1, row[2], entries + 1
    return Verified(entries=entries, seq=seq, hash=before)


def _wrong(row: Row, expected: int, before: str) -> str:
    seq, prev_hash, own, body = row
    if type(seq) is not int or seq != expected:
        return _misplaced(seq, expected)
    if prev_hash != before:
        return (
            f"Entry {seq}: its previous hash is {_short(prev_hash)}, and the entry before it has {_short(before)}. "
            "One of the two was changed, or what stood between them is gone."
        )
    if type(own) is not str or not _HASH.fullmatch(own):
        return f"Entry {seq}: its hash is {_short(own)}, which is no SHA-256."
    if type(body) is not str:
        return f"Entry {seq}: its body is no text."
    try:
        data = f"{prev_hash}\n{seq}\n{body}".encode()
    except UnicodeEncodeError:
        return f"Entry {seq}: its body is no UTF-8."
    if hashlib.sha256(data).hexdigest() != own:
        return f"Entry {seq}: its hash is {_short(own)}, which its content does not have. It was changed."
    return ""


def _misplaced(seq: Any, expected: int) -> str:
    if type(seq) is not int:
        return f"Entry {expected}: in its place is one whose number is {seq!r:.40}."
    if seq > expected:
        gone = f"Entry {expected} is missing" if seq == expected + 1 else f"Entries {expected} to {seq - 1} are missing"
        return f"{gone}: the next one there is has the number {seq}."
    return f"Entry {seq}: it stands where {expected} is due."


def _malformed(seq: int, body: str) -> str:
    try:
        said = _read(body)
    except (ValueError, RecursionError):
        return f"Entry {seq}: its body is no JSON."
    if not isinstance(said, dict) or not said.keys() >= _FIELDS:
        return f"Entry {seq}: its body does not say what happened, who did it and when."
    # What Python writes is canonical already for nearly every body; only the others take the long way.
    if body != _written(said) and body != body_of(said):
        return f"Entry {seq}: its body is not in canonical form (RFC 8785), so it was not written by evalkit."
    return ""


def _short(value: Any) -> str:
    return f"{value[:12]}…" if isinstance(value, str) and len(value) == 64 else f"{value!r:.40}"
