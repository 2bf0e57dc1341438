"""The revisions of the schema that this evalkit knows.

They are named here, so that opening a store does not import Alembic; a test holds them against the migrations.
"""

from __future__ import annotations

REVISIONS = ("0001", "0002", "0003", "0004")
"""All of them, oldest first; `migrations/versions` has one file for each."""

HEAD = REVISIONS[-1]
"""The one whose tables `schema` describes."""


def is_older(revision: str) -> bool:
    """Whether `revision` is known and can be upgraded to `HEAD`."""
    return revision in REVISIONS[:-1]
