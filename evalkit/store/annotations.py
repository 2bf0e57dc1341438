"""What people said of outputs, in the store: appended, never changed; the last word of an annotator counts."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.annotation import Annotation
from evalkit.store.cells import maybe_text, maybe_text_of, text_cell, text_of, time_cell, time_of
from evalkit.store.database import Database, Row, again

COLUMNS = (
    "id", "run_id", "suite", "case_id", "trial", "name", "label", "annotator", "at", "chosen", "seed", "note",
)  # fmt: skip
_INSERT = (
    f"INSERT INTO annotations ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - our names
    " ON CONFLICT DO NOTHING"
)


@again
def add_annotations(database: Database, annotations: Sequence[Annotation]) -> None:
    """See `Store.annotate`."""
    made = [_row(one) for one in annotations]
    with database.writing() as session:
        session.executemany(_INSERT, made)


def list_annotations(database: Database, run_id: str, name: str | None) -> list[Annotation]:
    """See `Store.annotations`."""
    which, values = "run_id = ?", [run_id]
    if name is not None:
        which += " AND name = ?"
        values.append(text_cell(name))
    with database.reading() as session:
        found = session.execute(f"SELECT {', '.join(COLUMNS)} FROM annotations WHERE {which} ORDER BY at, id", values)  # noqa: S608
    last: dict[tuple[str, str, int, str, str], Annotation] = {}
    for row in found:
        one = _annotation(row)
        key = (one.suite, one.case_id, one.trial, one.name, one.annotator)
        last.pop(key, None)
        last[key] = one
    return list(last.values())


def _row(one: Annotation) -> Row:
    return (
        one.id, one.run_id, text_cell(one.suite), text_cell(one.case_id), one.trial, text_cell(one.name),
        text_cell(one.label), text_cell(one.annotator), time_cell(one.at), one.chosen,
        None if one.seed is None else str(one.seed), maybe_text(one.note),
    )  # fmt: skip


def _annotation(row: Row) -> Annotation:
    identifier, run_id, suite, case_id, trial, name, label, annotator, at, chosen, seed, note = row
    return Annotation(
        id=identifier,
        run_id=run_id,
        suite=text_of(suite),
        case_id=text_of(case_id),
        trial=trial,
        name=text_of(name),
        label=text_of(label),
        annotator=text_of(annotator),
        at=time_of(at),
        chosen=chosen,
        seed=None if seed is None else int(seed),
        note=maybe_text_of(note),
    )
