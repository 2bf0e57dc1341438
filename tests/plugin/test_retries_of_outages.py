"""`--evalkit-retry-errors`: attempts again while a service is away, each on record, the last one the result."""

from __future__ import annotations

import sqlite3

import pytest

SPREAD = ("-p", "xdist", "-p", "no:asyncio", "-p", "no:anyio", "-p", "no:hypothesispytest", "-p", "no:randomly")

FLAKY = """
import collections
tries = collections.Counter()

@evalkit.suite(dataset=rows(6), scorers=[same], gates=["same >= 0.5", "errors <= 50%"])
KIND test_it(case, evalkit):
    tries[case.id] += 1
    evalkit.score("tries", tries[case.id])
    if case.input == 1 and tries[case.id] < 3:
        raise ConnectionError("reset")
    if case.input == 2:
        raise TimeoutError("never")
    if case.input == 3:
        raise ValueError("a mistake")
    assert case.input != 4
    return case.input
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("evalkit.runner.tries.FIRST_PAUSE", 0.001)


def attempts(folder):
    with sqlite3.connect(folder / ".evalkit" / "evalkit.db") as database:
        rows = database.execute("SELECT case_id, attempt, outcome FROM trials ORDER BY case_id, attempt").fetchall()
    database.close()
    found: dict[str, list[str]] = {}
    for case, attempt, outcome in rows:
        found.setdefault(case, []).append(outcome)
        assert attempt == len(found[case])
    return found


EXPECTED = {
    "c0": ["passed"],
    "c1": ["errored", "errored", "passed"],
    "c2": ["errored", "errored", "errored"],
    "c3": ["errored"],
    "c4": ["missed"],
    "c5": ["passed"],
}


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("limit", ["1", "8"])
def test_only_outages_are_attempted_again_and_each_trial_counts_once(run_evals, pytester, kind, limit):
    ran = run_evals(FLAKY.replace("KIND", kind), "--evalkit-retry-errors=2", "--evalkit-max-concurrency", limit)
    assert attempts(pytester.path) == EXPECTED
    assert ran.outcomes() == {case: found[-1] for case, found in EXPECTED.items()}
    assert [(verdict.trials, verdict.cases) for verdict in ran.run.verdicts] == [(6, 6), (6, 6)]
    (trial,) = [trial for trial in ran.suite.trials if trial.case_id == "c1"]
    assert trial.attempt == 3
    assert [score.value for score in trial.scores if score.name == "tries"] == [3.0], "of this attempt alone"


def test_without_the_setting_nothing_is_attempted_again(run_evals, pytester):
    run_evals(FLAKY.replace("KIND", "def"))
    assert {len(found) for found in attempts(pytester.path).values()} == {1}


def test_under_xdist_as_well(run_evals, pytester):
    run_evals(
        FLAKY.replace("KIND", "async def"),
        "--evalkit-retry-errors=2",
        "-n",
        "2",
        *SPREAD,
        plugins=True,
        subprocess=True,
    )
    assert attempts(pytester.path) == EXPECTED


def test_attempts_of_a_session_come_after_those_before_it(run_evals, pytester):
    source = FLAKY.replace("KIND", "def")
    run_evals(source)
    run_evals(source, "--evalkit-resume=last", "--evalkit-retry-errors=1")
    assert attempts(pytester.path) == {
        "c0": ["passed"],
        "c1": ["errored", "errored", "errored"],
        "c2": ["errored", "errored", "errored"],
        "c3": ["errored", "errored"],
        "c4": ["missed"],
        "c5": ["passed"],
    }
