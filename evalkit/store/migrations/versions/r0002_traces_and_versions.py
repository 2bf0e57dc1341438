"""Traces and their spans, versions of prompts and models, recorded exchanges, and what scorers used.

This is what they were when it was written; what they are now is in `evalkit.store.schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _usage() -> list[sa.Column[Any]]:
    return [
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cost", sa.Text(), nullable=True),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=True),
        sa.Column("calls", sa.BigInteger(), nullable=True),
        sa.Column("uncounted", sa.BigInteger(), nullable=True),
        sa.Column("unpriced", sa.BigInteger(), nullable=True),
        sa.Column("saved", sa.Text(), nullable=True),
    ]


def upgrade() -> None:
    _widen()
    op.create_table(
        "traces",
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("suite_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("trial", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("root_span_id", sa.Text(), nullable=True),
        sa.Column("start_ns", sa.BigInteger(), nullable=True),
        sa.Column("end_ns", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("n_spans", sa.Integer(), nullable=False),
        sa.Column("n_llm", sa.Integer(), nullable=False),
        sa.Column("n_tool", sa.Integer(), nullable=False),
        *_usage(),
        sa.Column("normaliser", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["suite_id", "case_id", "trial", "attempt"],
            ["trials.suite_id", "trials.case_id", "trials.trial", "trials.attempt"],
            name=op.f("fk_traces_suite_id_case_id_trial_attempt"),
        ),
        sa.PrimaryKeyConstraint("trace_id", name=op.f("pk_traces")),
        sa.UniqueConstraint(
            "suite_id", "case_id", "trial", "attempt", name=op.f("uq_traces_suite_id_case_id_trial_attempt")
        ),
    )
    op.create_table(
        "spans",
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("span_id", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("end_ns", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        *_usage(),
        sa.Column("tool_name", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=True),
        sa.Column("attributes_blob", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.Column("raw_blob", sa.Text(), nullable=True),
        sa.Column("events", sa.Text(), nullable=True),
        sa.Column("events_blob", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["attributes_blob"], ["blobs.digest"], name=op.f("fk_spans_attributes_blob")),
        sa.ForeignKeyConstraint(["events_blob"], ["blobs.digest"], name=op.f("fk_spans_events_blob")),
        sa.ForeignKeyConstraint(["raw_blob"], ["blobs.digest"], name=op.f("fk_spans_raw_blob")),
        sa.ForeignKeyConstraint(["trace_id"], ["traces.trace_id"], name=op.f("fk_spans_trace_id")),
        sa.PrimaryKeyConstraint("trace_id", "position", name=op.f("pk_spans")),
    )
    op.create_table(
        "versions",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("git_commit", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("body_blob", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["body_blob"], ["blobs.digest"], name=op.f("fk_versions_body_blob")),
        sa.PrimaryKeyConstraint("kind", "name", "digest", name=op.f("pk_versions")),
        sa.UniqueConstraint("kind", "name", "number", name=op.f("uq_versions_kind_name_number")),
    )
    op.create_table(
        "aliases",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["kind", "name", "digest"],
            ["versions.kind", "versions.name", "versions.digest"],
            name=op.f("fk_aliases_kind_name_digest"),
        ),
        sa.PrimaryKeyConstraint("kind", "name", "alias", name=op.f("pk_aliases")),
    )
    op.create_table(
        "suite_versions",
        sa.Column("suite_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kind", "name", "digest"],
            ["versions.kind", "versions.name", "versions.digest"],
            name=op.f("fk_suite_versions_kind_name_digest"),
        ),
        sa.ForeignKeyConstraint(["suite_id"], ["suites.id"], name=op.f("fk_suite_versions_suite_id")),
        sa.PrimaryKeyConstraint("suite_id", "how", "kind", "name", "digest", name=op.f("pk_suite_versions")),
    )
    op.create_index(op.f("ix_suite_versions_kind_name_digest"), "suite_versions", ["kind", "name", "digest"])
    op.create_table(
        "exchanges",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("trial", sa.Integer(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=False),
        sa.Column("duration", sa.Double(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_exchanges")),
    )
    op.create_index(op.f("ix_exchanges_url_recorded_at"), "exchanges", ["url", "recorded_at"])


def _widen() -> None:
    names = [column.name for column in _usage()]
    versions = sa.Column("versions", sa.Text(), nullable=True)
    _add("runs", {"ci": sa.Column("prices", sa.Text(), nullable=True)})
    _add("trials", {**dict(zip(names[2:], _usage()[3:], strict=False)), "trace_id": versions})
    _add("scores", dict(zip(["scorer_version", *names], _usage(), strict=False)))


def _add(table: str, columns: Mapping[str, sa.Column[Any]]) -> None:
    """Add columns, each behind the one named. SQLite copies the table, so that the long columns stay the last ones."""
    copied = op.get_context().dialect.name == "sqlite"
    with op.batch_alter_table(table, recreate="always" if copied else "never") as batch:
        for after, column in columns.items():
            batch.add_column(column, insert_after=after if copied else None)


def downgrade() -> None:
    for table in ("exchanges", "suite_versions", "aliases", "versions", "spans", "traces"):
        op.drop_table(table)
    with op.batch_alter_table("scores") as batch:
        for column in _usage():
            batch.drop_column(column.name)
    with op.batch_alter_table("trials") as batch:
        for name in ("cached_tokens", "calls", "uncounted", "unpriced", "saved", "versions"):
            batch.drop_column(name)
    with op.batch_alter_table("runs") as batch:
        batch.drop_column("prices")
