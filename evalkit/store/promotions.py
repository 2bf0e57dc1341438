"""Promotions as rows, and as records again: what was asked for, and where it stands."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.canonical import canonical_json
from evalkit.errors import NotFound, StoreError, did_you_mean
from evalkit.promotion.records import Actor, Approval, Evidence, Override, PolicyText, Promotion, RuleVerdict
from evalkit.store.cells import json_cell, maybe_text, maybe_text_of, text_cell, text_of, time_cell, time_of
from evalkit.store.database import Database, Session
from evalkit.store.plain import from_plain, to_plain
from evalkit.versions import SubjectKind

COLUMNS = (
    "id", "kind", "name", "alias", "state", "state_since", "created_at", "from_digest", "to_digest", "base_generation",
    "body", "policy", "evidence", "fingerprint", "evaluator", "verdicts", "overridden", "applied_at", "applied_by",
    "generation", "superseded_by", "note",
)  # fmt: skip
APPROVAL = (
    "id", "promotion_id", "position", "person", "approves", "comment", "at", "fingerprint", "is_self", "dismissed",
    "actor",
)  # fmt: skip
POLICY = ("digest", "name", "text", "first_seen")
CITED = ("promotion_id", "run_id", "how")

_CHANGES = (
    "state", "state_since", "policy", "evidence", "fingerprint", "evaluator", "verdicts", "overridden", "applied_at",
    "applied_by", "generation", "superseded_by", "note",
)  # fmt: skip
_REQUEST = (
    "id", "kind", "name", "alias", "from_digest", "to_digest", "base_generation", "created_at", "by", "author",
    "reason", "rollback_of",
)  # fmt: skip
"""The fields of a promotion that say what was asked for; they never change."""

_SAVE = (
    f"INSERT INTO promotions ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - our names
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _CHANGES)}"
)
_APPROVE = (
    f"INSERT INTO approvals ({', '.join(APPROVAL)}) VALUES ({', '.join('?' * len(APPROVAL))})"  # noqa: S608 - our names
    " ON CONFLICT (id) DO UPDATE SET dismissed = excluded.dismissed"
)
_SHOWN = 5


def save(session: Session, promotion: Promotion) -> None:
    """Write a promotion, new or changed; raises `StoreError` where the change is one that must not be."""
    before = find(session, "id = ?", [promotion.id])
    if before:
        _require_kept(before[0], promotion)
    session.executemany(_SAVE, [_row(promotion)])
    session.executemany(
        _APPROVE, [_approval_row(promotion.id, at, approval) for at, approval in enumerate(promotion.approvals)]
    )
    if promotion.evidence is not None:
        _cite(session, promotion.id, promotion.evidence)


def _cite(session: Session, promotion_id: str, evidence: Evidence) -> None:
    baselines = [run_id.strip() for run_id in (evidence.baseline or "").split(",")]
    cited = dict.fromkeys(baselines, "baseline") | dict.fromkeys(evidence.runs, "evidence")
    session.executemany(
        f"INSERT INTO promotion_runs ({', '.join(CITED)}) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608
        [(promotion_id, run_id, how) for run_id, how in cited.items() if run_id],
    )


def _require_kept(before: Promotion, after: Promotion) -> None:
    if _request(before) != _request(after):
        raise StoreError(f"What the promotion {before.id} asks for cannot change.", why="Nothing was written.")
    kept = after.approvals[: len(before.approvals)]
    if [dataclasses.replace(one, dismissed="") for one in before.approvals] != [
        dataclasses.replace(one, dismissed="") for one in kept
    ]:
        raise StoreError(f"What people said of the promotion {before.id} cannot change.", why="Nothing was written.")
    if any(old.dismissed and not new.dismissed for old, new in zip(before.approvals, kept, strict=True)):
        raise StoreError(f"A dismissed approval of the promotion {before.id} stays so.", why="Nothing was written.")


def _request(promotion: Promotion) -> str:
    plain = to_plain(promotion)
    return canonical_json({name: plain[name] for name in _REQUEST}).decode("utf-8")


def _row(promotion: Promotion) -> tuple[Any, ...]:
    verdicts = [to_plain(verdict) for verdict in promotion.verdicts]
    return (
        promotion.id,
        promotion.kind,
        text_cell(promotion.name),
        text_cell(promotion.alias),
        promotion.state,
        time_cell(promotion.state_since),
        time_cell(promotion.created_at),
        maybe_text(promotion.from_digest),
        text_cell(promotion.to_digest),
        promotion.base_generation,
        _request(promotion),
        promotion.policy.digest,
        record_cell(promotion.evidence),
        promotion.fingerprint,
        text_cell(promotion.evaluator),
        json_cell(verdicts) if verdicts else None,
        record_cell(promotion.override),
        None if promotion.applied_at is None else time_cell(promotion.applied_at),
        record_cell(promotion.applied_by),
        promotion.generation,
        promotion.superseded_by,
        text_cell(promotion.note),
    )


def _approval_row(promotion_id: str, position: int, approval: Approval) -> tuple[Any, ...]:
    return (
        approval.id,
        promotion_id,
        position,
        text_cell(approval.by.name),
        int(approval.approves),
        text_cell(approval.comment),
        time_cell(approval.at),
        approval.fingerprint,
        int(approval.is_self),
        text_cell(approval.dismissed),
        record_cell(approval.by),
    )


def record_cell(record: Any) -> str | None:
    """A record as JSON, `None` for `None`."""
    return None if record is None else json_cell(to_plain(record))


def find(session: Session, which: str, values: Sequence[Any]) -> list[Promotion]:
    """The promotions for which the condition `which` holds, the oldest first."""
    found = session.execute(
        f"SELECT {', '.join(COLUMNS)} FROM promotions WHERE {which} ORDER BY created_at, id",  # noqa: S608 - our own names
        values,
    )
    if not found:
        return []
    approvals = defaultdict(list)
    for row in session.execute(
        f"SELECT {', '.join(APPROVAL)} FROM approvals"  # noqa: S608 - our own names
        f" WHERE promotion_id IN (SELECT id FROM promotions WHERE {which}) ORDER BY position",
        values,
    ):
        approvals[row[1]].append(_approval_of(row))
    policies = {
        digest: PolicyText(digest=digest, name=text_of(name), text=text_of(text))
        for digest, name, text in session.execute(
            f"SELECT digest, name, text FROM policies WHERE digest IN (SELECT policy FROM promotions WHERE {which})",  # noqa: S608 - our own names
            values,
        )
    }
    return [_promotion_of(dict(zip(COLUMNS, row, strict=True)), approvals[row[0]], policies) for row in found]


def _promotion_of(
    row: Mapping[str, Any], approvals: Sequence[Approval], policies: Mapping[str, PolicyText]
) -> Promotion:
    asked = json.loads(row["body"])
    return Promotion(
        **{name: asked[name] for name in _REQUEST if name not in ("by", "created_at")},
        created_at=time_of(asked["created_at"]),
        by=from_plain(Actor, asked["by"]),
        policy=policies[row["policy"]],
        evidence=_maybe(Evidence, row["evidence"]),
        fingerprint=row["fingerprint"],
        evaluator=text_of(row["evaluator"]),
        verdicts=tuple(from_plain(RuleVerdict, verdict) for verdict in json.loads(row["verdicts"] or "[]")),
        state=row["state"],
        state_since=time_of(row["state_since"]),
        override=_maybe(Override, row["overridden"]),
        approvals=tuple(approvals),
        applied_at=None if row["applied_at"] is None else time_of(row["applied_at"]),
        applied_by=_maybe(Actor, row["applied_by"]),
        generation=row["generation"],
        superseded_by=maybe_text_of(row["superseded_by"]),
        note=text_of(row["note"]),
    )


def _approval_of(row: Sequence[Any]) -> Approval:
    cells = dict(zip(APPROVAL, row, strict=True))
    return Approval(
        id=cells["id"],
        promotion=cells["promotion_id"],
        by=from_plain(Actor, json.loads(cells["actor"])),
        approves=bool(cells["approves"]),
        comment=text_of(cells["comment"]),
        at=time_of(cells["at"]),
        fingerprint=cells["fingerprint"],
        is_self=bool(cells["is_self"]),
        dismissed=text_of(cells["dismissed"]),
    )


def _maybe(kind: type[Any], cell: str | None) -> Any:
    return None if cell is None else from_plain(kind, json.loads(cell))


def list_promotions(
    database: Database, *, kind: SubjectKind | None, name: str | None, alias: str | None, state: Sequence[str]
) -> list[Promotion]:
    """See `Store.promotions`."""
    conditions, values = ["1 = 1"], []
    for column, value in (("kind", kind), ("name", name), ("alias", alias)):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(text_cell(value))
    if state:
        conditions.append(f"state IN ({', '.join('?' * len(state))})")
        values.extend(state)
    with database.reading() as session:
        return find(session, " AND ".join(conditions), values)


def find_promotion(database: Database, name: str) -> Promotion:
    """See `Store.promotion`."""
    wanted = name.strip().lower()
    with database.reading() as session:
        ids = [identifier for (identifier,) in session.execute("SELECT id FROM promotions ORDER BY created_at, id")]
        matches = [one for one in ids if one == wanted] or [one for one in ids if wanted and one.startswith(wanted)]
        if len(matches) == 1:
            return find(session, "id = ?", matches)[0]
    if matches:
        shown = "".join(f"\n  {one}" for one in matches[-_SHOWN:])
        more = f"\n  and {len(matches) - _SHOWN} earlier ones" if len(matches) > _SHOWN else ""
        raise NotFound(
            f'"{name}" is the beginning of {len(matches)} promotions:{shown}{more}', hint="Give more of the id."
        )
    raise NotFound(
        f'The store has no promotion "{name}".{did_you_mean(wanted, ids)}',
        where=database.url,
        hint="See which there are: evalkit promotions",
    )


def list_citing(database: Database, run_id: str) -> list[str]:
    """See `Store.promotions_citing`."""
    with database.reading() as session:
        found = session.execute(
            "SELECT promotion_id FROM promotion_runs WHERE run_id = ? ORDER BY promotion_id", [run_id]
        )
    return [promotion_id for (promotion_id,) in found]
