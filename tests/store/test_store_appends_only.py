"""Results are appended, never changed; sending one twice changes nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from evalkit.canonical import new_id
from evalkit.errors import NotFound, StoreError
from evalkit.score import Score
from evalkit.store import check, open_store
from evalkit.trial import Output


def test_the_same_trials_twice(run: Any) -> None:
    trials = (run.trial(0), run.trial(1))
    run.add(*trials)
    run.add(*trials)
    assert run.trials() == trials


def test_a_batch_of_which_some_are_there_already(run: Any) -> None:
    first, second, third = (run.trial(index) for index in range(3))
    run.add(second)
    run.add(first, second, third, third)
    assert run.trials() == (first, second, third)


def test_a_batch_sent_again_costs_the_same_however_large_its_suite_is(begin: Any, path: Path) -> None:
    with open_store(path) as store:
        steps: list[int] = []
        for size in (40, 800):
            run = begin(store, size=size)
            trials = [run.trial(index) for index in range(size)]
            run.add(*trials)
            steps.append(0)

            def count() -> int:
                steps[-1] += 1
                return 0

            store._database._connection.set_progress_handler(count, 1)
            run.add(*trials[-10:])
            store._database._connection.set_progress_handler(None, 0)
    assert 0 < steps[1] < 1.5 * steps[0], steps


def test_a_batch_sent_again_that_is_larger_than_one_question(begin: Any, store: Any) -> None:
    run = begin(store, size=900)
    trials = tuple(run.trial(index) for index in range(900))
    run.add(*trials[:450], *trials[460:])
    run.add(*trials)
    assert run.trials() == trials


def test_another_result_under_the_same_key_does_not_replace_the_first(run: Any) -> None:
    kept = run.trial(0)
    other = run.trial(0, output=Output(value="other"), scores=(Score(name="a", value=1), Score(name="b", value=1)))
    run.add(kept)
    run.add(other, run.trial(1))
    assert run.trials() == (kept, run.trial(1))


def test_large_values_survive_a_batch_sent_again(run: Any, path: Path) -> None:
    run.add(run.trial(0))
    large = run.trial(1, output=Output(value="x" * 100_000))
    run.add(run.trial(0), large)
    assert run.trials()[1] == large
    assert check(path).ok


def test_the_last_attempt_at_a_trial_is_its_result(run: Any) -> None:
    failed = run.trial(0, outcome="errored", scores=())
    again = run.trial(0, attempt=2)
    run.add(again)
    run.add(failed)
    run.finish()
    assert run.trials() == (again,)
    assert run.store.trial(run.run_id, "math", "case-000") == again
    assert run.store.runs()[0].counts == {"passed": 1, "missed": 0, "errored": 0, "unscored": 0}


def test_repeats_of_a_case_are_trials_of_their_own_and_come_in_the_order_of_the_cases(run: Any) -> None:
    trials = [run.trial(index, number=number) for index in range(3) for number in (1, 2)]
    run.add(*reversed(trials))
    assert run.trials() == tuple(trials)


def test_a_dataset_is_stored_once_and_its_versions_apart(store: Any, begin: Any, path: Path) -> None:
    for _ in range(3):
        begin(store, size=4)
    begin(store, size=5)
    counts = check(path).counts
    assert counts["datasets"] == 2
    assert counts["cases"] == 9
    assert counts["suites"] == 4


def test_only_the_selected_cases_come_back(store: Any, begin: Any) -> None:
    run = begin(store, size=5)
    info = store.load(run.run_id).suite("math").info
    part = dataclasses.replace(info, name="part", planned=2, selection="-k")
    chosen = (run.dataset.cases[3], run.dataset.cases[1])
    store.add_suite(run.run_id, part, run.dataset, chosen)
    assert store.load(run.run_id).suite("part").cases == chosen
    assert store.load(run.run_id).suite("part").info.is_partial
    assert store.load(run.run_id).suite("math").cases == run.dataset.cases


def test_a_run_taken_up_again_keeps_what_it_had(store: Any, begin: Any, path: Path) -> None:
    run = begin(store)
    run.add(run.trial(0))
    run.finish(status="interrupted")
    with open_store(path) as later:
        again = begin(later, run_id=run.run_id)
        assert later.load(run.run_id).status == "running"
        again.add(again.trial(1))
        again.finish()
        loaded = later.load(run.run_id)
    assert loaded.status == "complete"
    assert loaded.suite("math").trials == (run.trial(0), run.trial(1))


def test_a_run_is_not_taken_up_on_another_version_of_its_dataset(store: Any, begin: Any) -> None:
    run = begin(store, size=3)
    with pytest.raises(StoreError, match="another version of its dataset"):
        begin(store, size=4, run_id=run.run_id)
    assert store.load(run.run_id).suite("math").cases == run.dataset.cases


def test_trials_of_a_suite_or_run_that_was_never_begun(store: Any, begin: Any) -> None:
    run = begin(store)
    with pytest.raises(NotFound, match='no suite "other"'):
        store.add_trials(run.run_id, "other", [run.trial(0)])
    with pytest.raises(NotFound, match="no run"):
        store.finish_run(new_id(), status="failed", finished_at=run.trial(0).started_at, metrics=[], verdicts=[])
    with pytest.raises(NotFound, match="no run"):
        store.load(new_id())
    with pytest.raises(NotFound, match=r'no suite "mth".*Did you mean "math"'):
        store.trial(run.run_id, "mth", "case-000")
    with pytest.raises(NotFound, match="no trial 2"):
        store.trial(run.run_id, "math", "case-000", 2)


def test_a_failed_call_writes_nothing_of_it(store: Any, begin: Any, path: Path) -> None:
    run = begin(store)
    broken = run.trial(1, outcome=None)
    with pytest.raises(StoreError):
        run.add(run.trial(0, output=Output(value="x" * 50_000)), broken)
    assert run.trials() == ()
    run.add(run.trial(0, output=Output(value="x" * 50_000)))
    assert run.trials()[0].output.value == "x" * 50_000
    assert check(path).counts["blobs"] == 1
