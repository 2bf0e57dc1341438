"""Takes what a case gave out of a stored run: each output is replaced by its digest, and the audit log says so.

What a verdict or a promotion rests on stays: outcomes, scores, counts and digests. A promotion that cites the run can
still be verified, as the digest of a redacted output is that of the output it had.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from evalkit.canonical import digest
from evalkit.errors import NotFound, did_you_mean
from evalkit.promotion.records import Actor, Event
from evalkit.store.blobs import BlobReader
from evalkit.store.cells import json_cell, text_cell, text_of
from evalkit.store.database import Database, Session, again
from evalkit.store.ledger import StoreLedger
from evalkit.store.pruning import sweep
from evalkit.trial import REDACTED, redacted

_OF_TRIALS = ("metadata", "traceback")
_OF_SCORES = ("explanation", "metadata", "traceback")
_OF_SPANS = ("attributes", "raw", "events")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """What was taken out. `outputs` are the digests of the outputs that went; empty where all had gone before.

    `swept` is `False` where large values are still in the database, because a run was going on: `evalkit gc` takes
    them out.
    """

    outputs: tuple[str, ...]
    spans: int
    exchanges: int
    swept: bool


def redact(database: Database, run_id: str, suite: str, case_id: str, *, actor: Actor, reason: str) -> Redacted:
    """Take out what every attempt at every trial of a case gave: outputs, explanations, tracebacks, contents of spans.

    Recorded answers of the case go too, in whichever run they were recorded. Messages of errors stay, as does the case
    itself, which belongs to a dataset that other runs share. Done again it changes nothing. Raises `NotFound` for a
    suite or case that the run does not have, and `StoreReadOnly` where the user of the store may not change results.
    """
    outputs, spans, exchanges = _redact(database, run_id, suite, case_id, actor, reason)
    swept = sweep(database, before=None) is not None
    if swept:
        database.compact(always=True)
    return Redacted(outputs=outputs, spans=spans, exchanges=exchanges, swept=swept)


@again
def _redact(
    database: Database, run_id: str, suite: str, case_id: str, actor: Actor, reason: str
) -> tuple[tuple[str, ...], int, int]:
    with database.lasting() as session:
        suite_id = _suite(session, run_id, suite)
        case = text_cell(case_id)
        outputs = _outputs(session, suite_id, case, case_id)
        which, values = "suite_id = ? AND case_id = ?", [suite_id, case]
        for (trial, attempt), output in outputs.items():
            session.execute(
                f"UPDATE trials SET output = ?, output_blob = NULL WHERE {which} AND trial = ? AND attempt = ?",  # noqa: S608
                [json_cell({REDACTED: output}), *values, trial, attempt],
            )
        rows = _emptied(session, "trials", _OF_TRIALS, which, values)
        rows += _emptied(session, "scores", _OF_SCORES, which, values)
        of_case = f"trace_id IN (SELECT trace_id FROM traces WHERE {which})"  # noqa: S608 - our own names
        spans = _emptied(session, "spans", _OF_SPANS, of_case, values)
        exchanges = session.execute(
            "DELETE FROM exchanges WHERE suite = ? AND case_id = ? RETURNING key", [text_cell(suite), case]
        )
        if outputs or rows or spans or exchanges:
            ledger = StoreLedger(session)
            facts = {
                "run": run_id,
                "suite": suite,
                "case": case_id,
                "outputs": sorted(outputs.values()),
                "spans": spans,
                "exchanges": len(exchanges),
                "reason": reason,
            }
            ledger.append(
                Event(action="payload.redacted", actor=actor, at=ledger.now(), subject=f"run/{run_id}", facts=facts)
            )
            ledger.finish()
    return tuple(sorted(outputs.values())), spans, len(exchanges)


def _emptied(session: Session, table: str, names: Sequence[str], which: str, values: Sequence[object]) -> int:
    """How many rows had something in one of the pairs of columns, which is gone."""
    columns = [column for name in names for column in (name, f"{name}_blob")]
    nothing = ", ".join(f"{column} = NULL" for column in columns)
    something = " OR ".join(f"{column} IS NOT NULL" for column in columns)
    found = session.execute(f"UPDATE {table} SET {nothing} WHERE {which} AND ({something}) RETURNING 1", values)  # noqa: S608
    return len(found)


def _suite(session: Session, run_id: str, suite: str) -> int:
    found = session.execute("SELECT id, name FROM suites WHERE run_id = ?", [run_id])
    names = {text_of(name): suite_id for suite_id, name in found}
    if suite not in names:
        near = did_you_mean(suite, names)
        raise NotFound(f'The run {run_id} has no suite "{suite:.100}".{near}', hint=f"It has: {', '.join(names)}.")
    suite_id: int = names[suite]
    return suite_id


def _outputs(session: Session, suite_id: int, case: str, case_id: str) -> dict[tuple[int, int], str]:
    """The digest of each output of the case that is still there, by trial and attempt."""
    found: Sequence[Sequence[object]] = session.execute(
        "SELECT trial, attempt, output, output_blob FROM trials WHERE suite_id = ? AND case_id = ?", [suite_id, case]
    )
    if not found:
        raise NotFound(f'The suite has no trial of a case "{case_id:.100}" in this run.', hint="See: evalkit show RUN")
    blobs = BlobReader(session)
    outputs: dict[tuple[int, int], str] = {}
    for trial, attempt, inline, blob in found:
        assert isinstance(trial, int) and isinstance(attempt, int)  # noqa: PT018 - for the types
        text = blobs.text(inline, blob)  # type: ignore[arg-type]  # cells of text
        value = None if text is None else json.loads(text)
        if value is not None and redacted(value) is None:
            outputs[trial, attempt] = digest(value)
    return outputs
