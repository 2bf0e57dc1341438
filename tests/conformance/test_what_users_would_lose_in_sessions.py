"""Where other plugins were seen to lose records, exit codes or time: one test each.

`docs/conformance.md` has the table.
"""

from __future__ import annotations

import textwrap
import time

import pytest

from evalkit.errors import StoreError
from evalkit.store import Store, open_store


def test_a_plain_assert_is_recorded_and_suites_do_not_share_a_metric(run_evals):
    """Row 8: tests that only assert left no record, and metrics of one name in two tests became one."""
    ran = run_evals("""
@evalkit.suite(dataset=rows(3))
def test_plain(case):
    assert case.input < 2

@evalkit.suite(dataset=rows(4), scorers=[same])
def test_right(case):
    return case.input

@evalkit.suite(dataset=rows(4), scorers=[same])
def test_wrong(case):
    return None
""")
    assert {suite.info.name: len(suite.trials) for suite in ran.run.suites} == {
        "test_plain": 3,
        "test_right": 4,
        "test_wrong": 4,
    }
    rates = {one.suite: one.value for one in ran.run.metrics if (one.name, one.statistic) == ("same", "rate")}
    assert rates == {"test_right": 1.0, "test_wrong": 0.0}


@pytest.mark.slow
def test_workers_make_one_run_and_not_one_each(run_evals, pytester):
    """Row 8: under xdist each worker made a run of its own."""
    ran = run_evals(
        """
@evalkit.suite(dataset=rows(6), scorers=[same], gates=["same >= 0.5"])
def test_it(case):
    return case.input
""",
        "-p", "xdist", "-n", "2", plugins=True, subprocess=True,
    )  # fmt: skip
    assert ran.result.ret == 0
    assert len(ran.suite.trials) == 6
    with open_store(pytester.path / ".evalkit" / "evalkit.db", read_only=True) as store:
        assert len(store.runs()) == 1


def test_a_crash_does_not_leave_an_older_run_to_be_graded_as_the_new_one(run_evals, pytester):
    """Row 9: a worker crashed, and the results file of the day before was graded as today's."""
    source = """
@evalkit.suite(dataset=rows(3), scorers=[same], gates=["same >= 0.5"])
def test_it(case):
    {body}
    return case.input
"""
    good = run_evals(source.format(body="pass"))
    assert good.result.ret == 0
    crashed = run_evals(source.format(body="import os; os._exit(70)"), subprocess=True)
    assert crashed.result.ret == 70
    with open_store(pytester.path / ".evalkit" / "evalkit.db", read_only=True) as store:
        newest = store.load(store.resolve("last"))
    assert newest.id != good.run.id
    assert newest.status != "complete"
    assert newest.is_partial
    assert newest.verdicts == ()


def test_a_store_that_cannot_be_had_is_not_reported_as_recorded(run_evals, pytester):
    """Row 10: "recorded 1 run" was printed with no server listening. Here no case runs that would be lost."""
    (pytester.path / "a-file").write_text("not a folder")
    ran = run_evals(
        """
@evalkit.suite(dataset=rows(3), scorers=[same], gates=["same >= 0.5"])
def test_it(case):
    return case.input
""",
        "--evalkit-store=sqlite:///a-file/evalkit.db",
    )
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "complete in" not in ran.text
    assert "a-file" in ran.result.stderr.str()


@pytest.mark.parametrize(("answer", "code"), [("case.input", 0), ("None", 1)])
def test_a_store_that_goes_away_changes_no_tests_outcome_and_is_said(run_evals, monkeypatch, answer, code):
    """Row 11: with the server away tests that pass failed."""

    def gone(*_, **__):
        raise StoreError("The server of the store went away.")

    monkeypatch.setattr(Store, "add_trials", gone)
    ran = run_evals(f"""
@evalkit.suite(dataset=rows(3), scorers=[same], gates=["same >= 0.5"])
def test_it(case):
    return {answer}
""")
    assert ran.result.ret == code
    told = " ".join(ran.text.split())
    assert "The server of the store went away." in told
    assert "evalkit ingest" in told


def test_repeats_go_on_after_one_of_them_failed(run_evals):
    """Row 11: repeats were a loop inside one item, which ended at the first that failed."""
    ran = run_evals("""
@evalkit.suite(dataset=rows(1), scorers=[same], repeat=3)
def test_it(case, evalkit):
    return None if evalkit.trial == 1 else case.input
""")
    assert ran.outcomes() == {"c0": "missed", "c0-t2": "passed", "c0-t3": "passed"}


def test_sessions_without_evals_pay_nothing_and_see_nothing(pytester):
    """Row 12: three seconds and a printed line were added to every pytest session."""
    pytester.makepyfile("""
import sys

def test_ordinary():
    ours = [name for name in sys.modules if name.split(".")[0] in ("evalkit", "evalkit_scorers", "evalkit_reports")]
    assert ours == []
""")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    assert "evalkit" not in "\\n".join(
        line for line in result.outlines if not line.startswith(("plugins:", "rootdir:"))
    )
    assert not (pytester.path / ".evalkit").exists()


@pytest.mark.parametrize(
    ("argument", "meant"), [("treshold=0.8", ""), ("gate=['same >= 0.5']", "gates"), ("repeats=3", "repeat")]
)
def test_a_misspelled_argument_is_not_passed_over(run_evals, argument, meant):
    """Row 13: `treshold` was accepted in silence, and the suite had none."""
    ran = run_evals(f"""
@evalkit.suite(dataset=rows(3), scorers=[same], {argument})
def test_it(case):
    return case.input
""")
    assert ran.result.ret in (2, 4)
    told = " ".join((ran.text + ran.result.stderr.str()).split())
    assert f'has no argument "{argument.split("=")[0]}"' in told
    assert f'Did you mean "{meant}"?' in told or not meant


def test_a_misspelled_setting_is_not_passed_over(run_evals, pytester):
    """Row 13, for settings."""
    pytester.makepyprojecttoml(
        textwrap.dedent("""
        [tool.evalkit]
        inconclusve = "warn"
    """)
    )
    ran = run_evals("""
@evalkit.suite(dataset=rows(3), scorers=[same])
def test_it(case):
    return case.input
""")
    assert ran.result.ret == 4
    assert "inconclusive" in " ".join((ran.text + ran.result.stderr.str()).split())


def test_no_tests_ran_is_not_a_success(run_evals):
    """Row 15: rewriting of exit codes hid that nothing had run."""
    ran = run_evals("""
@evalkit.suite(dataset=rows(3), scorers=[same], gates=["same >= 0.5"])
def test_it(case):
    return case.input
""", "-k", "nothing_is_called_this")  # fmt: skip
    assert ran.result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_file_that_cannot_be_collected_is_not_a_success(run_evals, pytester):
    """Row 15: nor a broken file beside a suite that passes."""
    pytester.makepyfile(test_broken="import nothing_that_there_is")
    ran = run_evals("""
@evalkit.suite(dataset=rows(3), scorers=[same], gates=["same >= 0.5"])
def test_it(case):
    return case.input
""")
    assert ran.result.ret == pytest.ExitCode.INTERRUPTED


def test_nobody_waits_for_a_limit_that_nobody_asked_for(run_evals):
    """Row 21: a limit of ten a second on local functions made 1,000 trivial cases take 57 seconds."""
    began = time.perf_counter()
    ran = run_evals("""
@evalkit.suite(dataset=rows(300), scorers=[same], gates=["same >= 1"])
def test_it(case):
    return case.input
""")
    assert ran.result.ret == 0
    assert time.perf_counter() - began < 20, "at ten a second it would have been 30"


def test_repeats_are_not_served_from_one_cached_answer(run_evals):
    """Row 16: with a cache on, repeats were one answer told several times, and looked as if nothing ever varied."""
    httpx2 = pytest.importorskip("httpx2")
    from evalkit.testing import serve

    assert httpx2
    with serve(lambda call: f"answer {call.number}") as server:
        source = f"""
import httpx2

@evalkit.suite(dataset=rows(2), scorers=[same], repeat=3)
def test_it(case):
    said = {{"model": "scripted-a", "messages": [{{"role": "user", "content": str(case.input)}}]}}
    answer = httpx2.post({server.url!r} + "/chat/completions", json=said)
    return answer.json()["choices"][0]["message"]["content"]
"""
        seen = []
        for _ in range(2):
            ran = run_evals(source, "--evalkit-cache", "read-write")
            seen.append({(trial.case_id, trial.number): trial.output.value for trial in ran.suite.trials})
        assert len(server.calls) == 6
    assert len(set(seen[0].values())) == 6
    assert seen[1] == seen[0]
