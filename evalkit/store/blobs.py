"""Large values, stored once under the digest of their text."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable

from evalkit.store.database import Session

INLINE = 8192
"""Up to this many characters a value stays in its row, readable with plain SQL; beyond, it is a blob."""

_CHUNK = 400
_REMEMBERED = 50_000

Cell = tuple[str | None, str | None]
"""One value as two cells: its text, or the digest of its blob; at most one is not `None`."""


class BlobWriter:
    """Puts values into cells and keeps the large ones until they are saved, each content once.

    It remembers what it saved, so that a context that every case repeats is compressed once; call `forget` when
    a transaction failed.
    """

    def __init__(self) -> None:
        self._saved: set[str] = set()
        self._waiting: dict[str, bytes] = {}

    def cells(self, text: str | None) -> Cell:
        """The two cells of `text`; a large one has to be saved before the row that names it."""
        if text is None or len(text) <= INLINE:
            return text, None
        return None, self.keep(text)

    def keep(self, text: str) -> str:
        """The digest of `text`, which is a blob however short it is."""
        data = text.encode()
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._saved:
            self._waiting[digest] = data
        return digest

    def save(self, session: Session) -> None:
        """Write what waits; part of the caller's transaction."""
        if not self._waiting:
            return
        # In one order everywhere, or two writers to a server could wait for each other.
        rows = [(digest, len(data), *_packed(data)) for digest, data in sorted(self._waiting.items())]
        session.executemany(
            "INSERT INTO blobs (digest, size, encoding, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", rows
        )
        if len(self._saved) < _REMEMBERED:
            self._saved.update(self._waiting)
        self._waiting.clear()

    def forget(self) -> None:
        """Drop what waits and what is remembered, after a transaction that may not have been committed."""
        self._waiting.clear()
        self._saved.clear()


class BlobReader:
    """Reads cells; the blobs that are wanted are fetched together."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._texts: dict[str, str] = {}

    def fetch(self, digests: Iterable[str | None]) -> None:
        """Read the blobs of `digests`, those not read yet, a few hundred to a query."""
        wanted = sorted({digest for digest in digests if digest is not None} - self._texts.keys())
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            marks = ", ".join("?" * len(part))
            rows = self._session.execute(
                f"SELECT digest, encoding, data FROM blobs WHERE digest IN ({marks})",  # noqa: S608 - only marks
                part,
            )
            for digest, encoding, data in rows:
                self._texts[digest] = unpacked(encoding, data)

    def text(self, inline: str | None, digest: str | None) -> str | None:
        """The value of a pair of cells, or `None` where there is none."""
        if digest is None:
            return inline
        if digest not in self._texts:
            self.fetch([digest])
        return self._texts[digest]

    def known(self, digest: str) -> str | None:
        """The text of a blob that was fetched, `None` where there is none of that digest."""
        return self._texts.get(digest)


def _packed(data: bytes) -> tuple[str, bytes]:
    packed = zlib.compress(data, 1)
    return ("zlib", packed) if len(packed) < 0.9 * len(data) else ("raw", data)


def unpacked(encoding: str, data: bytes) -> str:
    """The text of a blob's two columns."""
    return (zlib.decompress(data) if encoding == "zlib" else bytes(data)).decode()
