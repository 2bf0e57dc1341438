"""What storing costs, in seconds of CPU, since a session is to cost little more than plain pytest's."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from evalkit.score import Score
from evalkit.store import open_store


def best_of(times: int, work: Callable[[int], Any]) -> float:
    """The least CPU that `work` took: the other processes of the machine only ever add to it."""

    def once(number: int) -> float:
        start = time.process_time()
        work(number)
        return time.process_time() - start

    return min(once(number) for number in range(times))


@pytest.mark.slow
def test_a_trial_with_a_score_costs_less_than_a_tenth_of_a_millisecond(store: Any, begin: Any, path: Any) -> None:
    run = begin(store, size=1000)
    batches = [[run.trial(i + j) for j in range(10)] for i in range(0, 1000, 10)]

    def write(number: int) -> None:
        run = begin(store, size=1000)
        for batch in batches:
            run.add(*batch)

    assert best_of(5, write) < 0.1


@pytest.mark.slow
def test_ten_thousand_trials_of_five_scores_load_in_about_a_second(store: Any, begin: Any, path: Any) -> None:
    run = begin(store, size=10_000)
    chance = random.Random(1)
    for start in range(0, 10_000, 500):
        run.add(
            *(
                run.trial(
                    index,
                    scores=tuple(
                        Score(name=f"s{at}", value=chance.random() if at else True, scorer="s") for at in range(5)
                    ),
                )
                for index in range(start, start + 500)
            )
        )
    assert best_of(3, lambda _: store.load(run.run_id, payload=False)) < 1.2


def test_opening_a_store_that_is_there_costs_little(store: Any, path: Any) -> None:
    assert best_of(5, lambda _: open_store(path).close()) < 0.02
