"""Suites that end once their gates are decided: what is run, what is skipped, what is said of it."""

from __future__ import annotations

import json

import pytest

from evalkit.cli.app import run as run_command_line
from evalkit.gates import recompute

BAD = """
@evalkit.suite(dataset=rows(200), scorers=[same], gates=["same >= 0.9"], stop={stop!r}, max_concurrency=4{more})
async def test_it(case):
    await asyncio.sleep(0.001 * (case.input % 3))
    return case.input if case.input % 2 else None
"""
GOOD = BAD.replace("case.input if case.input % 2 else None", "case.input")


def bad(stop, more=""):
    return BAD.format(stop=stop, more=more)


def good(stop, more=""):
    return GOOD.format(stop=stop, more=more)


@pytest.fixture
def cli(pytester, capsys):
    """Run a command of ours in the inner project; gives its exit code and what it wrote."""

    def call(*arguments):
        capsys.readouterr()
        code = run_command_line([*arguments, "--store", str(pytester.path / ".evalkit" / "evalkit.db")])
        return code, capsys.readouterr().out

    return call


def test_a_suite_that_must_fail_ends_early_and_says_so(run_evals):
    ran = run_evals(bad("decided"), "-rs")
    at = ran.suite.info.stop.at
    done = len(ran.suite.trials)
    assert 20 < at < 80
    assert at <= done < 200
    counts = ran.result.parseoutcomes()
    assert counts["skipped"] == 200 - done
    assert counts["passed"] + counts["missed"] == done
    assert ran.run.status == "complete"
    assert ran.suite.info.selection == f"stopped at {at} of 200 (decided)"
    assert ran.run.is_partial
    assert f"Partial (stopped at {at} of 200 (decided)): {done} of 200 trials were run" in ran.text
    assert ran.text.count("SKIPPED") == 1, "one reason for all, not a line for each"
    assert f"SKIPPED [{200 - done}] test_inner.py" in ran.text
    assert "same: partial, biased by stopping" in ran.text
    assert ran.result.ret == 1
    verdict = next(verdict for verdict in ran.run.verdicts if verdict.gate == "same >= 0.9")
    assert verdict.decision == "fail"


def test_what_ran_is_the_first_of_the_order_and_nothing_else(run_evals):
    from evalkit.stats.sequential import shuffled

    ran = run_evals(bad("anytime"), "-p", "no:cacheprovider")
    names = [f"c{n}" for n in range(200)]
    order = [names[place] for place in shuffled(names, 0)]
    done = {trial.case_id for trial in ran.suite.trials}
    assert set(order[: len(done)]) == done
    assert ran.suite.info.stop.at <= len(done) < 60


def test_a_good_suite_passes_early_anytime_and_not_when_it_must_be_certain(run_evals):
    ran = run_evals(good("anytime"))
    assert ran.result.ret == 0
    assert len(ran.suite.trials) < 130
    assert {verdict.decision for verdict in ran.run.verdicts} == {"pass"}
    verdict = ran.run.verdicts[0]
    assert f"Stopped at {ran.suite.info.stop.at}/200" in verdict.reason
    assert recompute(verdict) == verdict


def test_the_setting_wins_over_the_suite(run_evals):
    assert len(run_evals(bad("decided"), "--evalkit-stop", "never").suite.trials) == 200
    assert run_evals(bad("never"), "--evalkit-stop", "decided").suite.info.stop.at is not None


def test_a_suite_that_is_not_told_to_stop_keeps_its_order_and_runs_to_the_end(run_evals):
    ran = run_evals(bad(None), "-v")
    assert len(ran.suite.trials) == 200
    assert ran.suite.info.stop is None
    assert ran.text.index("test_it[c0]") < ran.text.index("test_it[c1]") < ran.text.index("test_it[c2]")


def test_repeats_of_a_case_stay_together(run_evals):
    ran = run_evals(bad("decided", ", repeat=2").replace("rows(200)", "rows(40)"), "--collect-only", "-q")
    items = [line.split("[")[1].rstrip("]") for line in ran.text.splitlines() if "test_it[" in line]
    assert len(items) == 80
    assert items[0].removesuffix("-t2") != "c0" or items[2] != "c1"
    assert all(second == f"{first}-t2" for first, second in zip(items[::2], items[1::2], strict=True))


def test_items_of_other_tests_keep_their_places(run_evals):
    ran = run_evals(
        "def test_before(): pass\n" + bad("decided").replace("rows(200)", "rows(6)") + "\ndef test_after(): pass\n",
        "--collect-only",
        "-q",
    )
    lines = [line for line in ran.text.splitlines() if "::" in line]
    assert lines[0].endswith("test_before")
    assert lines[-1].endswith("test_after")
    assert [line.split("[")[1] for line in lines[1:-1]] != [f"c{n}]" for n in range(6)]


def test_the_next_suite_and_wider_fixtures_are_set_up_and_torn_down_as_ever(run_evals, pytester):
    pytester.makepyfile(
        test_second="""
import evalkit
@evalkit.suite(dataset=[evalkit.Case(id="one", input=1)], scorers=[])
def test_more(case):
    return case.input
"""
    )
    source = """
@pytest.fixture(scope="module")
def shared():
    print("module up")
    yield
    with open("down", "a") as file:
        file.write("module down\\n")
""" + bad("decided").replace("(case)", "(case, shared)")
    ran = run_evals(source)
    assert ran.result.ret == 1
    assert (pytester.path / "down").read_text() == "module down\n"
    assert {suite.info.name for suite in ran.run.suites} == {"test_it", "test_more"}
    assert ran.run.suite("test_more").trials[0].outcome == "passed"


def test_one_at_a_time(run_evals):
    ran = run_evals(bad("anytime").replace("max_concurrency=4", "max_concurrency=1"))
    assert len(ran.suite.trials) == ran.suite.info.stop.at < 30


def test_a_stopped_run_is_no_baseline_and_the_stored_run_gives_the_same_verdict(run_evals, cli):
    for stop in ("decided", "anytime"):
        ran = run_evals(bad(stop))
        code, out = cli("gate", "last", "--json")
        found = json.loads(out)
        assert [(gate["text"], gate["verdict"], gate["reason"], gate["interval"]) for gate in found["gates"]] == [
            (
                verdict.gate,
                verdict.decision,
                verdict.reason,
                None if verdict.low is None else [verdict.low, verdict.high],
            )
            for verdict in ran.run.verdicts
        ]
        assert code == 1
    _, shown = cli("show", "last")
    assert "complete, partial" in shown
    assert "stopped at" in shown
    shape = json.loads(cli("show", "last", "--json")[1])["run"]["suites"][0]
    assert shape["partial"] is True
    assert shape["selection"].startswith("stopped at")
    refused = run_evals(good("never"), "--evalkit-baseline", "last")
    assert refused.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "cannot be a baseline: it is partial" in refused.result.stderr.str() + refused.text


def test_a_suite_compared_with_a_baseline_runs_to_its_end(run_evals):
    run_evals(good("never"))
    ran = run_evals(bad("decided"), "--evalkit-baseline", "last")
    assert len(ran.suite.trials) == 200
    assert not ran.run.is_partial
    assert "It could not stop early (stop = decided): the run is compared with a baseline" in " ".join(ran.text.split())


def test_a_gate_that_only_the_end_decides_keeps_the_suite_running_and_is_named_once(run_evals):
    ran = run_evals(bad("decided").replace('["same >= 0.9"]', '["same >= 0.9", "p95(latency) <= 9s"]'))
    assert len(ran.suite.trials) == 200
    text = " ".join(ran.text.split())
    assert text.count("could not stop early") == 1
    assert "the gate p95(latency) <= 9s is decided by all its cases only" in text


def test_under_xdist_every_case_runs_and_it_is_said(run_evals):
    ran = run_evals(
        bad("decided"), "-n", "2", "-p", "xdist", "-p", "no:asyncio", "-p", "no:anyio", "-p", "no:randomly",
        plugins=True, subprocess=True,
    )  # fmt: skip
    assert len(ran.suite.trials) == 200
    assert not ran.run.is_partial
    assert "could not stop early (stop = decided): under pytest-xdist" in " ".join(ran.text.split())


def test_a_sample_may_stop_too(run_evals):
    ran = run_evals(bad("decided"), "--evalkit-sample", "40")
    assert ran.suite.info.selection.startswith("sample 40; stopped at ")
    assert len(ran.suite.trials) < 40


def test_skipped_cases_do_not_hold_the_order_up(run_evals):
    ran = run_evals(
        bad("decided").replace("await asyncio", "case.input % 5 or pytest.skip('not today')\n    await asyncio")
    )
    assert ran.suite.info.stop.at is not None


def test_a_wrong_word_is_refused(run_evals):
    ran = run_evals(bad("decide"))
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    assert 'stop is "never", "decided" or "anytime", not \'decide\'. Did you mean "decided"?' in (
        ran.result.stderr.str() + ran.text
    )


def test_lf_still_knows_cases_that_failed_before_and_were_not_run_now(run_evals, pytester):
    run_evals(bad("never"))
    file = pytester.path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    before = set(json.loads(file.read_text()))
    assert len(before) == 100, "cases, and no gate"
    ran = run_evals(bad("decided"))
    assert len(ran.suite.trials) < 100
    after = set(json.loads(file.read_text()))
    assert after == before
