"""What a person calls a run: its id, the beginning of it, `last` or `SUITE@last`, or `last~2`, two runs before that."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from evalkit.errors import NotFound, did_you_mean
from evalkit.figures import count
from evalkit.store.cells import text_cell, text_of, time_cell, time_of
from evalkit.store.database import Database, Session

_SHOWN = 5
_COUNTED = re.compile(r"(?:(?P<suite>.+)@)?last(?:~(?P<back>\d{1,18}))?", re.DOTALL)
_FURTHEST = 1_000_000


def resolve(database: Database, name: str, before: dt.datetime | None) -> str:
    """The id of the run that `name` stands for; see `Store.resolve`."""
    name = name.strip()
    with database.reading() as session:
        if not session.execute("SELECT 1 FROM runs LIMIT 1"):
            raise NotFound("The store has no runs yet.", where=database.url, hint="Make one: pytest evals/")
        counted = _COUNTED.fullmatch(name)
        if counted is None:
            return _by_prefix(session, database.url, name)
        suite, back = counted["suite"], min(int(counted["back"] or 0), _FURTHEST)
        until = "9" if before is None else time_cell(before)  # times are text that sorts
        if suite is None:
            found = _newest(session, until, back + 1)
        else:
            found = _newest_of(session, database.url, suite, until, back + 1)
    if back < len(found):
        return found[back]
    has = count(len(found), "run") + (f" of {suite}" if suite else "")
    raise NotFound(
        f'There is no run "{name}": the store has {has}'
        + ("." if before is None else f" that began before {time_cell(before)[:19]}Z."),
        where=database.url,
        hint="See which there are: evalkit runs",
    )


def began(database: Database, run_id: str) -> dt.datetime:
    """When a run began; see `Store.began`."""
    with database.reading() as session:
        found = session.execute("SELECT started_at FROM runs WHERE id = ?", [run_id])
        if not found:
            raise NotFound(f"The store has no run {run_id}.", where=database.url)
    return time_of(found[0][0])


def _newest(session: Session, until: str, limit: int) -> list[str]:
    found = session.execute(
        "SELECT id FROM runs WHERE started_at < ? ORDER BY started_at DESC, id DESC LIMIT ?", [until, limit]
    )
    return [run_id for (run_id,) in found]


def _newest_of(session: Session, where: str, suite: str, until: str, limit: int) -> list[str]:
    found = session.execute(
        "SELECT id FROM runs WHERE started_at < ? AND id IN (SELECT run_id FROM suites WHERE name = ?)"
        " ORDER BY started_at DESC, id DESC LIMIT ?",
        [until, text_cell(suite), limit],
    )
    if found or session.execute("SELECT 1 FROM suites WHERE name = ? LIMIT 1", [text_cell(suite)]):
        return [run_id for (run_id,) in found]
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
        hint="A run is named by its id, the beginning of it, last, last~1 or SUITE@last; see: evalkit runs",
    )
