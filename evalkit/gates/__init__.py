"""Gates: rules over the records of a run, and the verdicts they give.

`parse` reads a line, `check` refuses what can never pass before anything runs, `judge` decides, `recompute` decides
again from a recorded verdict, and `exit_code` is the one code that follows.
"""

from evalkit.gates.check import check
from evalkit.gates.comparable import require
from evalkit.gates.early import Watch
from evalkit.gates.exits import exit_code
from evalkit.gates.gate import Baseline, Gate
from evalkit.gates.judging import DEFAULT_ERRORS, judge, recompute, with_defaults
from evalkit.gates.parser import parse
from evalkit.gates.versus import Reference

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
