"""Corrected gates whose truth is at their bound: a smaller edition of `python -m benchmarks.simulation.corrected`."""

from __future__ import annotations

import pytest

pytest.importorskip("numpy", reason="the simulations draw with numpy")

from benchmarks.simulation.cells import OURS
from benchmarks.simulation.corrected import JUDGE, NORMAL, Judged, on_calibration, on_labels

LENIENT = Judged(truth=0.9, hits=0.99, rejections=0.5, labels=30, cases=200)
FAIR = Judged(truth=0.9, hits=0.95, rejections=0.9, labels=100, cases=500)


def test_the_normal_error_passes_what_is_at_the_bound_and_ours_does_not():
    found = on_labels(LENIENT, draws=400, seed=1).found
    assert found[NORMAL].false_pass > 0.15
    assert found[OURS].false_pass <= 0.06
    assert found[OURS].false_fail <= 0.05


def test_a_judge_taken_at_its_word_is_wrong_nearly_always_and_a_calibrated_one_seldom():
    found = on_calibration(FAIR, draws=600, seed=2).found
    assert found[JUDGE].false_fail > 0.5
    assert found[OURS].false_pass <= 0.06
    assert found[OURS].false_fail <= 0.09
