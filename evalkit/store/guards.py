"""What the database itself refuses, whoever asks: changing the audit log, or losing what promotions rest on.

They stop accidents and other programs, not somebody who may drop them; what such a one did, the chain of hashes shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalkit.store.database import Session

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData, Table

_LOG = "the audit log is only added to"
_POLICY = "a policy that promotions were judged by stays as it is"
_VERSION = "versions are never deleted"
_RUN = "a promotion rests on this run"
_PROMOTION = "promotions are never deleted"

_SQLITE = {
    "audit": (
        ("audit_update", "BEFORE UPDATE ON audit", _LOG),
        ("audit_delete", "BEFORE DELETE ON audit", _LOG),
        # INSERT OR REPLACE deletes without asking the trigger above.
        (
            "audit_insert",
            "BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE seq >= NEW.seq OR hash = NEW.hash)",
            _LOG,
        ),
    ),
    "policies": (
        ("policies_update", "BEFORE UPDATE ON policies", _POLICY),
        ("policies_delete", "BEFORE DELETE ON policies", _POLICY),
    ),
    "promotions": (("promotions_delete", "BEFORE DELETE ON promotions", _PROMOTION),),
    "versions": (("versions_delete", "BEFORE DELETE ON versions", _VERSION),),
    "promotion_runs": (
        (
            "runs_delete",
            "BEFORE DELETE ON runs WHEN EXISTS (SELECT 1 FROM promotion_runs WHERE run_id = OLD.id)",
            _RUN,
        ),
    ),
}
"""By the table after which they are made: name, when, and what is said."""

_FUNCTION = (
    "CREATE OR REPLACE FUNCTION evalkit_refuse() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = '23000'; END $$"
)
_SERVER = {
    "audit": (
        ("audit_change", "BEFORE UPDATE OR DELETE ON audit FOR EACH ROW", _LOG),
        ("audit_truncate", "BEFORE TRUNCATE ON audit", _LOG),
    ),
    "policies": (
        ("policies_change", "BEFORE UPDATE OR DELETE ON policies FOR EACH ROW", _POLICY),
        ("policies_truncate", "BEFORE TRUNCATE ON policies", _POLICY),
    ),
    "promotions": (("promotions_delete", "BEFORE DELETE ON promotions FOR EACH ROW", _PROMOTION),),
    "versions": (("versions_delete", "BEFORE DELETE ON versions FOR EACH ROW", _VERSION),),
}
"""The same on PostgreSQL, where foreign keys are always looked at and see to runs."""


def statements(table: str, dialect: str) -> list[str]:
    """What makes the triggers that come with `table`."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{said}'); END"
            for name, when, said in _SQLITE.get(table, ())
        ]
    made = [
        f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION evalkit_refuse('{said}')"
        for name, when, said in _SERVER.get(table, ())
    ]
    return [_FUNCTION, *made] if made else []


def attach(metadata: MetaData) -> None:
    """Have them made whenever the tables of `metadata` are."""

    def make(_: MetaData, connection: Connection, tables: Sequence[Table] = (), **__: object) -> None:
        for table in tables:
            for statement in statements(table.name, connection.dialect.name):
                connection.exec_driver_sql(statement)

    from sqlalchemy import event

    event.listen(metadata, "after_create", make)


def missing(session: Session, *, on_sqlite: bool) -> list[str]:
    """The names of the triggers that a store should have, and has not, or has switched off."""
    statement = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    if not on_sqlite:
        statement = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    there = {name for (name,) in session.execute(statement)}
    return sorted(expected("sqlite" if on_sqlite else "postgresql") - there)


def expected(dialect: str) -> frozenset[str]:
    """The names of the triggers that a store has."""
    return frozenset(name for ones in (_SQLITE if dialect == "sqlite" else _SERVER).values() for name, _, _ in ones)
