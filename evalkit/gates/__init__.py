"""Gates: rules over the records of a run, and the verdicts they give.

`parse` reads a line, `check` refuses what can never pass before anything runs, `judge` decides, `recompute` decides
again from a recorded verdict, and `exit_code` is the one code that follows. Names are loaded when they are first used,
so that a session without gates does not pay for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.contents import contents

if TYPE_CHECKING:
    from evalkit.gates.checking import check
    from evalkit.gates.comparable import require
    from evalkit.gates.early import Watch
    from evalkit.gates.exits import exit_code
    from evalkit.gates.gate import Baseline, Gate
    from evalkit.gates.judging import DEFAULT_ERRORS, judge, recompute, with_defaults
    from evalkit.gates.parser import parse
    from evalkit.gates.versus import Reference

_HOMES = {
    "DEFAULT_ERRORS": "judging",
    "Baseline": "gate",
    "Gate": "gate",
    "Reference": "versus",
    "Watch": "early",
    "check": "checking",
    "exit_code": "exits",
    "judge": "judging",
    "parse": "parser",
    "recompute": "judging",
    "require": "comparable",
    "with_defaults": "judging",
}

__all__ = [
    "DEFAULT_ERRORS",
    "Baseline",
    "Gate",
    "Reference",
    "Watch",
    "check",
    "exit_code",
    "judge",
    "parse",
    "recompute",
    "require",
    "with_defaults",
]

__getattr__, __dir__ = contents(__name__, _HOMES)
