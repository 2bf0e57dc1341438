"""The exit code of a command that judges: the same for every caller, from the verdicts alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from evalkit.errors import GateError
from evalkit.gates.parser import parse
from evalkit.runs import Verdict

PASS, FAIL, USAGE, INCONCLUSIVE, ERRORS = 0, 1, 2, 3, 4


def exit_code(verdicts: Sequence[Verdict], *, on_inconclusive: Literal["fail", "warn", "pass"] | None = None) -> int:
    """0 all pass · 1 a gate fails · 2 there is no gate at all · 3 some are undecided · 4 too many trials errored.

    A failing gate dominates too many errors, and these dominate what is undecided: missing values are what errors
    leave behind. `on_inconclusive` is used for all gates if given, else each verdict's own; with `warn` or `pass`
    an undecided gate does not count.
    """
    if not verdicts:
        return USAGE
    failed = [verdict for verdict in verdicts if verdict.decision == "fail"]
    if not all(_is_on_errors(verdict) for verdict in failed):
        return FAIL
    if failed:
        return ERRORS
    for verdict in verdicts:
        if verdict.decision == "inconclusive" and (on_inconclusive or verdict.on_inconclusive) == "fail":
            return INCONCLUSIVE
    return PASS


def _is_on_errors(verdict: Verdict) -> bool:
    try:
        return parse(verdict.gate).metric == "errors"
    except GateError:  # a stored gate of a grammar that this version does not read
        return False
