"""One exit code follows from the verdicts, for every command alike."""

from __future__ import annotations

import pytest

from evalkit.gates import exit_code
from evalkit.runs import Verdict


def _verdicts(*decided):
    return [Verdict(suite="s", gate=gate, decision=decision) for gate, decision in decided]


QUALITY, ERRORS = "accuracy >= 0.9", "errors <= 5%"


@pytest.mark.parametrize(
    ("decided", "code"),
    [
        ([(QUALITY, "pass"), (ERRORS, "pass")], 0),
        ([(QUALITY, "fail"), (ERRORS, "pass")], 1),
        ([(QUALITY, "inconclusive"), (ERRORS, "pass")], 3),
        ([(QUALITY, "pass"), (ERRORS, "fail")], 4),
        ([(QUALITY, "inconclusive"), (ERRORS, "fail")], 4),
        ([(QUALITY, "fail"), (ERRORS, "fail")], 1),
        ([(QUALITY, "inconclusive"), (QUALITY, "fail")], 1),
        ([(QUALITY, "pass"), (ERRORS, "inconclusive")], 3),
        ([], 2),
    ],
)
def test_fail_dominates_errors_and_errors_dominate_undecided(decided, code):
    assert exit_code(_verdicts(*decided)) == code
    assert exit_code(_verdicts(*reversed(decided))) == code


def test_a_gate_of_another_version_that_fails_is_a_fail():
    assert exit_code(_verdicts(("accuracy ~ 0.9 over 3 moons", "fail"))) == 1


@pytest.mark.parametrize("how", ["warn", "pass"])
def test_undecided_may_be_let_through_and_a_fail_never(how):
    undecided = _verdicts((QUALITY, "inconclusive"))
    assert exit_code(undecided, on_inconclusive=how) == 0
    assert exit_code(undecided + _verdicts((QUALITY, "fail")), on_inconclusive=how) == 1
    own = [Verdict(suite="s", gate=QUALITY, decision="inconclusive", on_inconclusive=how)]
    assert exit_code(own) == 0
    assert exit_code(own, on_inconclusive="fail") == 3
