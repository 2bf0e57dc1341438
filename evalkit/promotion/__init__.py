"""Promotions: moving an alias to another version, on evidence, with approvals."""

from evalkit.promotion.records import (
    TERMINAL,
    Actor,
    Approval,
    Authentication,
    Event,
    Evidence,
    Freeze,
    Override,
    PolicyText,
    Promotion,
    Role,
    RuleVerdict,
    State,
)

__all__ = [
    "TERMINAL",
    "Actor",
    "Approval",
    "Authentication",
    "Event",
    "Evidence",
    "Freeze",
    "Override",
    "PolicyText",
    "Promotion",
    "Role",
    "RuleVerdict",
    "State",
]
