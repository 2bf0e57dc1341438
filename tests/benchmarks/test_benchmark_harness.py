"""The harness of benchmarks/ works: it measures what ran, refuses what did not do its work, and shows what it found.

No test here looks at how long anything took; that is what the benchmarks are for.
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(sys.executable)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules of benchmarks/, which is no installed package."""
    monkeypatch.syspath_prepend(str(ROOT))
    names = ("measure", "page", "plan", "readings", "results", "rounds", "subjects", "targets", "markdown", "machine")
    return SimpleNamespace(**{name: importlib.import_module(f"benchmarks.{name}") for name in names})


def here(subject, **changes):
    """`subject`, run by the interpreter of these tests, without the plugins that happen to be installed there."""
    ours = {"PYTEST_PLUGINS": "pytest_evalkit.plugin"} if subject.environment == "evalkit" else {}
    variables = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **ours}
    return dataclasses.replace(subject, python=PYTHON, variables=variables, **changes)


def test_the_processor_time_of_grandchildren_counts(bench, tmp_path):
    burn = "sum(range(3_000_000))"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}], check=True)"
    alone = bench.measure.cost_of([sys.executable, "-c", "pass"], folder=tmp_path, environment={})
    child = bench.measure.cost_of([sys.executable, "-c", nested], folder=tmp_path, environment={})
    assert child.cpu > alone.cpu > 0
    assert child.peak_kb > 1000


def test_a_command_that_fails_gives_no_figures(bench, tmp_path):
    with pytest.raises(bench.measure.Failed, match="ended with 3"):
        bench.measure.cost_of([sys.executable, "-c", "raise SystemExit(3)"], folder=tmp_path, environment={})


def test_a_command_that_hangs_is_stopped(bench, tmp_path):
    hang = [sys.executable, "-c", "import time; time.sleep(600)"]
    with pytest.raises(bench.measure.Failed, match=r"not finished after 0\.3 s"):
        bench.measure.cost_of(hang, folder=tmp_path, environment={}, timeout=0.3)


def test_every_subject_runs_in_every_round_and_no_one_always_first(bench):
    first = here(bench.subjects.PLAIN, name="first")
    second = here(bench.subjects.PLAIN, name="second")
    readings = bench.rounds.alternate("tiny", [first, second], cases=2, rounds=2, say=lambda line: None)
    assert [(r.round, r.subject) for r in readings] == [(0, "first"), (0, "second"), (1, "second"), (1, "first")]
    assert all(r.cases == 2 and r.cpu > 0 and r.wall > 0 and not r.failure for r in readings)


@pytest.mark.parametrize("which", ["EVALKIT_ASYNC", "EVALKIT_DEF", "EVALKIT_AGAIN"])
def test_our_own_workloads_run_and_are_stored(bench, which):
    (reading,) = bench.rounds.alternate(
        "tiny", [here(getattr(bench.subjects, which))], cases=4, rounds=1, say=lambda line: None, concurrency=2
    )
    assert reading.cases == 4
    assert reading.peak_kb > 0


def test_a_tool_that_did_less_than_it_was_given_is_not_measured(bench):
    shirker = here(bench.subjects.PLAIN, extra=1)
    with pytest.raises(bench.measure.Failed, match="finished 2 of 3 cases"):
        bench.rounds.alternate("tiny", [shirker], cases=2, rounds=1, say=lambda line: None)


def test_a_failure_that_is_allowed_is_a_result_without_a_path(bench):
    readings = [
        bench.readings.Reading(task="waiting", subject="s", round=0, cases=5, failure="not finished after 300 s"),
        bench.readings.Reading(task="waiting", subject="s", round=1, cases=5, wall=2.0),
    ]
    assert bench.readings.median(readings, lambda r: r.wall) == 2.0
    assert bench.readings.median(readings[:1], lambda r: r.wall) is None


def made_up(bench, *, ours: float):
    """Results of a run that never was, in which plain pytest takes one second of CPU."""
    reading = bench.readings.Reading
    wanted = bench.subjects.EVALKIT_ASYNC.name
    return bench.results.Results(
        begun="2026-01-01 00:00 UTC",
        ended="2026-01-01 00:01 UTC",
        commit="abc",
        plan=bench.plan.FULL,
        machine={"cores": "2"},
        packages={"plain": {"pytest": "9.9.9"}},
        readings=(
            reading(task="trivial", subject="plain pytest", round=0, cases=1000, cpu=1.0, wall=1.0, peak_kb=1000),
            reading(task="trivial", subject=wanted, round=0, cases=1000, cpu=ours, wall=1.0, peak_kb=1000),
        ),
    )


@pytest.mark.parametrize(("ours", "verdict"), [(1.4, "met"), (1.6, "**missed**")])
def test_a_target_is_judged_by_its_figure(bench, ours, verdict):
    judged = bench.page.targets(made_up(bench, ours=ours))
    (target,) = [t for t in judged if t.obtained is not None]
    assert target.obtained == pytest.approx(ours)
    assert target.verdict == verdict
    assert {t.verdict for t in judged if t is not target} == {"not measured"}


def test_a_missed_target_is_explained_on_the_page(bench, monkeypatch):
    results = made_up(bench, ours=9.0)
    (missed,) = [t for t in bench.page.targets(results) if t.met is False]
    monkeypatch.delitem(bench.targets.WHY_MISSED, missed.name, raising=False)
    assert "no reason has been found yet" in bench.page.render(results)
    monkeypatch.setitem(bench.targets.WHY_MISSED, missed.name, "Because of the weather.")
    text = bench.page.render(results)
    assert "Because of the weather." in text
    assert "| 9.00 × |" in text
    assert "pytest 9.9.9" in text


def test_results_come_back_from_their_file(bench, tmp_path):
    results = made_up(bench, ours=1.0)
    results.write(tmp_path / "results.json")
    assert bench.results.read(tmp_path / "results.json") == results


def test_the_kept_results_name_no_path_and_no_host(bench):
    kept = bench.results.FILE
    if not kept.exists():
        pytest.skip("no benchmark results have been kept yet")
    text = kept.read_text(encoding="utf-8")
    assert "/home/" not in text
    assert "/tmp/" not in text
    assert "://" not in text


def test_the_page_is_what_the_kept_results_make(bench):
    if not bench.results.FILE.exists():
        pytest.skip("no benchmark results have been kept yet")
    assert bench.page.FILE.read_text(encoding="utf-8") == bench.page.render(bench.results.read(bench.results.FILE))
