"""A policy: what a promotion under an alias has to show, and who has to agree."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Literal

from evalkit.canonical import canonical_json, digest, jsonable
from evalkit.promotion.records import PolicyText
from evalkit.promotion.window import Window

Trust = Literal["calibrated", "interchangeable"]
ANY_SUITE = "*"
"""The key of gates that are for every suite that has what they are on."""

OVERRIDABLE = ("gate", "suites", "min_cases", "max_errors", "judges", "dirty")
"""The rules that a policy may let people override. The others say that the evidence is of something else."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRule:
    """Who may decide to go on in spite of a verdict, and what that takes.

    `by` are names and `role:admin`; empty is whoever has the role admin for the alias, or anyone where the alias is
    not protected and people are known by their local name only. `approvals` is how many others must agree, `rules`
    which rules may be overridden, `good_for` for how many seconds it holds.
    """

    by: tuple[str, ...] = ()
    approvals: int = 1
    rules: tuple[str, ...] = ("gate", "min_cases", "max_errors")
    good_for: int = 86_400


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of an alias. All times are in seconds.

    `name` is the key that the policy stands under, `default` for an alias without one. `gates` are lines by suite,
    `*` for every suite; `own_gates` says that those of the suites themselves count too. `suites` must have run.
    `approvers` are names and `role:…`; empty is anyone who has the role approver, or is a person, on an alias that
    is not protected. `max_errors` is a count (`3`) or a share of the trials (`1%`), `None` is what the gates say.
    `judges` is how far judges must be trusted, `None` does not ask. `others` says whether the prompts and models used
    beside the subject must be those in force. `wait` is between the last approval and the move. `override` is `None`
    where nobody may override anything. `pending_for` is how long a promotion may wait for people, `approved_for` how
    long an approved one may wait to be applied.
    """

    name: str = "default"
    gates: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    own_gates: bool = True
    suites: tuple[str, ...] = ()
    min_approvals: int = 0
    approvers: tuple[str, ...] = ()
    protected: bool = False
    allow_self_approval: bool = False
    max_age: int = 7 * 86_400
    min_cases: int = 0
    max_errors: str | None = None
    judges: Trust | None = None
    others: Literal["current", "any"] = "current"
    allow_dirty: bool = True
    wait: int = 0
    freeze: tuple[Window, ...] = ()
    override: OverrideRule | None = None
    pending_for: int = 14 * 86_400
    approved_for: int = 72 * 3_600

    def canonical(self) -> dict[str, Any]:
        """Every rule as plain JSON, defaults included, so that two policies of one digest are the same policy."""
        said: dict[str, Any] = jsonable(self, strict=True)
        return said

    @property
    def text(self) -> PolicyText:
        """The policy as a promotion keeps it."""
        said = self.canonical()
        return PolicyText(name=self.name, digest=digest(said), text=canonical_json(said).decode())

    def gates_for(self, suite: str) -> tuple[str, ...]:
        """The gates that the policy has for a suite by its name, without those for every suite."""
        return self.gates.get(suite, ())


def policy_of(kept: PolicyText) -> Policy:
    """The policy that a promotion was judged by, from its text. Raises `ValueError` where the text is none of one."""
    try:
        said = json.loads(kept.text)
        made = dict(said)
        made["gates"] = {suite: tuple(lines) for suite, lines in said["gates"].items()}
        for name in ("suites", "approvers"):
            made[name] = tuple(said[name])
        made["freeze"] = tuple(Window(**window) for window in said["freeze"])
        if said["override"] is not None:
            rule = said["override"]
            made["override"] = OverrideRule(**rule | {"by": tuple(rule["by"]), "rules": tuple(rule["rules"])})
        return Policy(**made)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"the text of the policy {kept.name} cannot be read: {error}") from None
