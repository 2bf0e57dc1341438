"""The tables of promotions, approvals and the audit log; see `schema` for the rest, and for how cells are written."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from evalkit.store import guards

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

policies = Table(
    "policies",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("first_seen", Text, nullable=False),
)

promotions = Table(
    "promotions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("alias", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_since", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("from_digest", Text),
    Column("to_digest", Text, nullable=False),
    Column("base_generation", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("policy", Text, ForeignKey("policies.digest"), nullable=False),
    Column("evidence", Text),
    Column("fingerprint", Text, nullable=False),
    Column("evaluator", Text, nullable=False),
    Column("verdicts", Text),
    Column("overridden", Text),
    Column("applied_at", Text),
    Column("applied_by", Text),
    Column("generation", Integer),
    Column("superseded_by", Text),
    Column("note", Text, nullable=False),
    ForeignKeyConstraint(["kind", "name", "to_digest"], ["versions.kind", "versions.name", "versions.digest"]),
    Index(None, "kind", "name", "alias", "created_at"),
)

promotion_runs = Table(
    "promotion_runs",
    metadata,
    Column("promotion_id", Text, ForeignKey("promotions.id"), primary_key=True),
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("how", Text, nullable=False),
    Index(None, "run_id"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("promotion_id", Text, ForeignKey("promotions.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("person", Text, nullable=False),
    Column("approves", Integer, nullable=False),
    Column("comment", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("is_self", Integer, nullable=False),
    Column("dismissed", Text, nullable=False),
    Column("actor", Text, nullable=False),
    UniqueConstraint("promotion_id", "position"),
)

freezes = Table(
    "freezes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("alias", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Text, nullable=False),
    Column("until", Text),
    Column("declared_by", Text, nullable=False),
    Column("lifted_at", Text),
    Column("lifted_by", Text),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("prev_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("hash"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("clock", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("seq", Integer, ForeignKey("audit.seq"), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Text, nullable=False),
    Column("leased_by", Text),
    Column("delivered_at", Text),
    Column("last_status", Integer),
    Column("last_error", Text),
    Index(None, "state", "next_at"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("is_service", Integer, nullable=False),
    Column("roles", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Text),
    Column("revoked_at", Text),
    Column("revoked_by", Text),
    UniqueConstraint("sha256"),
)

guards.attach(metadata)
