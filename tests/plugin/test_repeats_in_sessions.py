"""Repeats and clusters in a session: which trial this is, gates on them, and what the terminal says."""

from __future__ import annotations

import pytest

FLAKY = """
@evalkit.suite(dataset=rows(20), scorers=[same], gates=GATES, repeat=3)
ASYNCdef test_it(case, evalkit):
    return None if case.input in (4, 7) and evalkit.trial == 2 else case.input
"""


def flaky(*gates: str, kind: str = "async") -> str:
    return FLAKY.replace("GATES", repr(list(gates))).replace("ASYNC", "async " if kind == "async" else "")


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_a_body_knows_which_trial_it_is(run_evals, kind):
    ran = run_evals(flaky("same >= 0.9", kind=kind))
    assert ran.result.ret == 0
    missed = {(trial.case_id, trial.number) for trial in ran.run.suites[0].trials if trial.outcome == "missed"}
    assert missed == {("c4", 2), ("c7", 2)}


def test_the_trial_is_the_same_where_only_some_are_selected(run_evals):
    ran = run_evals(flaky("pass^3 >= 1"), "-k", "c4-t2 or c7-t3")
    found = {(trial.case_id, trial.number): trial.outcome for trial in ran.run.suites[0].trials}
    assert found == {("c4", 2): "missed", ("c7", 3): "passed"}


def test_a_test_that_is_no_suite_is_trial_one(run_evals):
    ran = run_evals("def test_by_hand(evalkit):\n    evalkit.score('number', evalkit.trial)\n")
    assert ran.result.ret == 0
    assert ran.run.suites[0].trials[0].scores[0].value == 1


def test_gates_on_repeats_decide_a_session(run_evals):
    ran = run_evals(flaky("pass^3 >= 0.9", "pass@3 >= 1", "flake_rate <= 0.05", "same.majority >= 1"))
    assert ran.result.ret == 1
    found = {verdict.gate: (verdict.decision, verdict.observed) for verdict in ran.run.verdicts}
    assert found["pass^3 >= 0.9"] == ("pass", 0.9)
    assert found["pass@3 >= 1"] == ("pass", 1.0)
    assert found["flake_rate <= 0.05"] == ("fail", pytest.approx(2 / 30))
    assert found["majority(same) >= 1"] == ("pass", 1.0)
    ran.result.stdout.fnmatch_lines(["*2 of 20 cases are flaky (c4, c7)*"])


def test_pass_power_without_repeats_enough_is_refused_before_anything_runs(run_evals):
    ran = run_evals(flaky("pass^5 >= 0.9"))
    assert ran.result.ret == 4
    ran.result.stderr.fnmatch_lines(["*pass^5 takes at least 5 trials of every case, and the suite runs each 3 times*"])


CLUSTERED = """
@evalkit.suite(
    dataset=[Case(id=f"c{i}", input=i, expected=i, metadata={"doc": i // 5}) for i in range(60)],
    scorers=[same], gates=["same >= 0.5 @ 95%"], cluster=KEY,
)
def test_it(case):
    return None if case.input < 15 else case.input
"""


def test_cases_of_one_document_count_as_one(run_evals):
    ran = run_evals(CLUSTERED.replace("KEY", '"doc"'))
    assert ran.result.ret == 1
    verdict = ran.run.verdicts[0]
    assert (verdict.decision, verdict.method) == ("inconclusive", "Korn-Graubard")
    assert ran.run.suites[0].info.cluster == "doc"
    assert run_evals(CLUSTERED.replace("KEY", "None")).result.ret == 0


def test_a_cluster_key_that_the_cases_lack_is_named(run_evals):
    ran = run_evals(CLUSTERED.replace("KEY", '"docs"'))
    assert ran.result.ret == 4
    ran.result.stderr.fnmatch_lines(['*cluster="docs" is no metadata key of 60 of 60 cases*Did you mean "doc"*'])


def test_evidence_from_few_clusters_is_refused_before_anything_runs(run_evals):
    ran = run_evals(CLUSTERED.replace("KEY", '"doc"').replace("i // 5", "i // 10"))
    assert ran.result.ret == 4
    ran.result.stderr.fnmatch_lines(["*evidence takes at least 10 clusters of cases, and there are 6*"])
