"""Runs that stop early: how often the verdict is not that of the full run, and how many cases were saved."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator

import numpy as np

from benchmarks.simulation.shares import wilson
from evalkit.stats.sequential import settled_early, stops_anytime

CASES, BOUND = 400, 0.9
SHARES = (0.99, 0.95, 0.90, 0.85, 0.70, 0.50)
RULES = ("decided", "anytime", "interval clears the bound")
_FIRST_LOOK = 10


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """For one true share: the share of runs with another verdict than the full run's, and the share of cases run."""

    share: float
    otherwise: dict[str, float]
    run: dict[str, float]


@functools.cache
def _decided(passes: int, done: int) -> bool | None:
    return settled_early(passes, done, CASES, BOUND)


@functools.cache
def _anytime(passes: int, done: int) -> bool | None:
    return stops_anytime(passes, done, CASES, BOUND)


@functools.cache
def _peeking(passes: int, done: int) -> bool | None:
    """Look after each case and stop as soon as an interval that is made for one look lies on one side."""
    if done == CASES:
        return passes >= BOUND * CASES
    if done < _FIRST_LOOK:
        return None
    low, high = wilson(passes, done)
    return True if low >= BOUND else False if high < BOUND else None


def cells(*, runs: int, seed: int) -> Iterator[Stopped]:
    """Suites of 400 cases in random order, with a gate on 90 % right."""
    rules = dict(zip(RULES, (_decided, _anytime, _peeking), strict=True))
    for share in SHARES:
        rng = np.random.default_rng([seed, round(100 * share)])
        otherwise, cases = dict.fromkeys(RULES, 0), dict.fromkeys(RULES, 0)
        for outcomes in rng.random((runs, CASES)) < share:
            sums = [0, *np.cumsum(outcomes).tolist()]
            full = sums[-1] >= BOUND * CASES
            for name, rule in rules.items():
                at = next(done for done in range(CASES + 1) if rule(sums[done], done) is not None)
                otherwise[name] += rule(sums[at], at) != full
                cases[name] += at
        yield Stopped(
            share=share,
            otherwise={name: count / runs for name, count in otherwise.items()},
            run={name: count / runs / CASES for name, count in cases.items()},
        )
