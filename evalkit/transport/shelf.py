"""Where recorded exchanges are kept: what the cache asks of a store or of a folder of cassettes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from evalkit.exchange import Exchange


class Shelf(Protocol):
    """Recorded exchanges by their key. Called from any thread."""

    @property
    def place(self) -> str:
        """Where it is, for messages: a URL or a path."""
        ...

    def get(self, key: str) -> Exchange | None:
        """The exchange of that key, `None` where there is none. Raises `CacheError` or `StoreError`."""
        ...

    def alike(self, *, method: str, url: str) -> Iterable[Exchange]:
        """Exchanges that a request to `url` may have been meant for, the same URL first; at most some hundreds."""
        ...

    def put(self, exchanges: Sequence[Exchange]) -> None:
        """Keep these, in the place of any with the same keys. Raises `CacheError` or `StoreError`."""
        ...

    def flush(self) -> None:
        """Make sure that what was put is on disk. Raises `CacheError` or `StoreError`."""
        ...
