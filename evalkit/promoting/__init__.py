"""Promotions carried out: evidence out of stored runs, judged by a policy, every step one transaction of the store.

`Policies` reads the policies of a project. `request` opens a promotion; `approve`, `reject`, `withdraw`, `override`,
`cancel`, `evaluate` and `apply` take it further, `rollback`, `freeze` and `lift` are about an alias. `find` and
`listed` show promotions as they stand now, `outlook` what one still needs, `verify` judges one again from the record.
Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.contents import contents

if TYPE_CHECKING:
    from evalkit.promoting.outcome import Outcome
    from evalkit.promoting.outlooks import Outlook, find, listed, outlook
    from evalkit.promoting.policies import Policies
    from evalkit.promoting.service import (
        apply,
        approve,
        cancel,
        evaluate,
        freeze,
        lift,
        override,
        reject,
        request,
        rollback,
        withdraw,
    )
    from evalkit.promoting.verifying import Verification, verify

_HOMES = {
    "Outcome": "outcome",
    "Outlook": "outlooks",
    "Policies": "policies",
    "Verification": "verifying",
    "apply": "service",
    "approve": "service",
    "cancel": "service",
    "evaluate": "service",
    "find": "outlooks",
    "freeze": "service",
    "lift": "service",
    "listed": "outlooks",
    "outlook": "outlooks",
    "override": "service",
    "reject": "service",
    "request": "service",
    "rollback": "service",
    "verify": "verifying",
    "withdraw": "service",
}

__all__ = [
    "Outcome",
    "Outlook",
    "Policies",
    "Verification",
    "apply",
    "approve",
    "cancel",
    "evaluate",
    "find",
    "freeze",
    "lift",
    "listed",
    "outlook",
    "override",
    "reject",
    "request",
    "rollback",
    "verify",
    "withdraw",
]

__getattr__, __dir__ = contents(__name__, _HOMES)
