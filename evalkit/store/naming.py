"""What a person calls a run: its id, the beginning of it, `last`, or `SUITE@last`."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.errors import NotFound, did_you_mean
from evalkit.store.cells import text_cell, text_of
from evalkit.store.database import Database, Session

_SHOWN = 5


def resolve(database: Database, name: str) -> str:
    """The id of the run that `name` stands for; see `Store.resolve`."""
    name = name.strip()
    with database.reading() as session:
        if not session.execute("SELECT 1 FROM runs LIMIT 1"):
            raise NotFound("The store has no runs yet.", where=database.url, hint="Make one: pytest evals/")
        if name == "last":
            newest: str = session.execute("SELECT id FROM runs ORDER BY started_at DESC, id DESC LIMIT 1")[0][0]
            return newest
        if name.endswith("@last"):
            return _last_of(session, database.url, name.removesuffix("@last"))
        return _by_prefix(session, database.url, name)


def _last_of(session: Session, where: str, suite: str) -> str:
    found = session.execute(
        "SELECT id FROM runs WHERE id IN (SELECT run_id FROM suites WHERE name = ?)"
        " ORDER BY started_at DESC, id DESC LIMIT 1",
        [text_cell(suite)],
    )
    if found:
        newest: str = found[0][0]
        return newest
    known = [text_of(name) for (name,) in session.execute("SELECT DISTINCT name FROM suites")]
    raise NotFound(
        f'No run has a suite "{suite}".{did_you_mean(suite, known)}',
        where=where,
        hint="See which there are: evalkit runs",
    )


def _by_prefix(session: Session, where: str, name: str) -> str:
    prefix = name.lower()
    found: Sequence[tuple[str, str]] = session.execute(
        "SELECT id, started_at FROM runs ORDER BY started_at DESC, id DESC"
    )
    ids = [run_id for run_id, _ in found]
    if name in ids:
        return name
    matches = [(run_id, at) for run_id, at in found if prefix and run_id.lower().startswith(prefix)]
    if len(matches) == 1:
        return matches[0][0]
    if matches:
        shown = "".join(f"\n  {run_id}  {at[:19].replace('T', ' ')}" for run_id, at in matches[:_SHOWN])
        more = f"\n  and {len(matches) - _SHOWN} more" if len(matches) > _SHOWN else ""
        raise NotFound(f'"{name}" is the beginning of {len(matches)} runs:{shown}{more}', hint="Give more of the id.")
    suites = [f"{text_of(suite)}@last" for (suite,) in session.execute("SELECT DISTINCT name FROM suites")]
    raise NotFound(
        f'The store has no run "{name}".{did_you_mean(name, [*ids, "last", *suites])}',
        where=where,
        hint="A run is named by its id, the beginning of it, last, or SUITE@last; see: evalkit runs",
    )
