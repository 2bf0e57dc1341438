"""What is known of judges, in the store: appended, the newest for a version counts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from evalkit.store.cells import json_cell, text_cell, text_of, time_cell, time_of
from evalkit.store.database import Database, again

COLUMNS = ("id", "judge", "scorer_version", "made_at", "n", "trust", "source", "body")
_INSERT = (
    f"INSERT INTO calibrations ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - our names
    " ON CONFLICT DO NOTHING"
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredCalibration:
    """A calibration as it is kept. It holds for one version of a judge (`scorer_version`), and says nothing of others.

    `source` is where the labels came from, such as a file or a run; `body` has all figures.
    """

    id: str
    judge: str
    scorer_version: str
    made_at: dt.datetime
    n: int
    trust: str
    source: str
    body: Mapping[str, Any]

    def is_of(self, judge: str, version: str) -> bool:
        """Whether it is of that version of that judge."""
        return (self.judge, self.scorer_version) == (judge, version)


@again
def add_calibration(database: Database, made: StoredCalibration) -> None:
    """See `Store.add_calibration`."""
    row = (
        made.id, text_cell(made.judge), text_cell(made.scorer_version), time_cell(made.made_at), made.n, made.trust,
        text_cell(made.source), json_cell(made.body),
    )  # fmt: skip
    with database.writing() as session:
        session.executemany(_INSERT, [row])


def list_calibrations(database: Database, judge: str | None) -> list[StoredCalibration]:
    """See `Store.calibrations`."""
    which, values = ("", []) if judge is None else (" WHERE judge = ?", [text_cell(judge)])
    columns = ", ".join(COLUMNS)
    with database.reading() as session:
        found = session.execute(f"SELECT {columns} FROM calibrations{which} ORDER BY made_at DESC, id DESC", values)  # noqa: S608
    return [
        StoredCalibration(
            id=identifier,
            judge=text_of(name),
            scorer_version=text_of(version),
            made_at=time_of(made_at),
            n=n,
            trust=trust,
            source=text_of(source),
            body=json.loads(body),
        )
        for identifier, name, version, made_at, n, trust, source, body in found
    ]
