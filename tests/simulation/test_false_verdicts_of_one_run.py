"""Suites whose truth is exactly at the bound: a smaller edition of `python -m benchmarks.simulation`."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("numpy", reason="the simulations draw with numpy")

from benchmarks.simulation import graded, kinds, labels, measured, records, repeats, shares, stopping, tables
from benchmarks.simulation.cells import OURS, Errors, confirmed, highest

NOMINAL = 0.025
DRAWS = 800
SLACK = 3 * math.sqrt(NOMINAL * (1 - NOMINAL) / DRAWS)
"""Three standard errors of a rate of 2.5 % in so many suites."""


def _keeps_its_word(errors: Errors, slack: float = SLACK) -> bool:
    return errors.false_pass <= NOMINAL + slack and errors.false_fail <= NOMINAL + slack


def test_right_or_wrong_answers_keep_the_promise_exactly_and_the_normal_interval_breaks_it():
    cells = list(shares.cells())
    assert all(_keeps_its_word(cell.found[OURS], 0) for cell in cells)
    rate, where = highest(cells, "z (Wald)", "false_pass")
    assert rate == pytest.approx(0.669, abs=5e-4)
    assert where.startswith("40 cases")


@pytest.mark.slow
@pytest.mark.parametrize("scenario", repeats.SCENARIOS, ids=lambda one: one.name)
def test_repeats_keep_the_promise(scenario):
    assert _keeps_its_word(repeats.on_mean(scenario, draws=DRAWS, seed=4).found[OURS])


def test_trials_taken_for_cases_are_wrong_many_times_as_often():
    always_or_never = repeats.Scenario(chances=repeats.KINDS[2], cases=40, trials=5)
    found = repeats.on_mean(always_or_never, draws=DRAWS, seed=5).found
    naive = found["Wilson on trials"]
    assert 1 - naive.false_pass - naive.false_fail < 0.65
    assert found["t over cases"].false_pass > 0.05
    assert _keeps_its_word(found[OURS])


@pytest.mark.slow
@pytest.mark.parametrize("statistic", repeats.REDUCERS)
@pytest.mark.parametrize("kind", range(5))
def test_gates_on_reducers_keep_the_promise(kind, statistic):
    scenario = repeats.Scenario(chances=repeats.KINDS[kind], cases=40, trials=3)
    assert _keeps_its_word(repeats.on_reducer(scenario, statistic, draws=DRAWS, seed=6).found[OURS])


@pytest.mark.slow
@pytest.mark.parametrize("scores", [*graded.GRADED, *graded.WINS], ids=lambda one: one.name)
def test_graded_scores_and_win_rates_keep_the_promise(scores):
    assert _keeps_its_word(graded.on_scores(scores, scores.sizes[1], draws=DRAWS, seed=7).found[OURS])


def test_few_graded_scores_with_a_tail_are_where_the_t_interval_fails():
    found = graded.on_scores(graded.GRADED[0], 20, draws=600, seed=8).found
    assert found["t"].false_pass > 0.1
    assert found["Korn-Graubard"].false_pass > 0.03
    assert found[OURS].false_pass <= NOMINAL


@pytest.mark.slow
@pytest.mark.parametrize("scenario", graded.CLUSTERS[::3], ids=lambda one: one.name)
def test_clusters_keep_the_promise(scenario):
    assert _keeps_its_word(graded.on_clusters(scenario, draws=DRAWS, seed=9).found[OURS])


@pytest.mark.slow
@pytest.mark.parametrize("times", measured.TIMES, ids=lambda one: one.name)
def test_times_with_moderate_tails_keep_the_promise(times):
    assert _keeps_its_word(measured.on_times(times, times.sizes[0], draws=DRAWS, seed=10).found[OURS])


def test_quantiles_keep_the_promise_exactly():
    cells = list(measured.quantile_cells(draws=60, seed=11))
    assert all(_keeps_its_word(cell.found[OURS], 0) for cell in cells)


@pytest.mark.slow
def test_figures_of_labels_keep_the_promise():
    pytest.importorskip("scipy", reason="the bootstrap needs scipy")
    found = labels.on_labels(labels.SCENARIOS[0], "kappa", draws=200, seed=12).found
    assert _keeps_its_word(found[OURS], 3 * math.sqrt(NOMINAL * (1 - NOMINAL) / 200))


def test_a_stop_that_is_decided_is_never_another_verdict_and_a_likely_one_seldom():
    for one in stopping.cells(runs=200, seed=13):
        assert one.otherwise["decided"] == 0
        assert one.otherwise["anytime"] <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / 200)
        assert one.run["anytime"] <= one.run["decided"] + 0.05


def test_the_simulated_truths_are_right():
    """The moments of each scenario, against a large sample of its chances."""
    import numpy as np

    rng = np.random.default_rng(1)
    for scenario in repeats.SCENARIOS:
        chances = scenario.chances.draw(rng, 200_000)
        for k in (1, 2, 3):
            assert scenario.chances.moments(k) == pytest.approx(float((chances**k).mean()), abs=0.004)
    for scores in (*graded.GRADED, *graded.WINS, *graded.UNSEEN):
        assert scores.truth == pytest.approx(float(scores.draw(rng, (200, 1_000)).mean()), abs=0.004)
    for times in (*measured.TIMES, *measured.HARD):
        assert times.truth == pytest.approx(float(times.draw(rng, (400, 1_000)).mean()), rel=0.02)


def test_the_cells_that_look_worst_are_drawn_again_with_other_numbers():
    cells = list(graded.cells(graded.WINS, draws=30, seed=14))
    again = confirmed(cells, draws=60, seed=14)
    assert {cell.draws for cell in again} == {60}
    assert {cell.grid for cell in again} == {"first", "second"}
    assert {cell.scenario for cell in again} <= {cell.scenario for cell in cells}


def test_the_tables_name_every_kind_and_its_worst_scenario():
    kind = next(kind for kind in kinds.KINDS if kind.key == "wins")
    found = kinds.simulate(kind, draws=20, seed=15)
    summary = tables.summary([found])
    assert kind.gate in summary
    assert kind.naive_name in summary
    shown = tables.details([found])
    assert any(cell.scenario in shown for cell in found.worst)
    assert all(method in shown for method in found.cells[0].found)


def test_figures_that_are_kept_come_back_and_give_the_same_tables(tmp_path):
    kind = next(kind for kind in kinds.KINDS if kind.key == "wins")
    found, stopped = kinds.simulate(kind, draws=20, seed=16), list(stopping.cells(runs=3, seed=16))
    file = tmp_path / "results.json"
    records.keep([found], stopped, file)
    (again,), also = records.read(file)
    assert tables.details([again]) == tables.details([found])
    assert tables.stopping(also, runs=3) == tables.stopping(stopped, runs=3)
