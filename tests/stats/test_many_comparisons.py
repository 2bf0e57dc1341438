"""Adjusted p-values are those of R's p.adjust, whatever the order they come in."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, holm

TEN = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216]
BH = [0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.1057142857, 0.216, 0.216, 0.216]


def test_holm_is_that_of_r():
    found = holm(TEN)
    assert found == pytest.approx([0.01, 0.072, 0.312, 0.312, 0.312, 0.312, 0.312, 0.615, 0.615, 0.615])


def test_benjamini_hochberg_is_that_of_r():
    assert benjamini_hochberg(TEN) == pytest.approx(BH, abs=5e-11)


def test_benjamini_yekutieli_is_that_of_r():
    found = benjamini_yekutieli(TEN)
    assert found[0] == pytest.approx(0.0292896825, abs=5e-11)
    assert found == pytest.approx([min(1.0, q * 2.9289682540) for q in BH], abs=5e-9)


P_VALUES = st.lists(st.floats(0, 1), max_size=12)


@given(p_values=P_VALUES, seed=st.integers(0, 99))
@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg, benjamini_yekutieli])
def test_the_order_does_not_matter_and_nothing_gets_smaller(adjust, p_values, seed):
    found = adjust(p_values)
    assert all(p <= q <= 1 or q == pytest.approx(p) for p, q in zip(p_values, found, strict=True))
    mixed = list(range(len(p_values)))
    random.Random(seed).shuffle(mixed)
    assert adjust([p_values[i] for i in mixed]) == pytest.approx([found[i] for i in mixed])


def test_what_is_no_p_value():
    assert holm([]) == []
    with pytest.raises(ValueError, match="between 0 and 1"):
        benjamini_hochberg([0.5, 1.5])
