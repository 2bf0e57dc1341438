"""The audit log: a chain of entries that nobody can change without it being seen."""

from __future__ import annotations

from evalkit.audit.entry import GENESIS, Entry, body_of, following, hash_of

__all__ = ["GENESIS", "Entry", "body_of", "following", "hash_of"]
