"""Two versions of a prompt on two models: what the example says of them, and that a replay calls nobody."""

import os
import shutil
import socket
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from evalkit.comparison import compare
from evalkit.store import open_store

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "prompts_and_models"


class Project:
    """A copy of the example, with a port of its own."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("EVALKIT_", "PYTEST_"))}
        self.environment = {**inherited, "SCRIPTED_PORT": str(port), "COLUMNS": "160", "NO_COLOR": "1"}

    def change(self, kind):
        shutil.copy(self.folder / "next" / kind[0] / kind[1], self.folder / kind[0] / kind[1])

    def run(self, *arguments):
        """What a session printed, and its run with everything in it."""
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        with open_store(str(self.folder / ".evalkit" / "evalkit.db"), read_only=True) as store:
            return done.stdout, store.load(store.resolve("last"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Both prompts on both models, what each session printed, and a replay of the last one."""
    project = Project(tmp_path_factory.mktemp("example") / "project")
    shutil.copytree(EXAMPLE, project.folder, ignore=shutil.ignore_patterns(".evalkit", "__pycache__", ".pytest_cache"))
    found = {"small, first": project.run()}
    project.change(("prompts", "triage.md"))
    found["small, next"] = project.run("--evalkit-baseline", "last")
    project.change(("models", "triage.yaml"))
    found["large, first"] = project.run("--evalkit-prompt", "triage=v1")
    found["large, next"] = project.run("--evalkit-cache", "read-write")
    found["replay"] = project.run("--evalkit-cache", "replay")
    return found


def right(run):
    return sum(trial.outcome == "passed" for trial in run.suites[0].trials)


def total(run, name):
    return sum(getattr(trial.output.usage, name) for trial in run.suites[0].trials)


def metrics(first, second):
    return {metric.name: metric for metric in compare(first, second).suites[0].metrics}


def test_each_run_says_which_versions_it_used(runs):
    versions = {
        name: [one.title.rsplit(" ", 1)[0] for one in run.suites[0].versions] for name, (_, run) in runs.items()
    }
    assert versions == {
        "small, first": ["prompt triage v1", "model triage v1"],
        "small, next": ["prompt triage v2", "model triage v1"],
        "large, first": ["prompt triage v1", "model triage v2"],
        "large, next": ["prompt triage v2", "model triage v2"],
        "replay": ["prompt triage v2", "model triage v2"],
    }


def test_the_next_prompt_helps_the_small_model_and_costs_it_tokens(runs):
    first, after = runs["small, first"][1], runs["small, next"][1]
    found = metrics(first, after)
    assert (right(first), right(after)) == (28, 38)
    assert (len(found["exact_match"].higher), len(found["exact_match"].lower)) == (10, 0)
    assert found["exact_match"].low > 0  # better, even after allowing for chance
    assert total(after, "input_tokens") > 1.5 * total(first, "input_tokens")


def test_the_large_model_costs_more_and_takes_longer_and_is_not_shown_to_be_better(runs):
    small, large = runs["small, next"][1], runs["large, next"][1]
    found = metrics(small, large)
    assert found["exact_match"].low < 0 < found["exact_match"].high
    for run, at_least in ((small, 0.05), (large, 0.2)):  # a crowded machine adds to it
        assert min(trial.output.latency for trial in run.suites[0].trials) >= at_least
    assert total(large, "cost") > 20 * total(small, "cost")


def test_the_cost_is_that_of_the_tokens(runs):
    for name, (input_price, output_price) in {"small, first": ("0.15", "0.60"), "large, next": ("2.50", "10")}.items():
        run = runs[name][1]
        spent = total(run, "input_tokens") * Decimal(input_price) + total(run, "output_tokens") * Decimal(output_price)
        assert run.usage().target.cost == spent / 1_000_000
        assert run.usage().target.unpriced == 0


@pytest.mark.parametrize("name", ["small, first", "small, next", "large, first", "large, next"])
def test_cost_tokens_and_latency_stand_in_the_table(runs, name):
    out, run = runs[name]
    table = {line.split()[0]: line.split()[1] for line in out.splitlines() if len(line.split()) > 1}
    assert float(table["cost"].strip("$;")) == pytest.approx(float(total(run, "cost")), rel=1e-3)
    assert float(table["input_tokens"]) == pytest.approx(total(run, "input_tokens") / 40, abs=0.05)
    assert float(table["output_tokens"]) == total(run, "output_tokens") / 40
    assert float(table["latency"]) > 0
    assert "The scripted provider answered 40 calls." in out


def test_a_replay_calls_nobody_and_comes_to_the_same(runs):
    out, replayed = runs["replay"]
    recorded = runs["large, next"][1]
    assert "The scripted provider was not started." in out
    answers = [[trial.output.value for trial in run.suites[0].trials] for run in (recorded, replayed)]
    assert answers[0] == answers[1]
    assert replayed.usage().target.cost == recorded.usage().target.cost == replayed.usage().target.saved
    assert replayed.usage().target.calls == 40
