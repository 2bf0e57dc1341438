"""A session compared with an earlier one: found at the start, refused with a reason, judged at the end."""

from __future__ import annotations

import json

import pytest

from evalkit.cli.app import run as evalkit
from evalkit.store import open_store

GATED = """
@evalkit.suite(dataset=rows(CASES), scorers=[same], gates=GATES)
def test_it(case):
    return None if case.input in MISSES else case.input
"""
NO_REGRESSION = "same no regression vs baseline"


def source(*gates: str, misses: tuple[int, ...] = (), cases: int = 40) -> str:
    text = GATED.replace("GATES", repr(list(gates))).replace("MISSES", repr(misses))
    return text.replace("CASES", str(cases))


def test_a_session_is_judged_against_an_earlier_one(run_evals):
    base = run_evals(source(misses=(1,)))
    ran = run_evals(source(NO_REGRESSION, misses=tuple(range(20))), "--evalkit-baseline=last")
    assert ran.result.ret == 1
    verdict = ran.run.verdicts[0]
    assert (verdict.decision, verdict.method) == ("fail", "Tango")
    assert verdict.inputs["baseline"] == base.run.id
    assert "worse than the baseline" in " ".join(ran.text.split())
    ran.result.stdout.fnmatch_lines(["*vs baseline*", "same *-0.475 *no regression vs baseline  FAIL"])


def test_the_difference_is_shown_without_a_gate_on_it(run_evals):
    run_evals(source(misses=(1,)))
    ran = run_evals(source(misses=(2, 3)), "--evalkit-baseline=test_it@last")
    assert "vs baseline (paired)" in ran.text
    ran.result.stdout.fnmatch_lines(["same*-0.025 (-0.15,+0.098) 1*2*"])


def test_a_gate_without_a_baseline_is_refused_before_anything_runs(run_evals):
    ran = run_evals(source(NO_REGRESSION))
    assert ran.result.ret == 4
    assert ran.run is None
    for said in ("compares with a baseline, and none was named", "test_inner.py:", "--evalkit-baseline=RUN"):
        assert said in " ".join(ran.text.split()) or said in " ".join(ran.result.stderr.str().split())


def refusal(ran):
    assert ran.result.ret == 4
    return " ".join((ran.text + ran.result.stderr.str()).split())


def test_a_partial_run_is_no_baseline(run_evals):
    run_evals(source(), "--evalkit-sample=10")
    said = refusal(run_evals(source(NO_REGRESSION), "--evalkit-baseline=last"))
    assert "cannot be a baseline: it is partial: of test_it only 10 of 40 trials were selected (sample 10)" in said


def test_a_run_that_did_not_end_is_no_baseline(run_evals, pytester: pytest.Pytester):
    run_evals(source(misses=(1,)), "-x")
    with open_store(pytester.path / ".evalkit" / "evalkit.db") as store:
        store.start_run(store.resolve("last"), started_at=store.runs()[0].started_at, provenance=_nothing(), seed=0)
    said = refusal(run_evals(source(NO_REGRESSION), "--evalkit-baseline=last"))
    assert "cannot be a baseline: it has not finished" in said or "it was interrupted" in said


def _nothing():
    from evalkit.runs import Provenance

    return Provenance()


def test_another_version_of_the_dataset_is_refused_before_anything_runs(run_evals):
    base = run_evals(source(cases=39))
    ran = run_evals(source(NO_REGRESSION), "--evalkit-baseline=last")
    assert "the datasets are two versions" in refusal(ran)
    assert ran.run.id == base.run.id


def test_a_baseline_that_does_not_exist(run_evals):
    run_evals(source())
    assert "nope" in refusal(run_evals(source(), "--evalkit-baseline=nope"))


def test_a_baseline_without_the_suite(run_evals, pytester: pytest.Pytester):
    run_evals(source().replace("test_it", "test_other"))
    assert 'has no suite "test_it"' in refusal(run_evals(source(NO_REGRESSION), "--evalkit-baseline=last"))
    assert run_evals(source(), "--evalkit-baseline=last").result.ret == 0


def test_too_few_cases_are_refused_with_the_number_it_takes(run_evals):
    run_evals(source())
    said = refusal(run_evals(source("same not worse than baseline by 0.02 @ 95%"), "--evalkit-baseline=last"))
    assert "needs at least 189 cases even if not one of them changes, and the suite has 40" in said
    assert "widen the margin to 0.089" in said


def test_a_hand_written_eval_is_compared_too(run_evals):
    text = """
def test_by_hand(evalkit):
    evalkit.score("polite", VALUE)
"""
    gate = "--evalkit-gate=polite no regression vs baseline"
    run_evals(text.replace("VALUE", "1"))
    said = refusal(run_evals(text.replace("VALUE", "1"), gate))
    assert "none was named" in said
    ran = run_evals(text.replace("VALUE", "1"), gate, "--evalkit-baseline=last")
    assert next(verdict.gate for verdict in ran.run.verdicts) == "polite no regression vs baseline"


def gate_again(pytester, monkeypatch, capsys, *arguments):
    monkeypatch.chdir(pytester.path)
    capsys.readouterr()
    code = evalkit(["gate", *arguments])
    return code, capsys.readouterr()


def test_a_stored_run_that_failed_is_not_its_own_baseline_when_it_is_judged_again(
    run_evals, pytester, monkeypatch, capsys
):
    base = run_evals(source())
    bad = run_evals(source(NO_REGRESSION, misses=tuple(range(20))), "--evalkit-baseline=last")
    run_evals(source(misses=tuple(range(20))))  # a later run, which is no baseline of an earlier one either
    code, shown = gate_again(pytester, monkeypatch, capsys, bad.run.id, "--baseline", "last", "--json")
    found = json.loads(shown.out)["gates"][0]
    assert (code, found["verdict"], found["observed"]) == (1, "fail", bad.run.verdicts[0].observed)
    code, shown = gate_again(pytester, monkeypatch, capsys, bad.run.id, "--baseline", bad.run.id)
    assert code == 2
    assert "cannot be its own baseline" in shown.err
    code, shown = gate_again(
        pytester, monkeypatch, capsys, bad.run.id, "--baseline", bad.run.id, "--gate", "same >= 0.9"
    )
    assert (code, shown.err) == (1, ""), "a gate that compares with nothing has no need of another run"
    code, shown = gate_again(pytester, monkeypatch, capsys, base.run.id, "--baseline", "last", "--gate", NO_REGRESSION)
    assert code == 2
    assert "0 runs that began before" in shown.err


def test_a_session_that_goes_on_has_the_baseline_that_it_began_with(run_evals, pytester):
    base = run_evals(source())
    text = source(NO_REGRESSION).replace("def test_it(case):", "def test_it(case):\n    if case.input == 7: BREAK")
    flags = ("--evalkit-baseline=last", "--evalkit-max-concurrency=1")
    broken = run_evals(text.replace("BREAK", "raise KeyboardInterrupt"), *flags, subprocess=True)
    assert broken.run.status == "interrupted"
    resumed = run_evals(text.replace("BREAK", "pass"), *flags, "--evalkit-resume=last")
    assert resumed.result.ret == 0, resumed.text
    assert resumed.run.id == broken.run.id
    assert resumed.run.verdicts[0].inputs["baseline"] == base.run.id


@pytest.mark.parametrize("late", ["gw1 collects late", "a worker takes the place of one that died"])
def test_workers_do_not_take_their_own_run_for_the_last_one(run_evals, pytester, late):
    base = run_evals(source())
    pytester.makeconftest(
        """
import time

def pytest_collection_modifyitems(config):
    if getattr(config, "workerinput", {}).get("workerid") == "gw1":
        time.sleep(1)
"""
        if late == "gw1 collects late"
        else ""
    )
    text = source(NO_REGRESSION)
    if late != "gw1 collects late":
        died = "import os, pathlib\n    if case.input == 7 and not pathlib.Path('died').exists():\n        pathlib.Path('died').touch(); os._exit(1)"
        text = text.replace("def test_it(case):", f"def test_it(case):\n    {died}")
    spread = ("-n2", "-p", "xdist", "-p", "no:asyncio", "-p", "no:anyio", "-p", "no:hypothesispytest")
    ran = run_evals(text, "--evalkit-baseline=last", *spread, plugins=True, subprocess=True)
    assert ran.result.ret == 0, ran.text
    assert ran.run.verdicts[0].inputs["baseline"] == base.run.id != ran.run.id


@pytest.mark.slow
def test_under_xdist_last_is_the_run_before_this_one(run_evals):
    base = run_evals(source())
    ran = run_evals(source(NO_REGRESSION, misses=(1,)), "--evalkit-baseline=last", "-n2", plugins=True, subprocess=True)
    assert ran.result.ret == 0
    assert ran.run.verdicts[0].inputs["baseline"] == base.run.id != ran.run.id
