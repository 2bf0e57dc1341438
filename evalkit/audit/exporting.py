"""The log as a file: a line of JSON for each entry, and a signed statement of which file it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from evalkit.attestation.statement import Statement
from evalkit.audit.checkpoint import Checkpoint
from evalkit.audit.entry import Entry
from evalkit.audit.verifying import Row
from evalkit.errors import AttestationError

PREDICATE = "https://pypi.org/project/pytest-evalkit/audit-log/v1"
_FIELDS = ("seq", "prev_hash", "hash", "body")


def lines_of(entries: Iterable[Entry]) -> Iterator[str]:
    """A line for each entry, without its end. `body` is a text, byte for byte the one that was hashed."""
    for entry in entries:
        said = {name: getattr(entry, name) for name in _FIELDS}
        yield json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def rows_of(lines: Iterable[str], *, where: str | None = None) -> Iterator[Row]:
    """The rows that `lines_of` wrote, for `verify`. Raises `AttestationError` for a line that is something else."""
    for number, line in enumerate(lines, 1):
        try:
            said: Any = json.loads(line)
            yield said["seq"], said["prev_hash"], said["hash"], said["body"]
        except (ValueError, TypeError, KeyError, RecursionError):
            place = f"{where}:{number}" if where else f"line {number}"
            raise AttestationError("This line is no entry of an audit log.", where=place) from None


def statement_of(content: bytes, name: str, head: Checkpoint) -> Statement:
    """An in-toto statement of an exported log: its digest, and where the chain stood at its end."""
    said = head.to_json()
    return Statement(
        subjects={name: hashlib.sha256(content).hexdigest()},
        predicate_type=PREDICATE,
        predicate={"entries": head.seq, "hash": head.hash, "exportedOn": said["at"]},
    )
