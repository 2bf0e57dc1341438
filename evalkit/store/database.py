"""What the store asks of a database: plain SQL with `?` marks, one transaction at a time.

Two modules answer: `sqlite` over the standard library's driver, `server` over SQLAlchemy. Statements use only what
both understand.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from evalkit.errors import StoreAway

Row = Sequence[Any]

PATIENCE = 30.0
"""Seconds to wait for a server that went away to come back, before what had to be written counts as failed."""

_S = TypeVar("_S")
_P = ParamSpec("_P")
_R = TypeVar("_R")


class Session(Protocol):
    """One open transaction."""

    def execute(self, statement: str, values: Row = ()) -> Sequence[Any]:
        """Run `statement`; its rows, or nothing where it gives none."""
        ...

    def executemany(self, statement: str, rows: Iterable[Row]) -> None:
        """Run `statement` once for each of `rows`."""
        ...

    def stream(self, statement: str, values: Row = (), *, at_once: int) -> Iterator[Row]:
        """The rows of `statement`, of which about `at_once` are in memory at a time."""
        ...

    def remove_blobs(self, digests: Sequence[str]) -> None:
        """Delete blobs that nothing refers to, of which the caller has made sure; in a `sweeping` transaction only.

        To look for what refers to each would read the largest tables once for every blob.
        """
        ...

    def settle(self) -> None:
        """Have rows numbered behind those that there are, after some were put in with numbers of their own."""
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

    def lasting(self) -> AbstractContextManager[Session]:
        """The same, for what has to outlive a loss of power, and one at a time: another waits until this one ends.

        What it reads is still so when it commits, as far as it is only ever written in such a transaction.
        """
        ...

    def sweeping(self) -> AbstractContextManager[Session]:
        """A writing transaction while which nobody begins a run, or writes a dataset or a blob."""
        ...

    def compact(self, *, always: bool = False) -> int:
        """Give the space of deleted rows back to the file system, where much is free: how many bytes it was.

        `always` does so however little it is.
        """
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


class Duplicate(Exception):
    """A row with the same key is there already."""


def again(method: Callable[Concatenate[_S, _P], _R]) -> Callable[Concatenate[_S, _P], _R]:
    """`method`, done once more where the connection broke meanwhile, for up to `PATIENCE` seconds.

    Only for what changes nothing the second time: the server may have committed what it could not acknowledge.
    """

    @functools.wraps(method)
    def call(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return method(self, *args, **kwargs)
            except StoreAway as error:
                if error.lasting or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)

    return call
