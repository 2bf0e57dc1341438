"""What the commands for promotions show in a terminal: what was asked for, on which evidence, and who said what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from evalkit import grid
from evalkit.cli import subjectviews
from evalkit.cli.shapes import moment
from evalkit.figures import count, figure
from evalkit.plaintext import Paint, clean, wrapped
from evalkit.versions import Version

if TYPE_CHECKING:
    from evalkit.promotion import Actor, Approval, Evidence, Freeze, Override, Promotion, RuleVerdict, State

_STATES: Mapping[State, tuple[str, str]] = {
    "requested": ("REQUESTED", "33"),
    "blocked": ("BLOCKED", "31"),
    "pending_approval": ("WAITING FOR APPROVAL", "33"),
    "approved": ("APPROVED, NOT YET APPLIED", "33"),
    "applied": ("APPLIED", "32"),
    "superseded": ("SUPERSEDED", "2"),
    "rolled_back": ("ROLLED BACK", "31"),
    "rejected": ("REJECTED", "31"),
    "cancelled": ("CANCELLED", "2"),
    "expired": ("EXPIRED", "31"),
    "invalidated": ("INVALIDATED", "31"),
}
"""Each state in words, and its colour."""

_VERDICTS = {"pass": ("PASS", "32"), "fail": ("FAIL", "31"), "inconclusive": ("INCONCLUSIVE", "33")}

Versions = Mapping[str, Version]
"""The stored versions of one prompt or model, by digest."""


def whole(promotion: Promotion, versions: Versions, width: int, paint: Paint) -> Iterator[str]:
    """All that is known of a promotion, with its id and its state."""
    yield paint(f"{noun(promotion)} {promotion.id}", "1")
    yield from body(promotion, versions, width, paint)
    yield ""
    yield from state_lines(promotion, width, paint)


def body(promotion: Promotion, versions: Versions, width: int, paint: Paint) -> Iterator[str]:
    """What was asked for, what it rests on, what it changes, and what people said of it."""
    yield from brief(promotion, versions, width, paint)
    if promotion.evidence is not None:
        yield ""
        yield from evidence_lines(promotion.evidence, width)
    if promotion.verdicts:
        yield ""
        yield from rule_lines(promotion.verdicts, width, paint)
    yield ""
    yield from change_lines(promotion, versions, width, paint)
    if promotion.override is not None:
        yield ""
        yield from override_lines(promotion.override, width, paint)
    if promotion.approvals:
        yield ""
        for one in promotion.approvals:
            yield from approval_lines(one, width, paint)


def brief(promotion: Promotion, versions: Versions, width: int, paint: Paint) -> Iterator[str]:
    """What is to be moved where, who asked for it and why, under which policy."""
    title = f"{promotion.alias} of {promotion.subject}: {moves(promotion, versions)}"
    yield from (paint(line, "1") for line in wrapped(clean(title), width))
    reason = f": {promotion.reason}" if promotion.reason else ""
    asked = f"asked for by {who(promotion.by)} at {moment(promotion.created_at)}{reason}"
    yield from wrapped(clean(asked), width)
    if promotion.rollback_of is not None:
        yield f"it undoes the promotion {promotion.rollback_of}"
    if promotion.author is not None:
        yield from wrapped(clean(f"the version was written by {promotion.author}"), width)
    if promotion.by.ci:
        yield from wrapped(clean(f"job {promotion.by.ci}"), width)
    yield clean(f"policy {promotion.policy.name} ({promotion.policy.digest[:8]})")


def noun(promotion: Promotion) -> str:
    """What it is called: a promotion, or a rollback."""
    return "rollback" if promotion.rollback_of is not None else "promotion"


def moves(promotion: Promotion, versions: Versions) -> str:
    """Which version gives way to which: `v1 (fcdf9df5) → v2 (a2b35a3d)`."""
    before = "nothing" if promotion.from_digest is None else label(promotion.from_digest, versions)
    return f"{before} → {label(promotion.to_digest, versions)}"


def label(digest: str, versions: Versions) -> str:
    """What people call the version of that digest: `v2 (a2b35a3d)`."""
    found = versions.get(digest)
    return digest[:8] if found is None or found.number is None else f"v{found.number} ({digest[:8]})"


def evidence_lines(evidence: Evidence, width: int) -> Iterator[str]:
    """Which runs it rests on, and how much was measured in them."""
    runs = ", ".join(evidence.runs)
    yield from wrapped(f"{'run' if len(evidence.runs) == 1 else 'runs'} {runs}", width)
    missing = f"{evidence.errored:,} errored, {evidence.unscored:,} unscored"
    parts = [f"{count(evidence.cases, 'case')}, {evidence.executed:,} of {count(evidence.planned, 'trial')}, {missing}"]
    if evidence.commit:
        parts.append(f"commit {evidence.commit[:12]}" + (" with uncommitted changes" if evidence.dirty else ""))
    if evidence.finished_at is not None:
        parts.append(f"finished {moment(evidence.finished_at)}")
    if evidence.selection:
        parts.append(f"a part only ({evidence.selection})")
    yield from wrapped(clean("; ".join(parts)), width)
    yield from wrapped(clean(f"suites {', '.join(evidence.suites)}"), width)
    yield f"baseline run {evidence.baseline}" if evidence.baseline else "no baseline"


def rule_lines(verdicts: Sequence[RuleVerdict], width: int, paint: Paint) -> Iterator[str]:
    """The table of rules, with the reason and the way forward below each that did not pass."""
    suites = {one.suite for one in verdicts if one.suite}
    rule = grid.Column(title="rule", texts=[clean(one.rule) for one in verdicts])
    asks = grid.Column(title="asks for", texts=[_asks(one, suites) for one in verdicts], least=16, wraps=True)
    seen = grid.Column(title="observed", texts=[_rounded(one.observed) or "–" for one in verdicts], least=8, wraps=True)
    ends = grid.Column(title="interval", texts=[_interval(one) for one in verdicts])
    size = grid.Column(title="n", texts=[f"{one.n:,}" if one.n else "–" for one in verdicts], right=True)
    verdict = grid.Column(title="verdict", texts=[_VERDICTS[one.decision][0] for one in verdicts])
    columns = grid.fit([[rule, asks, seen, ends, size, verdict], [rule, asks, seen, verdict]], width)
    yield paint(grid.header(columns).rstrip(), "2")
    for number, one in enumerate(verdicts):
        colour = _VERDICTS[one.decision][1]
        for line in grid.lines(columns, number):
            if one.decision != "pass":
                yield paint(line, colour)
            elif line.endswith("PASS"):
                yield line.removesuffix("PASS") + paint("PASS", colour)
            else:
                yield line
        if one.decision != "pass":
            yield from _below(" ".join(filter(None, (one.reason, one.hint))), width)


def _asks(one: RuleVerdict, suites: set[str]) -> str:
    places = [one.suite] if one.suite and len(suites) > 1 else []
    where = ", ".join([*places, *([one.slice] if one.slice else [])])
    return clean(f"{one.text} ({where})" if where else one.text)


def _interval(one: RuleVerdict) -> str:
    if not (one.low or one.high):
        return "–"
    low, high = _rounded(one.low) or "…", _rounded(one.high) or "…"
    return f"{low} to {high}" if "-" in low + high else f"{low}–{high}"


def _rounded(text: str) -> str:
    """A bare number as tables have it; anything else, such as `12 days`, as it is."""
    try:
        return figure(float(text))
    except ValueError:
        return clean(text)


def _below(text: str, width: int) -> Iterator[str]:
    first, *more = wrapped(clean(text), width - 4)
    yield f"  └ {first}"
    yield from (f"    {line}" for line in more)


def change_lines(promotion: Promotion, versions: Versions, width: int, paint: Paint) -> Iterator[str]:
    """The difference of what is asked for against what was in force."""
    after = versions.get(promotion.to_digest)
    before = versions.get(promotion.from_digest) if promotion.from_digest is not None else None
    if after is None:
        yield f"The version {promotion.to_digest[:8]} is not in the store."
        return
    if before is None:
        yield from wrapped(f"{promotion.alias} points at nothing yet, so that there is nothing to compare with.", width)
        return
    from evalkit.registry import difference

    old, new = (subjectviews.Shown(version=one, stored=None, is_file=False) for one in (before, after))
    yield from subjectviews.changed(old, new, difference(before, after), width, paint)


def override_lines(override: Override, width: int, paint: Paint) -> Iterator[str]:
    """Who decided to go on in spite of what, and until when that is good."""
    text = (
        f"OVERRIDE of {', '.join(override.rules)} by {who(override.by)} at {moment(override.at)}, "
        f"good until {moment(override.expires_at)}: {override.reason}"
    )
    yield from (paint(line, "33") for line in wrapped(clean(text), width))


def approval_lines(one: Approval, width: int, paint: Paint) -> Iterator[str]:
    """One vote, a self-approval said as such."""
    vote = "approved" if one.approves else "rejected"
    own = ", a SELF-APPROVAL" if one.is_self and one.approves else ""
    gone = f"; it no longer counts: {one.dismissed}" if one.dismissed else ""
    comment = f": {one.comment}" if one.comment else ""
    text = f"{vote} by {who(one.by)} at {moment(one.at)}{own}{comment}{gone}"
    colour = "2" if one.dismissed else "33" if one.is_self else "32" if one.approves else "31"
    yield from (paint(line, colour) for line in wrapped(clean(text), width))


def state_lines(promotion: Promotion, width: int, paint: Paint) -> Iterator[str]:
    """Where it stands, why, and what binds approvals to the evidence."""
    word, colour = _STATES[promotion.state]
    yield paint(word, f"1;{colour}") + f" since {moment(promotion.state_since)}"
    if promotion.applied_at is not None and promotion.applied_by is not None:
        yield from wrapped(
            clean(
                f"applied by {who(promotion.applied_by)} at {moment(promotion.applied_at)}, "
                f"generation {promotion.base_generation} → {promotion.generation}"
            ),
            width,
        )
    if promotion.superseded_by is not None:
        yield f"the promotion {promotion.superseded_by} came after it"
    if promotion.note:
        yield from wrapped(clean(promotion.note), width)
    if promotion.fingerprint:
        yield f"fingerprint {promotion.fingerprint}"


def listing(found: Sequence[tuple[Promotion, Versions]], width: int, paint: Paint) -> Iterator[str]:
    """The table of `promotions`."""
    if not found:
        return
    all_of = [one for one, _ in found]
    columns = [
        grid.Column(title="promotion", texts=_short([one.id for one in all_of])),
        grid.Column(title="subject", texts=[clean(one.subject) for one in all_of], least=12),
        grid.Column(title="alias", texts=[clean(one.alias) for one in all_of], least=8),
        grid.Column(title="moves", texts=[_brief(one, versions) for one, versions in found]),
        grid.Column(title="state", texts=[_state(one) for one in all_of]),
        grid.Column(title="asked for", texts=[(moment(one.created_at) or "")[:16].replace("T", " ") for one in all_of]),
        grid.Column(title="by", texts=[clean(one.by.name) for one in all_of], least=8),
    ]
    fitted = grid.fit([columns, [*columns[:5], columns[6]], columns[:5]], width)
    yield paint(grid.header(fitted), "2")
    for number in range(len(all_of)):
        yield from grid.lines(fitted, number)


def _brief(promotion: Promotion, versions: Versions) -> str:
    def name(digest: str | None) -> str:
        return "–" if digest is None else label(digest, versions).partition(" ")[0]

    return f"{name(promotion.from_digest)} → {name(promotion.to_digest)}"


def _state(promotion: Promotion) -> str:
    own = any(one.is_self and one.approves and not one.dismissed for one in promotion.approvals)
    return promotion.state.replace("_", " ") + (" (self-approved)" if own else "")


def _short(ids: Sequence[str]) -> list[str]:
    # Ids begin with the time, so that those of one minute need more than eight digits to be told apart.
    length = 13
    while length < 36 and len({one[:length] for one in ids}) < len(set(ids)):
        length += 5
    return [one[:length] for one in ids]


def freeze_lines(found: Sequence[Freeze], now: dt.datetime, width: int, paint: Paint) -> Iterator[str]:
    """The table of `freeze list`."""
    if not found:
        return
    columns = [
        grid.Column(title="freeze", texts=_short([one.id for one in found])),
        grid.Column(title="subject", texts=[clean(one.subject) for one in found], least=8),
        grid.Column(title="alias", texts=[clean(one.alias) for one in found], least=8),
        grid.Column(title="is", texts=[freeze_state(one, now) for one in found]),
        grid.Column(title="until", texts=[moment(one.until) or "lifted" for one in found]),
        grid.Column(title="by", texts=[clean(one.by.name) for one in found], least=8),
        grid.Column(title="reason", texts=[clean(one.reason) for one in found], least=12, wraps=True),
    ]
    fitted = grid.fit([columns, [*columns[:5], columns[6]]], width)
    yield paint(grid.header(fitted), "2")
    for number, one in enumerate(found):
        for line in grid.lines(fitted, number):
            yield paint(line, "33") if freeze_state(one, now) == "in force" else line


def freeze_state(one: Freeze, now: dt.datetime) -> str:
    """Whether a freeze is `in force`, `planned`, `over` or `lifted`."""
    if one.lifted_at is not None:
        return "lifted"
    if one.since > now:
        return "planned"
    return "over" if one.until is not None and one.until <= now else "in force"


def who(actor: Actor) -> str:
    """Somebody with how they proved who they are: `ada (asserted-local)`."""
    return f"{actor.name} ({'service, ' if actor.is_service else ''}{actor.authentication})"
