"""Gates on F1, Matthews' correlation and kappa in a session: decided, refused before a case, and against a baseline."""

from __future__ import annotations

import sys

import numpy  # noqa: F401 - pytester forgets what an inner session imports first, and numpy cannot be loaded twice
import scipy  # noqa: F401

SUITE = """
from evalkit_scorers import label_match

LABELS = ("refund", "order", "other")
ROWS = [{{"id": f"c{{i}}", "input": i, "expected": LABELS[i % 3]}} for i in range({cases})]

@evalkit.suite(dataset=ROWS, scorers=[label_match()], gates={gates!r})
def test_intents(case):
    return LABELS[(case.input + (case.input % {every} == 0)) % 3]
"""


def suite(*gates: str, cases: int = 60, every: int = 12) -> str:
    return SUITE.format(cases=cases, gates=list(gates), every=every)


def test_the_figures_stand_in_the_table_with_their_intervals(run_evals):
    ran = run_evals(suite("label_match.f1 >= 0.7 @ 95%", "label_match.kappa >= 0.5", "label_match.mcc >= 0.99"))
    assert ran.result.ret == 1
    decided = {verdict.gate: verdict.decision for verdict in ran.run.verdicts}
    assert decided["label_match.f1 >= 0.7 @ 95%"] == "pass"
    assert decided["label_match.kappa >= 0.5"] == "pass"
    assert decided["label_match.mcc >= 0.99"] == "fail"
    assert "label_match.f1" in ran.text
    told = " ".join(ran.text.split())
    assert "Matthews' correlation of label_match is" in told


def test_evidence_on_too_few_cases_runs_nothing(run_evals):
    ran = run_evals(suite("label_match.f1 >= 0.5 @ 95%", cases=29))
    assert ran.result.ret == 4
    assert ran.run is None
    assert "it needs at least 30 cases, and the suite has 29" in " ".join(ran.result.stderr.str().split())


def test_without_scipy_evidence_runs_nothing_and_says_what_to_install(run_evals, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    ran = run_evals(suite("label_match.f1 >= 0.5 @ 95%"))
    assert ran.result.ret == 4
    assert "pip install 'pytest-evalkit[stats]'" in ran.result.stderr.str()
    assert run_evals(suite("label_match.f1 >= 0.5")).result.ret == 0


def test_a_classifier_that_got_worse_is_a_regression(run_evals):
    before = run_evals(suite("label_match >= 0"))
    again = run_evals(suite("label_match.f1 no regression vs baseline"), f"--evalkit-baseline={before.run.id}")
    assert again.result.ret == 0
    assert "The two are equivalent within" in " ".join(again.text.split())
    worse = run_evals(suite("label_match.f1 no regression vs baseline", every=2), f"--evalkit-baseline={before.run.id}")
    assert worse.result.ret == 1
    assert "It is worse than the baseline, even after allowing for chance." in " ".join(worse.text.split())
