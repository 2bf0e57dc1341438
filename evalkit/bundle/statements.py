"""What is attested of a promotion: SLSA's verification summary for any reader, and the whole record for ours.

https://slsa.dev/spec/v1.0/verification_summary
"""

from __future__ import annotations

from typing import Any

from evalkit.attestation import Statement
from evalkit.canonical import jsonable
from evalkit.promotion import Promotion

SUMMARY = "https://slsa.dev/verification_summary/v1"
PROMOTION = "https://pypi.org/project/pytest-evalkit/promotion/v1"
_VERIFIER = "https://pypi.org/project/pytest-evalkit/"


def statements(promotion: Promotion) -> tuple[Statement, Statement]:
    """The verification summary of a promotion, and the promotion itself as the predicate of a second statement.

    Both are about the version that it moved the alias to: the name is `prompt/NAME`, the digest the version's.
    """
    subjects = {promotion.subject: promotion.to_digest}
    return (
        Statement(subjects=subjects, predicate_type=SUMMARY, predicate=_summary(promotion)),
        Statement(subjects=subjects, predicate_type=PROMOTION, predicate=jsonable(promotion)),
    )


def _summary(promotion: Promotion) -> dict[str, Any]:
    """`PASSED` says that every rule of the policy passed by itself: what somebody overrode did not."""
    passed = promotion.decision == "pass"
    evidence = promotion.evidence
    judged_at = None if evidence is None else evidence.collected_at
    return {
        "verifier": {"id": _VERIFIER, "version": {"pytest-evalkit": promotion.evaluator}},
        "timeVerified": (judged_at or promotion.created_at).isoformat(),
        "resourceUri": f"evalkit:{promotion.subject}#{promotion.alias}",
        "policy": {"uri": f"evalkit:policy/{promotion.policy.name}", "digest": {"sha256": promotion.policy.digest}},
        "inputAttestations": []
        if evidence is None
        else [{"uri": f"evalkit:runs/{','.join(evidence.runs)}", "digest": {"sha256": evidence.run_digest}}],
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": ["EVALKIT_POLICY_PASSED"] if passed else ["FAILED"],
        "slsaVersion": "1.0",
    }
