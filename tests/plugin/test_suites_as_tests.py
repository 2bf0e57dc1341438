"""A suite is a pytest test: items, ids, selection, outcomes."""

from __future__ import annotations

SUITE = """
@evalkit.suite(dataset=rows(4), scorers=[same])
async def test_it(case):
    return case.input if case.input != 2 else "wrong"
"""


def test_each_case_is_an_item_and_decides_for_itself_without_gates(run_evals):
    ran = run_evals(SUITE, "-v")
    ran.result.assert_outcomes(passed=3, failed=1)
    ran.result.stdout.fnmatch_lines(["*test_it?c0? PASSED*", "*test_it?c2? FAILED*"])
    assert ran.outcomes() == {"c0": "passed", "c1": "passed", "c2": "missed", "c3": "passed"}
    assert ran.result.ret == 1


def test_a_miss_shows_input_output_expected_and_the_score(run_evals):
    ran = run_evals(SUITE)
    ran.result.stdout.fnmatch_lines(["c2 missed:", "  same = 0", "  input:    2", "  output:   wrong", "  expected: 2"])
    assert "Traceback" not in ran.text


def test_def_and_methods_and_async_work(run_evals):
    ran = run_evals("""
class TestThings:
    word = "w"
    @evalkit.suite(dataset=rows(2), scorers=[same])
    def test_plain(self, case):
        assert self.word == "w"
        return case.input
    @evalkit.suite(dataset=rows(2), scorers=[same])
    async def test_async(self, case):
        await asyncio.sleep(0)
        assert self.word == "w"
        return case.input
""")
    ran.result.assert_outcomes(passed=4)


def test_repeats_are_items_of_their_own(run_evals):
    ran = run_evals(
        """
@evalkit.suite(dataset=rows(2), scorers=[same], repeat=3)
def test_it(case):
    return case.input
""",
        "-v",
    )
    ran.result.assert_outcomes(passed=6)
    assert list(ran.outcomes()) == ["c0", "c0-t2", "c0-t3", "c1", "c1-t2", "c1-t3"]
    assert ran.suite.info.repeat == 3
    ran.result.stdout.fnmatch_lines(["*test_it?c0? PASSED*", "*test_it?c0-t2? PASSED*"])


def test_the_repeat_flag_wins(run_evals):
    ran = run_evals(SUITE, "--evalkit-repeat", "2")
    assert len(ran.suite.trials) == 8


def test_users_parametrize_makes_one_suite_per_value(run_evals):
    ran = run_evals(
        """
@pytest.mark.parametrize("model", ["small", "large"])
@evalkit.suite(dataset=rows(2), scorers=[same])
def test_it(case, model):
    return case.input if model == "large" else None
""",
        "-v",
    )
    assert [suite.info.name for suite in ran.run.suites] == ["test_it[small]", "test_it[large]"]
    assert [len(suite.trials) for suite in ran.run.suites] == [2, 2]
    ran.result.stdout.fnmatch_lines(["*test_it?large-c1? PASSED*"])


def test_k_selects_and_the_run_says_it_is_partial(run_evals):
    ran = run_evals(SUITE, "-k", "c1 or c3")
    ran.result.assert_outcomes(passed=2, deselected=2)
    assert ran.suite.info.is_partial
    assert ran.suite.info.selection == "-k c1 or c3"
    assert ran.run.is_partial
    assert list(ran.outcomes()) == ["c1", "c3"]
    assert [case.id for case in ran.suite.cases] == ["c1", "c3"]


def test_k_that_leaves_out_no_case_of_a_suite_leaves_it_whole(run_evals):
    """Who picks one suite of several by its name has run all of it: it may be a baseline."""
    ran = run_evals(SUITE, "-k", "test_it")
    assert ran.suite.info.selection is None
    assert not ran.run.is_partial
    assert "no baseline" not in ran.result.stdout.str()


def test_a_node_id_selects_one_case(run_evals, pytester):
    run_evals(SUITE)
    ran = run_evals(SUITE, "test_inner.py::test_it[c1]")
    ran.result.assert_outcomes(passed=1)
    assert ran.suite.info.is_partial


def test_lf_runs_the_case_that_failed(run_evals):
    run_evals(SUITE)
    ran = run_evals(SUITE, "--lf")
    ran.result.assert_outcomes(failed=1)
    assert list(ran.outcomes()) == ["c2"]


def test_collect_only_lists_and_stores_nothing(run_evals):
    ran = run_evals(SUITE, "--collect-only", "-q")
    ran.result.stdout.fnmatch_lines(["test_inner.py::test_it?c0?", "test_inner.py::test_it?c3?"])
    assert ran.run is None


def test_durations_are_those_of_the_bodies(run_evals):
    ran = run_evals(
        """
@evalkit.suite(dataset=rows(3), scorers=[same])
async def test_it(case):
    await asyncio.sleep(0.3 if case.input == 1 else 0)
    return case.input
""",
        "--durations=1",
        "-vv",
    )
    ran.result.stdout.re_match_lines([r"0\.3\ds call .*test_it\[c1\]"])


def test_sample_takes_the_same_cases_for_the_same_seed(run_evals):
    source = """
@evalkit.suite(dataset=rows(50), scorers=[same])
def test_it(case):
    return case.input
"""
    first = run_evals(source, "--evalkit-sample", "5")
    second = run_evals(source, "--evalkit-sample", "5")
    other = run_evals(source, "--evalkit-sample", "5", "--evalkit-seed", "7")
    assert len(first.suite.trials) == 5
    assert list(first.outcomes()) == list(second.outcomes()) != list(other.outcomes())
    assert first.suite.info.selection == "sample 5"


def test_off_leaves_suites_out(run_evals):
    ran = run_evals(SUITE + "\ndef test_other():\n    pass\n", "--evalkit-off")
    ran.result.assert_outcomes(passed=1)
    assert ran.run is None


def test_skips_and_xfails_keep_their_meaning(run_evals):
    ran = run_evals("""
@evalkit.suite(dataset=rows(3), scorers=[same])
def test_it(case):
    if case.input == 1:
        pytest.skip("not today")
    return case.input

@pytest.mark.xfail(reason="known")
@evalkit.suite(dataset=rows(1), scorers=[same])
async def test_known(case):
    raise ValueError("known")

@pytest.mark.skip
@evalkit.suite(dataset=rows(2), scorers=[same])
def test_never(case):
    raise AssertionError
""")
    ran.result.assert_outcomes(passed=2, skipped=3, xfailed=1)
    assert [len(suite.trials) for suite in ran.run.suites] == [2, 1, 0]


def test_nothing_scored_does_not_pass(run_evals):
    ran = run_evals("""
def quiet(output):
    return None

@evalkit.suite(dataset=rows(2), scorers=[quiet])
def test_it(case):
    return case.input
""")
    ran.result.assert_outcomes(failed=2)
    assert set(ran.outcomes().values()) == {"unscored"}


def test_a_scorer_that_raises_fails_the_item_and_keeps_its_traceback(run_evals):
    ran = run_evals("""
def broken(output):
    raise KeyError("no such thing")

@evalkit.suite(dataset=rows(1), scorers=[same, broken])
def test_it(case):
    return case.input
""")
    ran.result.assert_outcomes(failed=1)
    (trial,) = ran.suite.trials
    assert [(score.name, score.status) for score in trial.scores] == [("same", "scored"), ("broken", "error")]
    ran.result.stdout.fnmatch_lines(["*broken = error: KeyError*", "*KeyError: 'no such thing'*"])


def test_scorers_may_return_anything_of_the_contract(run_evals):
    ran = run_evals("""
def as_bool(output): return True
def as_number(output): return 0.25
def as_label(output): return "fine"
def as_dict(output): return {"a": True, "b": 0.5}
def as_list(output): return [evalkit.Score(name="x", value=1), evalkit.Score(name="y", label="z")]
async def as_async(input, expected, metadata, trace): return trace.latency >= 0

@evalkit.suite(dataset=rows(1), scorers=[as_bool, as_number, as_label, as_dict, as_list, as_async])
async def test_it(case):
    return case.input
""")
    ran.result.assert_outcomes(passed=1)
    (trial,) = ran.suite.trials
    assert {score.name: (score.kind, score.value, score.label) for score in trial.scores} == {
        "as_bool": ("assertion", 1.0, None),
        "as_number": ("score", 0.25, None),
        "as_label": ("label", None, "fine"),
        "a": ("assertion", 1.0, None),
        "b": ("score", 0.5, None),
        "x": ("score", 1.0, None),
        "y": ("label", None, "z"),
        "as_async": ("assertion", 1.0, None),
    }


def test_a_pass_mark_decides_per_case(run_evals):
    ran = run_evals("""
@evalkit.scorer(blocking=False)
def closeness(output):
    return output / 10

@evalkit.suite(dataset=rows(10), scorers=[closeness >= 0.8])
def test_it(case):
    return case.input
""")
    ran.result.assert_outcomes(passed=2, failed=8)


def test_an_output_may_say_more_than_a_value(run_evals):
    ran = run_evals("""
@evalkit.suite(dataset=rows(1), scorers=[same])
def test_it(case):
    return evalkit.Output(value=0, latency=1.5, usage=evalkit.Usage(input_tokens=3, output_tokens=4))
""")
    (trial,) = ran.suite.trials
    assert (trial.output.value, trial.output.latency) == (0, 1.5)
    assert trial.output.usage.total_tokens == 7


def test_hand_written_tests_record_through_the_fixture(run_evals):
    ran = run_evals("""
@pytest.mark.parametrize("word", ["yes", "no"])
def test_polite(evalkit, word):
    evalkit.output(f"{word}, please")
    evalkit.score("polite", 0.8, explanation="it says please")
    assert word == "yes"
""")
    ran.result.assert_outcomes(passed=1, failed=1)
    assert ran.suite.info.name == "test_polite"
    assert ran.outcomes() == {"yes": "passed", "no": "missed"}
    trial = ran.suite.trials[0]
    assert trial.output.value == "yes, please"
    assert [(score.name, score.value, score.explanation) for score in trial.scores] == [
        ("polite", 0.8, "it says please")
    ]


def test_a_suite_may_use_the_fixture_too(run_evals):
    ran = run_evals("""
@evalkit.suite(dataset=rows(3), scorers=[same])
async def test_it(case, evalkit):
    await asyncio.sleep(0)
    evalkit.score("extra", case.input * 0.1)
    evalkit.output(case.input)
""")
    ran.result.assert_outcomes(passed=3)
    assert [trial.scores[-1].value for trial in ran.suite.trials] == [0.0, 0.1, 0.2]
    assert [trial.output.value for trial in ran.suite.trials] == [0, 1, 2]


def test_two_suites_of_one_name_in_two_files_stay_apart(run_evals, pytester):
    pytester.makepyfile(test_second=SUITE.join(["from test_inner import *\ndel test_it\n", ""]))
    ran = run_evals(SUITE)
    names = sorted(suite.info.name for suite in ran.run.suites)
    assert names == ["test_inner.py::test_it", "test_second.py::test_it"]
