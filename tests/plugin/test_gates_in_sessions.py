"""Gates decide, and are results of their own: terminal, JUnit, exit code."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

GATED = """
@evalkit.suite(dataset=rows(40), scorers=[same], gates=GATES)
async def test_it(case):
    if case.input in ERRORS:
        raise ValueError("model away")
    return None if case.input < MISSES else case.input
"""


def gated(*gates: str, misses: int = 0, errors: tuple[int, ...] = ()) -> str:
    return GATED.replace("GATES", repr(list(gates))).replace("ERRORS", repr(errors)).replace("MISSES", str(misses))


def test_gates_decide_and_misses_do_not_fail(run_evals):
    ran = run_evals(gated("same >= 0.9", misses=3), "-v")
    assert ran.result.ret == 0
    ran.result.stdout.fnmatch_lines(
        [
            "*test_it?c0? MISSED*",
            "*test_it?c3? PASSED*",
            "*test_inner.py::test_it::gate?same >= 0.9? PASS*",
            "*test_inner.py::test_it::gate?errors <= 5%? PASS*",
        ]
    )
    ran.result.stdout.fnmatch_lines(["=* 39 passed, 3 missed*"])
    assert [(verdict.gate, verdict.decision) for verdict in ran.run.verdicts] == [
        ("same >= 0.9", "pass"),
        ("errors <= 5%", "pass"),
    ]


def test_a_failing_gate_fails_the_session_and_says_why(run_evals):
    ran = run_evals(gated("same >= 0.9", misses=10))
    assert ran.result.ret == 1
    ran.result.stdout.fnmatch_lines(["FAIL test_inner.py::test_it::gate?same >= 0.9? - same is 0.75*"])
    (verdict, _) = ran.run.verdicts
    assert verdict.decision == "fail"
    assert verdict.observed == 0.75


def test_an_evidence_gate_can_be_inconclusive_and_fails_the_session(run_evals):
    ran = run_evals(gated("same >= 0.9 @ 95%", misses=1))
    assert ran.result.ret == 1
    assert ran.run.verdicts[0].decision == "inconclusive"
    assert "INCONCLUSIVE" in ran.text


def test_inconclusive_may_be_a_warning(run_evals):
    ran = run_evals(gated("same >= 0.9 @ 95%", misses=1), "--evalkit-inconclusive=warn")
    assert ran.result.ret == 0
    ran.result.stdout.fnmatch_lines(["*1 inconclusive*"])


def test_errors_count_as_wrong_answers_and_against_the_error_budget(run_evals):
    ran = run_evals(gated("same >= 0.8", errors=(3, 5, 7)), "-v")
    assert ran.result.ret == 1
    ran.result.stdout.fnmatch_lines(["*test_it?c3? ERRORED*"])
    ran.result.stdout.fnmatch_lines(["3 trials: ValueError: model away at test_inner.py:* (c3 and 2 more)"])
    same, errors = ran.run.verdicts
    assert (same.decision, same.observed) == ("pass", 37 / 40)
    assert (errors.decision, errors.observed) == ("fail", 3 / 40)


def test_a_gate_flag_adds_to_every_suite(run_evals):
    ran = run_evals(
        gated(misses=10).replace("gates=[], ", "").replace(", gates=[]", ""), "--evalkit-gate", "same >= 0.9"
    )
    assert ran.result.ret == 1
    assert ran.run.verdicts[0].gate == "same >= 0.9"


def test_gates_from_pyproject(run_evals, pytester):
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\n[tool.evalkit.gates]\ntest_it = ["same >= 0.99"]\n')
    ran = run_evals(gated("same >= 0.5", misses=10))
    assert [verdict.decision for verdict in ran.run.verdicts] == ["pass", "fail", "pass"]


def test_junit_has_the_gates_and_tells_inconclusive_from_failed(run_evals, pytester):
    run_evals(gated("same >= 0.9 @ 95%", "same >= 0.99", misses=1), "--junitxml=out.xml")
    root = ET.parse(pytester.path / "out.xml").getroot()
    gates = [case for case in root.iter("testcase") if "gate[" in case.get("name", "")]
    assert [(case.get("name"), [node.get("type") for node in case.findall("failure")]) for case in gates] == [
        ("gate[same >= 0.9 @ 95%]", ["inconclusive"]),
        ("gate[same >= 0.99]", ["gate"]),
        ("gate[errors <= 5%]", []),
    ]
    suite = root.find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("43", "2")


def test_gates_come_when_their_suite_is_done(run_evals):
    ran = run_evals(gated("same >= 0.9", misses=30) + "\ndef test_after():\n    pass\n", "-v", "-x")
    assert "test_after" not in ran.text
    ran.result.stdout.fnmatch_lines(["*gate?same >= 0.9? FAIL*"])


def test_lf_runs_the_cases_that_missed_where_the_gate_failed(run_evals):
    source = gated("same >= 0.9", misses=10)
    run_evals(source)
    ran = run_evals(source, "--lf", "--evalkit-gate", "same >= 0")
    assert len(ran.suite.trials) == 10
    assert ran.suite.info.is_partial


def test_the_table_is_shown(run_evals):
    ran = run_evals(gated("same >= 0.5", misses=4))
    ran.result.stdout.fnmatch_lines(["*= evals =*", "*same*0.9*", "*run * complete in *"])


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        ("sme >= 0.9", '*Did you mean "same"*'),
        ("same => 0.9", "*same => 0.9*"),
        ("same >= 0.99 @ 95%", "*368*"),
        ("same[lang=de] >= 0.9", "*lang*"),
    ],
)
def test_a_gate_that_cannot_work_is_a_usage_error_before_anything_runs(run_evals, gate, says):
    ran = run_evals(gated(gate) + "\nprint('imported')\n")
    assert ran.result.ret == 4
    ran.result.stderr.fnmatch_lines([says])
    ran.result.stderr.fnmatch_lines(["*test_inner.py:*"])
    assert "Traceback" not in ran.text + ran.result.stderr.str()
    assert ran.run is None


def test_nothing_collected_keeps_pytests_own_exit_code(run_evals):
    assert run_evals(gated("same >= 0.9"), "-k", "nothing").result.ret == 5


def test_no_scorer_cannot_pass_a_gate(run_evals):
    ran = run_evals("""
@evalkit.suite(dataset=rows(40), scorers=[], gates=["same >= 0"])
def test_it(case):
    return case.input
""")
    assert ran.result.ret == 4


def test_nothing_scored_cannot_pass_a_gate(run_evals):
    ran = run_evals("""
def quiet(output):
    return None

@evalkit.suite(dataset=rows(40), scorers=[quiet], gates=["quiet >= 0"])
def test_it(case):
    return case.input
""")
    assert ran.result.ret == 1
    assert ran.run.verdicts[0].decision in ("fail", "inconclusive")
    ran.result.stdout.fnmatch_lines(["*40 unscored*"])


def test_a_partial_run_is_judged_on_what_was_selected_and_says_so(run_evals):
    ran = run_evals(gated("same >= 0.9", misses=1), "-k", "c1 or c0")
    assert ran.run.is_partial
    assert "partial" in ran.text


def test_x_leaves_gates_of_an_unfinished_suite_undecided(run_evals):
    ran = run_evals(
        """
@evalkit.suite(dataset=rows(10), scorers=[same], gates=["same >= 0"], max_concurrency=1)
async def test_it(case, thing):
    return case.input

@pytest.fixture
def thing(case):
    assert case.input < 3
""",
        "-x",
    )
    assert ran.result.ret == 1
    assert ran.run.status == "interrupted"
    assert ran.run.verdicts == ()
    assert "::gate[" not in ran.text


def test_hand_written_tests_can_be_gated_from_the_command_line(run_evals):
    ran = run_evals(
        """
@pytest.mark.parametrize("n", range(4))
def test_polite(evalkit, n):
    evalkit.score("polite", n > 0)
""",
        "--evalkit-gate",
        "polite >= 0.9",
    )
    assert ran.result.ret == 1
    assert ran.run.verdicts[0].observed == 0.75


def test_pytest_fail_in_a_gated_body_is_a_miss_like_any_failed_assert(run_evals):
    ran = run_evals("""
@evalkit.suite(dataset=rows(4), scorers=[same], gates=["same >= 0.5"])
async def test_it(case):
    if case.input == 1:
        pytest.fail("not good enough")
    assert case.input != 2
    return case.input
""")
    assert ran.result.ret == 0
    ran.result.stdout.fnmatch_lines(["=* 4 passed, 2 missed*"])
    assert ran.outcomes() == {"c0": "passed", "c1": "missed", "c2": "missed", "c3": "passed"}
    assert ran.run.verdicts[0].observed == 0.5
