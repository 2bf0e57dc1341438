"""A folder of cassettes: one file for each suite."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import os
import re
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from evalkit.canonical import digest
from evalkit.errors import CacheError
from evalkit.exchange import Exchange
from evalkit.transport import cassette

_PLAIN = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,80}")
_MOST = 300


class Folder:
    """The exchanges in a folder's cassettes, read when the first is asked for.

    Files are replaced whole, never written to; what another process put there meanwhile is kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._by_key: dict[str, Exchange] | None = None
        self._dirty: dict[str, dict[str, Exchange]] = {}

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._path)

    def get(self, key: str) -> Exchange | None:
        """The exchange of that key, `None` where no cassette has it. Raises `CacheError` for a broken cassette."""
        return self._all().get(key)

    def alike(self, *, method: str, url: str) -> Iterable[Exchange]:
        """Exchanges of the same URL first, then of others; at most some hundreds."""
        some = [exchange for exchange in self._all().values() if exchange.url == url and exchange.method == method]
        if not some:
            tail = url.rpartition("/")[2]
            some = [exchange for exchange in self._all().values() if exchange.url.endswith(tail)]
        return some[:_MOST]

    def all(self) -> Iterator[Exchange]:
        """Every exchange, in no order. Raises `CacheError` for a broken cassette."""
        yield from list(self._all().values())

    def put(self, exchanges: Sequence[Exchange]) -> None:
        """Keep these; they are written by `flush`. One that was there keeps its place in its file."""
        with self._lock:
            known = self._all()
            for exchange in exchanges:
                before = known.get(exchange.key)
                if before is not None:
                    exchange = _in_place_of(before, exchange)
                known[exchange.key] = exchange
                self._dirty.setdefault(exchange.suite, {})[exchange.key] = exchange

    def flush(self) -> None:
        """Write what was put since. Raises `CacheError` where the folder cannot be written; nothing is lost then."""
        with self._lock:
            if not self._dirty:
                return
            with self._writing():
                for suite in sorted(self._dirty):
                    file = self._path / file_name(suite)
                    merged = self._on_disk(file) | self._dirty[suite]
                    replace(file, cassette.dumps(suite, list(merged.values())))
            self._dirty.clear()

    def prune(
        self,
        *,
        before: dt.datetime | None = None,
        suite: str | None = None,
        model: str | None = None,
        keep: Sequence[str] | None = None,
    ) -> int:
        """Take out the exchanges that fit all that is given; how many those were.

        `before` is when they were recorded, `keep` has the keys that stay. With nothing given all are taken out. A
        suite that has none left loses its file. Raises `CacheError`.
        """
        stay = frozenset(keep or ())

        def goes(exchange: Exchange) -> bool:
            return (
                exchange.key not in stay
                and (before is None or exchange.recorded_at < before)
                and (suite is None or exchange.suite == suite)
                and (model is None or exchange.model == model)
            )

        count = 0
        with self._lock, self._writing():
            for file in self._files():
                name, exchanges = cassette.read(file)
                left = [exchange for exchange in exchanges if not goes(exchange)]
                count += len(exchanges) - len(left)
                if not left:
                    file.unlink()
                elif len(left) < len(exchanges):
                    replace(file, cassette.dumps(name, left))
            self._by_key, self._dirty = None, {}
        return count

    def _all(self) -> dict[str, Exchange]:
        with self._lock:
            if self._by_key is None:
                found: dict[str, Exchange] = {}
                for file in self._files():
                    for exchange in cassette.read(file)[1]:
                        found.setdefault(exchange.key, exchange)
                self._by_key = found
            return self._by_key

    def _files(self) -> list[Path]:
        return sorted(self._path.glob("*.json")) if self._path.is_dir() else []

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            with _locked(self._path):
                yield
        except OSError as error:
            raise CacheError(f"The cassettes cannot be written: {error}.", where=str(self._path)) from None

    def _on_disk(self, file: Path) -> dict[str, Exchange]:
        if not file.exists():
            return {}
        return {exchange.key: exchange for exchange in cassette.read(file)[1]}


def file_name(suite: str) -> str:
    """The name of a suite's cassette: the suite's, where that can be a file's name in every file system."""
    if _PLAIN.fullmatch(suite) and not suite.endswith("."):
        return f"{suite}.json"
    slug = re.sub(r"[^a-z0-9]+", "-", suite.lower()).strip("-")[:60] or "suite"
    return f"{slug}-{digest(suite)[:8]}.json"


def replace(file: Path, text: str) -> None:
    """Put a file with this text in the place of `file`, in one step."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n", errors="surrogatepass") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)  # a temporary file is its owner's alone; a cassette is a file like any other
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _in_place_of(before: Exchange, now: Exchange) -> Exchange:
    # Which of several cases with one request is first differs from run to run, and would move the entry about.
    return dataclasses.replace(now, suite=before.suite, case_id=before.case_id)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # The folder itself is locked, so that no lock file turns up in git.
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems have no locks; files are still replaced whole
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
