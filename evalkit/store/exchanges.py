"""Recorded exchanges: what a cache keeps of the calls over HTTP that were made."""

from __future__ import annotations

import dataclasses
import datetime as dt
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from evalkit.exchange import Exchange
from evalkit.store.cells import (
    flag_cell,
    maybe_text,
    maybe_text_of,
    number_cell,
    text_cell,
    text_of,
    time_cell,
    time_of,
)
from evalkit.store.database import Database, Row, again

COLUMNS = (
    "key", "method", "url", "trial", "occurrence", "status", "content_type", "stream", "encoding", "recorded_at",
    "duration", "model", "suite", "case_id", "size", "request", "body",
)  # fmt: skip
_LISTED = ", ".join(COLUMNS)
_PUT = (
    f"INSERT INTO exchanges ({_LISTED}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - our own names
    " ON CONFLICT (key) DO UPDATE SET " + ", ".join(f"{column} = excluded.{column}" for column in COLUMNS[1:])
)
_AT_ONCE = 200


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """How much is recorded of one model at one URL. `size` is in bytes of requests and answers, `stored` what they
    take as they are kept.
    """

    url: str
    model: str | None
    exchanges: int
    size: int
    stored: int
    first: dt.datetime
    last: dt.datetime


class StoredExchanges:
    """The exchanges of a store. Putting is one transaction, committed when it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def place(self) -> str:
        """The store's URL, without a password."""
        return self._database.url

    def get(self, key: str) -> Exchange | None:
        """The exchange of that key, `None` where there is none."""
        with self._database.reading() as session:
            found = session.execute(f"SELECT {_LISTED} FROM exchanges WHERE key = ?", [key])  # noqa: S608 - our names
        return _exchange_of(found[0]) if found else None

    def alike(self, *, method: str, url: str, limit: int = 200) -> list[Exchange]:
        """Exchanges that a request to `url` may have been meant for: those of the same URL first, the newest first."""
        with self._database.reading() as session:
            found = session.execute(
                f"SELECT {_LISTED} FROM exchanges WHERE method = ?"  # noqa: S608 - our own names
                " ORDER BY CASE WHEN url = ? THEN 0 ELSE 1 END, recorded_at DESC, key LIMIT ?",
                [text_cell(method), text_cell(url), limit],
            )
        return [_exchange_of(row) for row in found]

    @again
    def put(self, exchanges: Sequence[Exchange]) -> None:
        """Keep these, in the place of any with the same keys."""
        made = [_row(exchange) for exchange in exchanges]
        with self._database.writing() as session:
            session.executemany(_PUT, made)

    def flush(self) -> None:
        """Nothing is left to do: what was put has been committed."""

    def all(self) -> Iterator[Exchange]:
        """Every exchange, in the order of URL, case, trial and time; read a few hundred at a time."""
        order = ("url", "suite", "case_id", "trial", "recorded_at", "occurrence", "key")
        with self._database.reading() as session:
            keys = [key for (key,) in session.execute(f"SELECT key FROM exchanges ORDER BY {', '.join(order)}")]  # noqa: S608
        for start in range(0, len(keys), _AT_ONCE):
            part = keys[start : start + _AT_ONCE]
            with self._database.reading() as session:
                found = session.execute(
                    f"SELECT {_LISTED} FROM exchanges WHERE key IN ({', '.join('?' * len(part))})",  # noqa: S608
                    part,
                )
            made = {row[0]: row for row in found}
            yield from (_exchange_of(made[key]) for key in part if key in made)

    def stats(self) -> list[Recorded]:
        """How much there is, by URL and model."""
        with self._database.reading() as session:
            found = session.execute(
                "SELECT url, model, COUNT(*), SUM(size), SUM(LENGTH(request) + LENGTH(body)),"
                " MIN(recorded_at), MAX(recorded_at) FROM exchanges GROUP BY url, model ORDER BY url, model"
            )
        return [
            Recorded(
                url=text_of(url),
                model=maybe_text_of(model),
                exchanges=int(count),
                size=int(size),
                stored=int(stored),
                first=time_of(first),
                last=time_of(last),
            )
            for url, model, count, size, stored, first, last in found
        ]

    def prune(
        self,
        *,
        before: dt.datetime | None = None,
        suite: str | None = None,
        model: str | None = None,
        keep: Sequence[str] | None = None,
    ) -> int:
        """Take out the exchanges that fit all that is given; how many those were.

        `before` is when they were recorded, `keep` has the keys that stay. With nothing given all are taken out.
        """
        clauses, values = ["1 = 1"], []
        for clause, value in (
            ("recorded_at < ?", None if before is None else time_cell(before)),
            ("suite = ?", maybe_text(suite)),
            ("model = ?", maybe_text(model)),
        ):
            if value is not None:
                clauses.append(clause)
                values.append(value)
        with self._database.writing() as session:
            found = session.execute(f"SELECT key FROM exchanges WHERE {' AND '.join(clauses)}", values)  # noqa: S608
            kept = frozenset(keep or ())
            gone = [(key,) for (key,) in found if key not in kept]
            session.executemany("DELETE FROM exchanges WHERE key = ?", gone)
        return len(gone)


def _row(exchange: Exchange) -> Row:
    e = exchange
    request, body = (text.encode("utf-8", "surrogatepass") for text in (e.request, e.body))
    return (
        e.key, text_cell(e.method), text_cell(e.url), e.trial, e.occurrence, e.status, text_cell(e.content_type),
        flag_cell(e.stream), e.encoding, time_cell(e.recorded_at), number_cell(e.duration), maybe_text(e.model),
        text_cell(e.suite), text_cell(e.case_id), len(request) + len(body),
        zlib.compress(request, 1), zlib.compress(body, 1),
    )  # fmt: skip


def _exchange_of(cells: Sequence[Any]) -> Exchange:
    (
        key, method, url, trial, occurrence, status, content_type, stream, encoding, recorded_at,
        duration, model, suite, case_id, _, request, body,
    ) = cells  # fmt: skip
    return Exchange(
        key=key,
        method=text_of(method),
        url=text_of(url),
        request=zlib.decompress(request).decode("utf-8", "surrogatepass"),
        trial=trial,
        occurrence=occurrence,
        status=status,
        content_type=text_of(content_type),
        stream=bool(stream),
        body=zlib.decompress(body).decode("utf-8", "surrogatepass"),
        encoding=encoding,
        recorded_at=time_of(recorded_at),
        duration=0.0 if duration is None else duration,
        model=maybe_text_of(model),
        suite=text_of(suite),
        case_id=text_of(case_id),
    )
