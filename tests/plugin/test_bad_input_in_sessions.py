"""A user's mistake ends pytest as a usage error (4), says where and what next, and shows no traceback."""

from __future__ import annotations

import functools
import sqlite3

import pytest

from evalkit.store import ingest, open_store

IT = """
@evalkit.suite(dataset={dataset}, scorers={scorers}{more})
def test_it(case):
    return case.input
"""


def suite(dataset: str = "rows(3)", scorers: str = "[same]", more: str = "") -> str:
    return IT.format(dataset=dataset, scorers=scorers, more=more)


def refused(ran, *says: str) -> None:
    text = ran.result.stderr.str()
    assert ran.result.ret == 4, ran.text + text
    for words in says:
        ran.result.stderr.fnmatch_lines([words])
    assert "Traceback" not in text + ran.text
    assert ran.run is None, "nothing was started"


def test_a_dataset_file_that_is_not_there(run_evals, pytester):
    (pytester.path / "cases.jsonl").write_text('{"input": 1}\n')
    refused(run_evals(suite('"case.jsonl"')), "*case.jsonl*", "*cases.jsonl*")


def test_line_17_is_broken(run_evals, pytester):
    lines = [f'{{"input": {n}}}' for n in range(30)]
    lines[16] = '{"input": 16'
    (pytester.path / "cases.jsonl").write_text("\n".join(lines))
    refused(run_evals(suite('"cases.jsonl"')), "*cases.jsonl:17*")


def test_an_id_given_twice(run_evals):
    refused(run_evals(suite("[dict(id='a', input=1), dict(id='a', input=2)]")), '*"a" is given twice*')


def test_no_cases_at_all(run_evals):
    refused(run_evals(suite("[]")), "*no cases*")


def test_a_case_without_expected_for_a_scorer_that_needs_it(run_evals):
    source = "from evalkit_scorers import exact_match\n" + suite("[dict(id='a', input=1)]", "[exact_match()]")
    refused(run_evals(source), "*exact_match*expected*")


def test_nan_in_a_dataset(run_evals, pytester):
    (pytester.path / "cases.jsonl").write_text('{"input": 1}\n{"input": NaN}\n')
    refused(run_evals(suite('"cases.jsonl"')), "*cases.jsonl:2*")


def test_an_unknown_key_in_the_decorator(run_evals):
    refused(run_evals(suite(more=", treshold=0.8, repeats=3")), "*no argument*")
    refused(run_evals(suite(more=", repeets=3")), '*Did you mean "repeat"*', "*test_inner.py:*")


def test_an_unknown_key_in_a_case(run_evals):
    refused(run_evals(suite("[dict(input=1, expcted=2)]")), '*Did you mean "expected"*')


def test_a_scorer_that_was_not_called(run_evals):
    source = "from evalkit_scorers import exact_match\n" + suite(scorers="[exact_match]")
    refused(run_evals(source), "*Write exact_match()*")


def test_a_scorer_with_an_unknown_parameter(run_evals):
    source = "def near(outptu):\n    return True\n" + suite(scorers="[near]")
    refused(run_evals(source), '*Did you mean "output"*')


def test_an_unknown_scorer_by_text(run_evals):
    refused(run_evals(suite(scorers="['exact_match']")), "*'exact_match' is not a scorer*")


def test_two_scorers_of_one_name(run_evals):
    refused(run_evals(suite(scorers="[same, same]")), '*Two scorers are called "same"*')


def test_a_function_that_takes_no_case(run_evals):
    ran = run_evals("@evalkit.suite(dataset=rows(1))\ndef test_it(thing):\n    pass\n")
    refused(ran, "*takes no argument `case`*")


def test_a_misspelled_flag(run_evals):
    refused(run_evals(suite(), "--evalkit-max-concurency=3"), '*Did you mean "--evalkit-max-concurrency"*')


def test_a_flag_with_a_wrong_value(run_evals):
    refused(run_evals(suite(), "--evalkit-repeat=many"), "*--evalkit-repeat*")


def test_an_unknown_setting_in_pyproject(run_evals, pytester):
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\n[tool.evalkit]\nmax_concurency = 3\n")
    refused(run_evals(suite()), '*Did you mean "max_concurrency"*', "*pyproject.toml:3*")


def test_an_unknown_variable(run_evals, monkeypatch):
    monkeypatch.setenv("EVALKIT_REPEET", "3")
    refused(run_evals(suite()), "*Did you mean*EVALKIT_REPEAT*")


def test_several_mistakes_are_all_told(run_evals):
    source = suite("[]") + suite(more=", gates=['sme >= 1']").replace("test_it", "test_other")
    refused(run_evals(source), "*no cases*", '*Did you mean "same"*')


def test_under_xdist_mistakes_are_told_once(run_evals):
    ran = run_evals(suite("[]"), "-n", "2", plugins=True, subprocess=True)
    assert ran.result.ret == 4
    assert (ran.text + ran.result.stderr.str()).count("has no cases") == 1
    assert "Traceback" not in ran.text + ran.result.stderr.str()


def test_a_store_that_is_no_database(run_evals, pytester):
    (pytester.path / "bad.db").write_text("this is a letter to my aunt\n" * 100)
    ran = run_evals(suite(), "--evalkit-store", "bad.db")
    refused(ran, "*bad.db*")


def test_a_store_from_the_future(run_evals, pytester):
    run_evals(suite())
    with sqlite3.connect(pytester.path / ".evalkit" / "evalkit.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    result = pytester.runpytest_inprocess("-p", "no:xdist", "-p", "no:asyncio", "-p", "no:anyio")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*newer*"])
    assert "Traceback" not in result.stderr.str()


def test_a_folder_that_cannot_be_written(run_evals):
    ran = run_evals(suite(), "--evalkit-store", "/proc/evalkit/runs.db")
    refused(ran, "*/proc/evalkit*")


def test_a_store_that_fails_in_the_middle_changes_no_outcome_and_loses_nothing(run_evals, pytester, monkeypatch):
    monkeypatch.setattr("evalkit.store.open_store", functools.partial(open_store, timeout=0.2))
    file = pytester.path / ".evalkit" / "evalkit.db"
    ran = run_evals(f"""
import sqlite3

holder = None

@evalkit.suite(dataset=rows(6), scorers=[same], max_concurrency=1, gates=["same >= 0.9"])
def test_it(case):
    global holder
    if case.input == 2:
        holder = sqlite3.connect({str(file)!r}, isolation_level=None, check_same_thread=False)
        holder.execute("BEGIN IMMEDIATE")
    return case.input

def test_let_go():
    holder.rollback()
    holder.close()
""")
    ran.result.assert_outcomes(passed=9)
    ran.result.stdout.fnmatch_lines(["*The store failed*evalkit ingest*"])
    assert [trial.case_id for trial in ran.suite.trials] == ["c0", "c1"]
    (spool,) = (file.parent / "spool").iterdir()
    with open_store(file) as store:
        ingest(store, spool)
        run = store.load(store.resolve("last"))
    assert [trial.case_id for trial in run.suites[0].trials] == [f"c{n}" for n in range(6)]
    assert [verdict.decision for verdict in run.verdicts] == ["pass", "pass"]
    assert run.status == "complete"


def test_50_mb_in_one_value(run_evals):
    ran = run_evals("""
@evalkit.suite(dataset=rows(1), scorers=[])
def test_it(case):
    return "x" * 50_000_000
""")
    ran.result.assert_outcomes(passed=1)
    assert len(ran.suite.trials[0].output.value) == 50_000_000


@pytest.mark.parametrize(
    "value", ["float('nan')", "float('inf')", "'\\ud800'", "b'bytes'", "object", "{1: {2}}", "'\\x00'"]
)
def test_outputs_that_json_cannot_say_are_kept_somehow(run_evals, value):
    ran = run_evals(f"""
@evalkit.suite(dataset=rows(1), scorers=[])
def test_it(case):
    return {value}
""")
    ran.result.assert_outcomes(passed=1)
    assert ran.suite.trials[0].output.value is not None


def test_a_scorer_that_gives_nan_is_an_error_and_not_a_score(run_evals):
    ran = run_evals("""
def odd(output):
    return float("nan")

@evalkit.suite(dataset=rows(1), scorers=[odd])
def test_it(case):
    return 1
""")
    ran.result.assert_outcomes(failed=1)
    (score,) = ran.suite.trials[0].scores
    assert (score.status, score.value) == ("error", None)
