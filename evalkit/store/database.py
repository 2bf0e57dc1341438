"""What the store asks of a database: plain SQL with `?` marks, one transaction at a time.

Two modules answer: `sqlite` over the standard library's driver, `server` over SQLAlchemy. Statements use only what
both understand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = Sequence[Any]


class Session(Protocol):
    """One open transaction."""

    def execute(self, statement: str, values: Row = ()) -> Sequence[Any]:
        """Run `statement`; its rows, or nothing where it gives none."""
        ...

    def executemany(self, statement: str, rows: Iterable[Row]) -> None:
        """Run `statement` once for each of `rows`."""
        ...


class Database(Protocol):
    """A database that is open; safe to share between threads, one transaction at a time."""

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        ...

    def reading(self) -> AbstractContextManager[Session]:
        """A transaction that sees one state of the database throughout."""
        ...

    def writing(self) -> AbstractContextManager[Session]:
        """A transaction that may write; committed at the end, rolled back by an exception.

        Raises a `StoreError` for what the database refuses, `Duplicate` for a row that is there already.
        """
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


class Duplicate(Exception):
    """A row with the same key is there already."""
