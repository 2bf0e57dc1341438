"""`evalkit.run(resume=…, retry_errors=…)`: what broke off is gone on with, and outages are tried again."""

from __future__ import annotations

from collections import Counter

import pytest

import evalkit as ek
from evalkit.errors import ConfigError

CASES = [ek.Case(id=f"c{number}", input=number, expected=number) for number in range(8)]


@ek.scorer(blocking=False)
def same(output: object, expected: object) -> bool:
    return output == expected


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A folder of its own, and a suite that fails in three ways until the world is well."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("evalkit.runner.tries.FIRST_PAUSE", 0.001)
    calls: Counter[str] = Counter()
    well: list[bool] = []

    @ek.suite(dataset=CASES, scorers=[same], gates=["same >= 0.5"], max_concurrency=1)
    def test_world(case):
        calls[case.id] += 1
        if case.input == 2 and not well:
            raise ConnectionError("away")
        if case.input == 5 and not well:
            raise KeyboardInterrupt
        return case.input

    return test_world, calls, well


def test_only_what_is_missing_or_errored_is_run(world):
    suite, calls, well = world
    with pytest.raises(KeyboardInterrupt):
        ek.run(suite, progress=False)
    well.append(True)
    before = Counter(calls)
    progress: list[tuple[int, int]] = []
    run = ek.run(suite, resume="last", progress=lambda done, total: progress.append((done, total)))
    assert calls - before == Counter({"c2": 1, "c5": 1, "c6": 1, "c7": 1})
    assert progress[-1] == (8, 8)
    assert run.status == "complete"
    assert [verdict.decision for verdict in run.verdicts] == ["pass", "pass"]
    assert {trial.case_id: trial.attempt for trial in run.suites[0].trials if trial.attempt > 1} == {"c2": 2}
    again = ek.run(suite, resume=run, progress=False)
    assert again.id == run.id
    assert again.verdicts == run.verdicts
    assert calls["c7"] == 1


def test_outages_are_tried_again(world):
    _, calls, _ = world

    @ek.suite(dataset=CASES[:3], scorers=[same])
    async def test_flaky(case):
        calls[f"flaky {case.id}"] += 1
        if case.input == 1 and calls[f"flaky {case.id}"] < 3:
            raise TimeoutError
        return case.input

    run = ek.run(test_flaky, retry_errors=2, progress=False)
    assert [trial.outcome for trial in run.suites[0].trials] == ["passed"] * 3
    assert [trial.attempt for trial in run.suites[0].trials] == [1, 3, 1]


def test_a_shard_is_for_pytest(world, monkeypatch):
    suite, calls, _ = world
    monkeypatch.setenv("EVALKIT_SHARD", "1/2")
    with pytest.raises(ConfigError, match="by pytest only"):
        ek.run(suite, progress=False)
    assert not calls
