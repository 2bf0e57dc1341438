"""The audit log: a chain of entries that nobody can change without it being seen.

event → Entry (canonical body, hash over the one before) → verify → Checkpoint, kept elsewhere → held_against
"""

from __future__ import annotations

from evalkit.audit.checkpoint import Checkpoint, Kept, held_against, read_checkpoint
from evalkit.audit.entry import GENESIS, Entry, body_of, following, hash_of
from evalkit.audit.exporting import lines_of, rows_of, statement_of
from evalkit.audit.verifying import Row, Verified, verify

__all__ = [
    "GENESIS",
    "Checkpoint",
    "Entry",
    "Kept",
    "Row",
    "Verified",
    "body_of",
    "following",
    "hash_of",
    "held_against",
    "lines_of",
    "read_checkpoint",
    "rows_of",
    "statement_of",
    "verify",
]
