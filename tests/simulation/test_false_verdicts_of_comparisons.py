"""A candidate exactly at the margin passes, and fails, no more often than it may; the naive ways do far more often."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("numpy", reason="the simulations draw with numpy")

from benchmarks.simulation import pairs
from benchmarks.simulation.comparisons import (
    DISCORDANCES,
    OTHER_DISCORDANCES,
    Scenario,
    enumerate_alarms,
    enumerate_errors,
    enumerate_gains,
    other_scenarios,
    scenarios,
)

NOMINAL = 0.025
UP_TO_100 = [one for one in (*scenarios(), *other_scenarios()) if one.n <= 100]
"""The larger ones are left to the benchmarks."""


def _slack(draws: int) -> float:
    """Three standard errors of a rate of 2.5 % in so many draws."""
    return 3 * math.sqrt(NOMINAL * (1 - NOMINAL) / draws)


@pytest.mark.parametrize(
    ("n", "margin", "discordance", "by_t", "by_tango"),
    [(20, 0.02, 0.02, 0.668, 0.0), (50, 0.02, 0.02, 0.364, 0.0), (100, 0.05, 0.05, 0.118, 0.006)],
)
def test_the_t_interval_passes_what_ours_does_not(n, margin, discordance, by_t, by_tango):
    found = enumerate_errors(Scenario(n=n, margin=margin, discordance=discordance))
    assert found["paired t"].false_pass == pytest.approx(by_t, abs=5e-4)
    assert found["Tango as published"].false_pass == pytest.approx(by_tango, abs=5e-4)
    assert found["evalkit"].false_pass <= found["Tango as published"].false_pass
    assert found["means compared"].false_pass > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("scenario", UP_TO_100, ids=lambda one: one.name)
def test_no_margin_is_judged_wrongly_more_often_than_it_may_be(scenario):
    """Enumerated, so there is nothing to allow for."""
    margin, gain = enumerate_errors(scenario)["evalkit"], enumerate_gains(scenario)["evalkit"]
    for rate in (margin.false_pass, margin.false_fail, gain.false_pass, gain.false_fail):
        assert rate <= NOMINAL


@pytest.mark.parametrize("discordance", [*DISCORDANCES, *OTHER_DISCORDANCES])
def test_an_alarm_is_rarely_false(discordance):
    found = enumerate_alarms(50, discordance)
    assert found["evalkit"].false_fail <= NOMINAL
    assert found["any drop of the mean"].false_fail > 0.2


def test_a_few_cases_that_fail_entirely_are_not_overlooked():
    found = pairs.on_change(pairs.REPEATED[2], 20, 0.05, draws=400, seed=1).found
    assert found["evalkit"].false_pass <= NOMINAL
    assert found["paired t"].false_pass > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("change", [*pairs.REPEATED, *pairs.GRADED], ids=lambda one: one.name)
def test_repeats_and_graded_scores_are_judged_wrongly_about_as_often_as_they_may_be(change):
    found = pairs.on_change(change, 50, 0.1, draws=1_000, seed=2).found["evalkit"]
    assert found.false_pass <= NOMINAL + _slack(1_000)
    assert found.false_fail <= NOMINAL + _slack(1_000)


def test_a_margin_in_per_cent_is_judged_wrongly_about_as_often_as_it_may_be():
    found = pairs.on_cost(100, 0.5, 0.3, "first", draws=600, seed=3).found
    assert found["evalkit"].false_pass <= NOMINAL + _slack(600)
    assert found["evalkit"].false_fail <= NOMINAL + _slack(600)
    assert found["means compared"].false_pass > 0.4
