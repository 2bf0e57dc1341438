"""The example that runs anywhere does what its comments say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from scipy.stats import beta

from evalkit.store import open_store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    store = tmp_path_factory.mktemp("quickstart") / "evalkit.db"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "examples/quickstart"],
        cwd=ROOT,
        env={**os.environ, "EVALKIT_STORE": str(store)},
        capture_output=True,
        text=True,
    )
    return done, store


@pytest.fixture(scope="module")
def run(session):
    done, store = session
    assert done.returncode == 0, done.stdout
    with open_store(str(store), read_only=True) as opened:
        return opened.load(opened.resolve("last"))


def test_it_passes_and_says_where_the_run_is(session):
    done, store = session
    assert done.returncode == 0, done.stdout
    assert "exact_match" in done.stdout
    assert str(store) in done.stdout


def test_the_words_route_thirty_five_of_forty(run):
    suite = run.suite("test_routing")
    assert len(suite.trials) == 40
    assert sum(trial.outcome == "passed" for trial in suite.trials) == 35
    assert sum(trial.outcome == "missed" for trial in suite.trials) == 5


def test_its_gates_pass_each_with_its_own_reason(run):
    verdicts = {verdict.gate: verdict for verdict in run.verdicts}
    assert {verdict.decision for verdict in verdicts.values()} == {"pass"}
    assert verdicts["exact_match >= 0.8"].observed == 35 / 40
    evidence = next(verdict for gate, verdict in verdicts.items() if "@ 95%" in gate)
    assert evidence.low == pytest.approx(beta.ppf(0.025, 35, 6), rel=1e-9)  # Clopper-Pearson
    german = next(verdict for gate, verdict in verdicts.items() if "lang=de" in gate)
    assert german.observed == 15 / 16


def test_the_suite_without_gates_lets_each_case_decide(run):
    suite = run.suite("test_routes_to_a_team_that_exists")
    assert [trial.outcome for trial in suite.trials] == ["passed"] * 40
