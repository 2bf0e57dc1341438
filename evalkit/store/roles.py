"""What a user of a PostgreSQL server may do with a store: SQL that gives an application, or a reader, just that.

The owner of the tables makes, upgrades and prunes the store. An application adds to it; what the tables below do not
name it can neither change nor delete, and no table can it alter or drop. Made from the tables themselves, so that a
new one is never forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Table

from evalkit.errors import ConfigError
from evalkit.store.schema import alembic_version, metadata

CHANGED: Mapping[str, tuple[str, ...]] = {
    "runs": ("status", "decision", "finished_at", "heartbeat_at", "degraded", "prices"),
    "suites": ("selection", "metadata", "passed", "missed", "errored", "unscored"),
    "aliases": ("digest", "generation", "updated_at", "updated_by"),
    "exchanges": (),
    "promotions": (),
    "approvals": ("dismissed",),
    "freezes": ("until", "lifted_at", "lifted_by"),
    "ledger": (),
    "outbox": (),
    "tokens": ("revoked_at", "revoked_by"),
}
"""The tables in which an application changes rows: the columns, all of them where none is named."""

DELETED = frozenset({"metrics", "verdicts", "exchanges"})
"""Those from which it deletes: what the end of a run says anew, and recorded answers."""

PRIVATE = frozenset({"tokens", "outbox"})
"""Those that a reader does not see."""


def grants(role: str, *, reads_only: bool = False, schema: str = "public") -> list[str]:
    """The statements that give `role` the rights of an application, or only those to read; the owner runs them.

    What it had before on these tables is taken away first, so that they can be run again, after an upgrade above all.
    Raises `ConfigError` for a name that no role can have.
    """
    name, place = _quoted(role), _quoted(schema)
    made = [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {place} FROM {name}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {place} FROM {name}",
        f"REVOKE CREATE ON SCHEMA {place} FROM PUBLIC, {name}",
        f"GRANT USAGE ON SCHEMA {place} TO {name}",
        f"GRANT SELECT ON {place}.{alembic_version.name} TO {name}",
    ]
    for table in metadata.sorted_tables:
        if reads_only:
            made += [] if table.name in PRIVATE else [f"GRANT SELECT ON {place}.{table.name} TO {name}"]
        else:
            made += [f"GRANT {right} TO {name}" for right in _rights(table, place)]
    return made


def _rights(table: Table, place: str) -> list[str]:
    rights = "SELECT, INSERT, DELETE" if table.name in DELETED else "SELECT, INSERT"
    made = [f"{rights} ON {place}.{table.name}"]
    if table.name in CHANGED:
        columns = CHANGED[table.name]
        which = f" ({', '.join(columns)})" if columns else ""
        made.append(f"UPDATE{which} ON {place}.{table.name}")
    counted = table.autoincrement_column
    if counted is not None:
        made.append(f"USAGE ON SEQUENCE {place}.{table.name}_{counted.name}_seq")
    return made


def _quoted(name: str) -> str:
    if not name or "\0" in name or len(name.encode()) > 63:
        raise ConfigError(f"{name!r} is no name of a role.", hint="One to 63 bytes.")
    return '"' + name.replace('"', '""') + '"'


def apply(url: str, statements: list[str]) -> None:
    """Run `statements` on the server at `url`, in one transaction, as the user that the URL names.

    Raises `ConfigError` where `url` is a file, `StoreReadOnly` where that user does not own the tables.
    """
    from evalkit.store.address import parse
    from evalkit.store.opening import open_database

    address = parse(url)
    if address.path is not None:
        raise ConfigError(
            "A store in a file has no users.", where=address.shown, hint="Its file mode says who may what."
        )
    database = open_database(address, create=False, read_only=False)
    try:
        with database.writing() as session:
            for statement in statements:
                session.execute(statement)
    finally:
        database.close()
