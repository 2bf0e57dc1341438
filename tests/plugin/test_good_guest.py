"""A session without evals, and other plugins, notice nothing of evalkit."""

from __future__ import annotations

import subprocess
import sys


def test_an_ordinary_session_imports_nothing_of_evalkit(pytester):
    pytester.makepyfile(
        """
        import sys
        def test_it():
            ours = [name for name in sys.modules if name.split(".")[0] in ("evalkit", "evalkit_scorers", "evalkit_reports")]
            assert ours == []
            plugin = {name for name in sys.modules if name.split(".")[0] == "pytest_evalkit"}
            assert plugin == {"pytest_evalkit", "pytest_evalkit.plugin"}
        """
    )
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=pytester.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert "evals" not in result.stdout
    assert sorted(path.name for path in pytester.path.iterdir() if path.name != "__pycache__") == [
        "test_an_ordinary_session_imports_nothing_of_evalkit.py"
    ]


def test_ordinary_tests_beside_evals_are_untouched(run_evals):
    ran = run_evals(
        """
import unittest

def test_capsys(capsys):
    print("x")
    assert capsys.readouterr().out == "x\\n"

def test_main_thread(monkeypatch):
    assert threading.current_thread() is threading.main_thread()

@evalkit.suite(dataset=rows(3), scorers=[same])
async def test_it(case):
    return case.input

class TestUnit(unittest.TestCase):
    def test_it(self):
        self.assertTrue(True)

@pytest.mark.parametrize("case", [1, 2])
def test_case_of_their_own(case):
    assert case

def test_output():
    print("mine")
    assert False
""",
        "-v",
    )
    ran.result.assert_outcomes(passed=8, failed=1)
    assert ran.text.split("test_output ___")[1].count("mine") >= 1


def test_pytest_asyncio_in_auto_mode(run_evals):
    ran = run_evals(
        """
import pytest_asyncio

@pytest_asyncio.fixture
async def theirs():
    await asyncio.sleep(0)
    yield asyncio.get_running_loop()

async def test_theirs(theirs):
    assert asyncio.get_running_loop() is theirs

@pytest.fixture
async def ours(case):
    await asyncio.sleep(0)
    yield asyncio.get_running_loop()

@evalkit.suite(dataset=rows(4), scorers=[same])
async def test_it(case, ours):
    assert asyncio.get_running_loop() is ours
    await asyncio.sleep(0.01)
    return case.input

async def test_theirs_again(theirs):
    assert asyncio.get_running_loop() is theirs
""",
        "-p",
        "no:anyio",
        "-o",
        "asyncio_mode=auto",
        "-W",
        "error",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
        plugins=True,
        subprocess=True,
    )
    ran.result.assert_outcomes(passed=6)


def test_pytest_asyncio_in_strict_mode_with_its_mark(run_evals):
    ran = run_evals(
        """
@pytest.mark.asyncio
@evalkit.suite(dataset=rows(4), scorers=[same])
async def test_it(case):
    await asyncio.sleep(0.01)
    return case.input

@pytest.mark.asyncio
async def test_theirs():
    await asyncio.sleep(0)
""",
        "-p",
        "no:anyio",
        "-W",
        "error",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
        plugins=True,
        subprocess=True,
    )
    ran.result.assert_outcomes(passed=5)


def test_anyio(run_evals):
    ran = run_evals(
        """
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.fixture
async def value(case):
    await asyncio.sleep(0)
    return case.input

@evalkit.suite(dataset=rows(4), scorers=[same])
async def test_it(case, value):
    await asyncio.sleep(0.01)
    return value

async def test_theirs():
    await asyncio.sleep(0)
""",
        "-p",
        "no:asyncio",
        plugins=True,
        subprocess=True,
    )
    ran.result.assert_outcomes(passed=5)


def test_xdist_makes_one_run(run_evals):
    ran = run_evals(
        """
@evalkit.suite(dataset=rows(12), scorers=[same], gates=["same >= 0.9"])
async def test_it(case):
    await asyncio.sleep(0.01)
    evalkit_note = "\\ud800 \\x00 😀"
    return evalkit.Output(value=case.input, metadata={"odd": evalkit_note})

def test_plain():
    pass
""",
        "-n",
        "2",
        plugins=True,
        subprocess=True,
    )
    ran.result.assert_outcomes(passed=15)
    assert len(ran.suite.trials) == 12
    assert ran.text.count("= evals =") == 1
    assert [verdict.decision for verdict in ran.run.verdicts] == ["pass", "pass"]


def test_warnings_as_errors_leave_evals_alone(run_evals):
    ran = run_evals(
        """
@evalkit.suite(dataset=rows(3), scorers=[same], gates=["same >= 0.9"])
async def test_it(case, tmp_path):
    await asyncio.sleep(0)
    return case.input
""",
        "-W",
        "error",
        "--evalkit-report=report.html",
        subprocess=True,
    )
    assert ran.result.ret == 0
    assert "Error" not in ran.text


def test_xdist_keeps_errors_skips_and_hand_written_tests(run_evals):
    ran = run_evals(
        """
@pytest.fixture
def thing(case):
    if case.input == 3:
        raise RuntimeError("no database")

@evalkit.suite(dataset=rows(8), scorers=[same], gates=["same >= 0.5", "errors <= 50%"])
def test_it(case, thing):
    if case.input == 1:
        pytest.skip("not today")
    if case.input == 2:
        raise ValueError("model away")
    return case.input if case.input != 4 else None

def test_hand(evalkit):
    evalkit.score("polite", 0.5)
""",
        "-n",
        "2",
        plugins=True,
        subprocess=True,
    )
    suites = {suite.info.name: suite for suite in ran.run.suites}
    outcomes = {trial.case_id: trial.outcome for trial in suites["test_it"].trials}
    assert outcomes == {
        "c0": "passed",
        "c2": "errored",
        "c3": "errored",
        "c4": "missed",
        "c5": "passed",
        "c6": "passed",
        "c7": "passed",
    }
    assert suites["test_hand"].trials[0].scores[0].value == 0.5
    ran.result.assert_outcomes(passed=7, errors=1, skipped=1)
    (closing,) = [line for line in ran.text.splitlines() if line.startswith("=") and " in " in line]
    assert "1 errored" in closing  # which comes first depends on which worker was first
    assert "1 missed" in closing


def test_a_parser_that_lost_count_for_another_thread_ends_no_session(run_evals, pytester):
    pytester.makeconftest(
        """
import pytest
refused = set()

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    if (item.nodeid, call.when) not in refused:
        refused.add((item.nodeid, call.when))
        raise SystemError("AST constructor recursion depth mismatch (before=315, after=37)")
"""
    )
    ran = run_evals(
        """
@evalkit.suite(dataset=rows(3), scorers=[same])
def test_it(case):
    raise ValueError(case.id)
"""
    )
    ran.result.assert_outcomes(failed=3)
    assert ran.outcomes() == {"c0": "errored", "c1": "errored", "c2": "errored"}


QUIET = ("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:anyio")
REWRITTEN = """
import pytest
pytest.register_assert_rewrite("evalkit", "evalkit_scorers", "evalkit_reports", "pytest_evalkit")
"""
"""What pytest does by itself where evalkit is installed from a wheel."""


def test_pytest_does_not_rewrite_evalkit(pytester):
    pytester.makeconftest(REWRITTEN + "import evalkit.config")
    pytester.makepyfile(
        """
        import sys
        import evalkit

        def same(output, input):
            return output == input

        @evalkit.suite(dataset=[evalkit.Case(id=str(i), input=i) for i in range(2)], scorers=[same])
        async def test_evals(case):
            return case.input

        def test_loaders():
            found = {
                name: type(module.__loader__).__name__
                for name, module in sys.modules.items()
                if name.partition(".")[0] in ("evalkit", "evalkit_scorers", "pytest_evalkit")
            }
            assert len(found) > 50
            assert set(found) == {name for name, loader in found.items() if loader == "SourceFileLoader"} | {
                "pytest_evalkit", "pytest_evalkit.plugin"  # found before it could say anything
            }

        def test_my_own_assertions_are():
            assert type(__loader__).__name__ == "AssertionRewritingHook"
        """
    )
    result = pytester.runpytest_subprocess(*QUIET, "-W", "error")
    result.assert_outcomes(passed=4)


def test_a_session_within_a_session_is_not_warned_and_leaves_the_finder(pytester):
    pytester.makeconftest(REWRITTEN + 'pytest_plugins = ["pytester"]')
    pytester.makepyfile(
        f"""
        import sys
        import evalkit, evalkit_scorers, evalkit_reports

        def ours():
            return [finder for finder in sys.meta_path if getattr(finder, "__module__", "") == "pytest_evalkit.plugin"]

        def test_inner(pytester, request):
            assert len(ours()) == 1
            pytester.makeconftest({REWRITTEN!r})
            pytester.makepyfile("def test_it(): pass")
            pytester.runpytest_inprocess(*{QUIET!r}, "-W", "error").assert_outcomes(passed=1)
            assert len(ours()) == 1
        """
    )
    pytester.runpytest_subprocess(*QUIET, "-W", "error").assert_outcomes(passed=1)
