"""Promotions with their policies, approvals and freezes, the audit log, the outbox of webhooks, and API tokens.

This is what they were when it was written; what they are now is in `evalkit.store.ledgertables` and `guards`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_LOG = "the audit log is only added to"
_POLICY = "a policy that promotions were judged by stays as it is"
_PROMOTION = "promotions are never deleted"
_VERSION = "versions are never deleted"
_SQLITE = (
    ("audit_update BEFORE UPDATE ON audit", _LOG),
    ("audit_delete BEFORE DELETE ON audit", _LOG),
    (
        "audit_insert BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE seq >= NEW.seq OR hash = NEW.hash)",
        _LOG,
    ),
    ("policies_update BEFORE UPDATE ON policies", _POLICY),
    ("policies_delete BEFORE DELETE ON policies", _POLICY),
    ("promotions_delete BEFORE DELETE ON promotions", _PROMOTION),
    (
        "runs_delete BEFORE DELETE ON runs WHEN EXISTS (SELECT 1 FROM promotion_runs WHERE run_id = OLD.id)",
        "a promotion rests on this run",
    ),
    ("versions_delete BEFORE DELETE ON versions", _VERSION),
)
_SERVER = (
    ("audit_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW", _LOG),
    ("audit_truncate BEFORE TRUNCATE ON audit", _LOG),
    ("policies_change BEFORE UPDATE OR DELETE ON policies FOR EACH ROW", _POLICY),
    ("policies_truncate BEFORE TRUNCATE ON policies", _POLICY),
    ("promotions_delete BEFORE DELETE ON promotions FOR EACH ROW", _PROMOTION),
    ("versions_delete BEFORE DELETE ON versions FOR EACH ROW", _VERSION),
)


def _guard() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for when, said in _SQLITE:
            op.execute(f"CREATE TRIGGER {when} BEGIN SELECT RAISE(ABORT, '{said}'); END")
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION evalkit_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = '23000'; END $$"
    )
    for when, said in _SERVER:
        op.execute(f"CREATE TRIGGER {when} EXECUTE FUNCTION evalkit_refuse('{said}')")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("prev_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
    )
    op.create_table(
        "freezes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.Text(), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freezes")),
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("clock", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )
    op.create_table(
        "policies",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_policies")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_service", sa.Integer(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=True),
        sa.Column("revoked_at", sa.Text(), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_tokens_sha256")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.Text(), nullable=False),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("delivered_at", sa.Text(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["seq"], ["audit.seq"], name=op.f("fk_outbox_seq")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_state_next_at"), "outbox", ["state", "next_at"], unique=False)
    op.create_table(
        "promotions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_since", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("from_digest", sa.Text(), nullable=True),
        sa.Column("to_digest", sa.Text(), nullable=False),
        sa.Column("base_generation", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("evaluator", sa.Text(), nullable=False),
        sa.Column("verdicts", sa.Text(), nullable=True),
        sa.Column("overridden", sa.Text(), nullable=True),
        sa.Column("applied_at", sa.Text(), nullable=True),
        sa.Column("applied_by", sa.Text(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=True),
        sa.Column("superseded_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["policy"], ["policies.digest"], name=op.f("fk_promotions_policy")),
        sa.ForeignKeyConstraint(
            ["kind", "name", "to_digest"],
            ["versions.kind", "versions.name", "versions.digest"],
            name=op.f("fk_promotions_kind_name_to_digest"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotions")),
    )
    op.create_index(
        op.f("ix_promotions_kind_name_alias_created_at"),
        "promotions",
        ["kind", "name", "alias", "created_at"],
        unique=False,
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("promotion_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approves", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("is_self", sa.Integer(), nullable=False),
        sa.Column("dismissed", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["promotion_id"], ["promotions.id"], name=op.f("fk_approvals_promotion_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
        sa.UniqueConstraint("promotion_id", "position", name=op.f("uq_approvals_promotion_id_position")),
    )
    op.create_table(
        "promotion_runs",
        sa.Column("promotion_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["promotion_id"], ["promotions.id"], name=op.f("fk_promotion_runs_promotion_id")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_promotion_runs_run_id")),
        sa.PrimaryKeyConstraint("promotion_id", "run_id", name=op.f("pk_promotion_runs")),
    )
    op.create_index(op.f("ix_promotion_runs_run_id"), "promotion_runs", ["run_id"], unique=False)
    _guard()


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER versions_delete")
        op.execute("DROP TRIGGER runs_delete")
    else:
        op.execute("DROP TRIGGER versions_delete ON versions")
    op.drop_table("promotion_runs")
    op.drop_table("approvals")
    op.drop_table("promotions")
    op.drop_table("outbox")
    op.drop_table("tokens")
    op.drop_table("policies")
    op.drop_table("ledger")
    op.drop_table("freezes")
    op.drop_table("audit")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION evalkit_refuse()")
