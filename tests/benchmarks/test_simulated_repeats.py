"""How often gates on repeats are wrong: a smaller edition of benchmarks/simulation/repeats.py, with its seed."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "benchmarks/simulation/repeats.py"
SUITES = 3_000
SLACK = 3 * math.sqrt(0.025 * 0.975 / SUITES)
"""Three standard errors of a rate of 2.5 % in so many suites."""


@pytest.fixture(scope="module")
def simulation():
    pytest.importorskip("numpy", reason="the simulation draws with numpy")
    spec = importlib.util.spec_from_file_location("simulated_repeats", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("number", range(5))
def test_korn_graubard_is_wrong_about_as_often_as_it_says(simulation, number):
    found = simulation.on_means(simulation.SCENARIOS[number], SUITES)
    coverage, false_pass, false_fail = found["Korn-Graubard"].rates
    assert coverage >= 0.95 - SLACK
    # The worst of the table is .031, with 20 cases.
    assert false_pass <= 0.031 + SLACK
    assert false_fail <= 0.025 + SLACK


@pytest.mark.slow
def test_trials_taken_for_cases_are_wrong_many_times_as_often(simulation):
    always_or_never = simulation.SCENARIOS[2]
    found = simulation.on_means(always_or_never, SUITES)
    assert found["Wilson on trials"].rates[0] < 0.65
    assert found["t over cases"].rates[1] > 0.06
    assert found["Korn-Graubard"].rates[0] > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("number", range(5))
def test_gates_on_reducers_are_wrong_about_as_often_as_they_say(simulation, number):
    for tally in simulation.on_reducers(simulation.SCENARIOS[number], SUITES, simulation.REDUCERS).values():
        coverage, too_high, too_low = tally.rates
        assert coverage >= 0.95 - SLACK
        assert too_high <= 0.026 + SLACK
        assert too_low <= 0.029 + SLACK


def test_the_simulated_truths_are_right(simulation):
    """The moments of each scenario, against a large sample of its chances."""
    import numpy as np

    for scenario in simulation.SCENARIOS:
        chances = scenario.draw(np.random.default_rng(1), 400_000)
        for k in (1, 2, 3):
            assert scenario.moments(k) == pytest.approx(float((chances**k).mean()), abs=0.003)
