"""A promotion judged again from what is stored: does it still come out the same?"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from evalkit.canonical import digest_bytes
from evalkit.errors import NotFound, Refusal
from evalkit.promoting.evidence import collect, load_runs
from evalkit.promoting.judging import References, on_gates
from evalkit.promotion import Evidence, Promotion, RuleVerdict
from evalkit.promotion.machine import fingerprint
from evalkit.promotion.policy import Policy, policy_of
from evalkit.promotion.rules import on_evidence

if TYPE_CHECKING:
    from evalkit.store import Store


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What judging again gave. `differences` are sentences, none where everything came out the same; `verdicts` are
    the new ones. The rule `current` held against the state of that day, and is taken from the record.
    """

    promotion: Promotion
    verdicts: tuple[RuleVerdict, ...]
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether it comes out as it is recorded."""
        return not self.differences


def verify(store: Store, promotion: str) -> Verification:
    """Judge a promotion again by the text of its own policy, on its own runs, as of the time it was judged. Raises
    `NotFound`, and `Refusal` (`evidence`) for one that was never judged.
    """
    found = store.promotion(promotion)
    recorded = found.evidence
    if recorded is None or recorded.collected_at is None:
        raise Refusal("evidence", f"The promotion {found.id} was never judged.", hint="Judge it on a run first.")
    differences: list[str] = []
    if digest_bytes(found.policy.text.encode("utf-8")) != found.policy.digest:
        differences.append("The text of its policy does not have the digest that is recorded.")
    if found.fingerprint != fingerprint(found, recorded, found.policy):
        differences.append("Its fingerprint is not that of its evidence and its policy.")
    verdicts: list[RuleVerdict] = []
    try:
        policy = policy_of(found.policy)
        evidence, verdicts = _again(store, found, recorded, policy)
        differences.extend(_evidence_differences(recorded, evidence))
        differences.extend(_verdict_differences(found.verdicts, verdicts))
    except (NotFound, Refusal, ValueError) as error:
        differences.append(f"It cannot be judged again: {error}")
    return Verification(promotion=found, verdicts=tuple(verdicts), differences=tuple(differences))


def _again(store: Store, found: Promotion, recorded: Evidence, policy: Policy) -> tuple[Evidence, list[RuleVerdict]]:
    at = recorded.collected_at
    assert at is not None
    runs = load_runs(store, recorded.runs, until=at)
    collected = collect(runs, kind=found.kind, name=found.name, to_digest=found.to_digest)
    references = References(store, tuple(dict.fromkeys(recorded.baselines.values())))
    gates = on_gates(policy, collected.cited, references)
    current = [one for one in found.verdicts if one.rule == "current"]
    return collected.evidence, [*gates, *on_evidence(policy, collected.evidence, at), *current]


def _evidence_differences(recorded: Evidence, evidence: Evidence) -> list[str]:
    found: list[str] = []
    if recorded.run_digest != evidence.run_digest:
        found.append(
            f"The stored results come to {evidence.run_digest[:12]}, and {recorded.run_digest[:12]} was judged."
        )
    for field in ("datasets", "scorers", "subject", "others", "by_suite", "is_complete", "dirty", "finished_at"):
        if getattr(recorded, field) != getattr(evidence, field):
            found.append(f"What the runs say of `{field}` is not what is recorded.")
    return found


def _verdict_differences(recorded: tuple[RuleVerdict, ...], again: list[RuleVerdict]) -> list[str]:
    found: list[str] = []
    before = {(one.rule, one.suite, one.text, one.reason if one.rule == "current" else ""): one for one in recorded}
    now = {(one.rule, one.suite, one.text, one.reason if one.rule == "current" else ""): one for one in again}
    for key in dict.fromkeys((*before, *now)):
        old, new = before.get(key), now.get(key)
        name = " ".join(part for part in key[:3] if part)
        if old is None or new is None:
            found.append(f"{name}: it is {'not recorded' if old is None else 'recorded, and not found again'}.")
        elif (old.decision, old.observed, old.n) != (new.decision, new.observed, new.n):
            found.append(
                f"{name}: {new.decision} ({new.observed or 'no figure'}), and {old.decision} "
                f"({old.observed or 'no figure'}) is recorded."
            )
    return found
