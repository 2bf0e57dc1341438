"""What a session does with the calls over HTTP that its trials make: it traces, limits and records them."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from evalkit.config import Settings
from evalkit.errors import CacheError, NotFound, StoreError
from evalkit.figures import count
from evalkit.tracing import when_imported

if TYPE_CHECKING:
    from evalkit.exchange import Exchange
    from evalkit.store import Store
    from evalkit.transport.handlers import Traffic
    from evalkit.transport.shelf import Shelf

_HTTP = ("httpx", "httpx2")
_WRITTEN_EVERY = 10.0
"""Seconds after which cassettes are written again while a run goes on, so that little is lost with the machine."""


class Outgoing:
    """The calls of one session. Nothing is imported, nor changed in httpx, before one of its trials could call.

    `to_store` keeps exchanges in the store; in a worker, whose controller keeps them, it is never called. `notes` are
    sentences for the end of the session.
    """

    def __init__(self, settings: Settings, *, to_store: Callable[[Sequence[Exchange]], None]) -> None:
        self._settings = settings
        self._to_store = to_store
        self._shelf: Shelf | None = None
        self._traffic: Traffic | None = None
        self._stop: list[Callable[[], None]] = []
        self._lock = threading.RLock()
        self._written = time.monotonic()
        self.notes: list[str] = []

    def check(self) -> None:
        """Look whether what the settings ask for can be done. Raises `CacheError` for cassettes that cannot be read,
        and for a replay of cassettes that are not there.
        """
        settings, folder = self._settings, cassette_folder(self._settings)
        if settings.cache == "off" or folder is None:
            return
        if settings.cache == "replay" and not folder.is_dir():
            raise CacheError(
                "There are no cassettes to replay.",
                where=str(folder),
                hint="Record them first with --evalkit-cache read-write, or look at the setting `cassettes`.",
            )
        _ = self._shelved().get("")  # which reads them all

    def begin(self) -> None:
        """Handle calls from now on, once there is something to call with: at once where there is a model to ask."""
        for name in _HTTP:
            self._stop.append(when_imported(name, self._install))
        clients = sys.modules.get("evalkit.models.clients")
        if clients is not None:
            clients.get_ready()

    def _install(self) -> None:
        with self._lock:
            if self._traffic is not None:
                return
            from evalkit.limits import Limiter
            from evalkit.prices import table
            from evalkit.redaction import redactor
            from evalkit.transport.cache import Cache
            from evalkit.transport.handlers import Traffic
            from evalkit.transport.wrap import install

            settings = self._settings
            cache = None
            if settings.cache != "off":
                cache = Cache(self._shelved(), mode=settings.cache, redact=redactor(settings.redact))
            self._traffic = Traffic(cache=cache, limiter=Limiter(), prices=table(settings.prices))
            install(self._traffic)

    def take(self) -> list[Exchange]:
        """What was recorded since this was last asked."""
        traffic = self._traffic
        return traffic.cache.take() if traffic is not None and traffic.cache is not None else []

    def keep(self, exchanges: Sequence[Exchange]) -> None:
        """Keep what was recorded, here or in a worker."""
        if not exchanges:
            return
        if cassette_folder(self._settings) is None:
            self._to_store(exchanges)
            return
        try:
            self._shelved().put(exchanges)
        except CacheError as error:
            self._note(f"What was recorded could not be kept: {error}")
        if time.monotonic() - self._written > _WRITTEN_EVERY:
            self._write()

    def flush(self) -> None:
        """Write what is still to be written. What cannot be is said in `notes`."""
        self.keep(self.take())
        self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        try:
            if self._shelf is not None:
                self._shelf.flush()
        except CacheError as error:
            self._note(f"What was recorded could not be kept: {error}")

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def end(self) -> None:
        """Leave httpx as it was; a second time does nothing."""
        while self._stop:
            self._stop.pop()()
        if self._traffic is not None:
            from evalkit.transport.wrap import uninstall

            uninstall(self._traffic)
            self._sum_up(self._traffic)
        if isinstance(self._shelf, StoreShelf):
            self._shelf.close()

    def _sum_up(self, traffic: Traffic) -> None:
        cache = traffic.cache
        if cache is not None and cache.misses:
            number, cache.misses = cache.misses, 0
            self.notes.append(
                f"{count(number, 'call')} had no recorded answer in {cache.shelf.place}; "
                "their trials are errors. Record them with --evalkit-cache read-write."
            )

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.end()

    def _shelved(self) -> Shelf:
        with self._lock:
            if self._shelf is None:
                folder = cassette_folder(self._settings)
                if folder is None:
                    self._shelf = StoreShelf(self._settings.store)
                else:
                    from evalkit.transport.folder import Folder

                    self._shelf = Folder(folder)
            return self._shelf


class StoreShelf:
    """Recorded exchanges to be read from a store, which is opened when the first is asked for.

    A store that is not there yet, or cannot be read, has none: whoever writes to it will say what is wrong with it.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._store: Store | None = None
        self._closed = False
        self._lock = threading.RLock()

    @property
    def place(self) -> str:
        """The store's URL, without a password."""
        from evalkit.store.address import parse

        return parse(self._url).shown

    def get(self, key: str) -> Exchange | None:
        """The exchange of that key, `None` where there is none."""
        store = self._opened()
        with contextlib.suppress(StoreError):
            return None if store is None else store.exchanges.get(key)
        return None

    def alike(self, *, method: str, url: str) -> Iterable[Exchange]:
        """Exchanges that a request to `url` may have been meant for."""
        store = self._opened()
        with contextlib.suppress(StoreError):
            return () if store is None else store.exchanges.alike(method=method, url=url)
        return ()

    def put(self, exchanges: Sequence[Exchange]) -> None:
        """Never done here: the run that is kept in the store keeps its exchanges too."""
        raise NotImplementedError("exchanges are put where runs are kept")

    def flush(self) -> None:
        """There is nothing to write."""

    def close(self) -> None:
        """Let go of the store."""
        with self._lock:
            self._closed = True
            if self._store is not None:
                self._store.close()
                self._store = None

    def _opened(self) -> Store | None:
        from evalkit.store import open_store

        with self._lock:
            if self._store is None and not self._closed:
                with contextlib.suppress(NotFound, StoreError):
                    self._store = open_store(self._url, read_only=True)
            return self._store


def cassette_folder(settings: Settings) -> Path | None:
    """The folder of cassettes, `None` where recorded answers are kept in the store."""
    return None if settings.cassettes is None else settings.root / Path(settings.cassettes).expanduser()
