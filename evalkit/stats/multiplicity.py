"""Many comparisons at once: p-values adjusted so that the smallest of them is not taken for more than it is.

`holm` is for choosing the best of several candidates: the chance of any false claim stays at the level.
`benjamini_hochberg` is for marks on many slices: of those marked, the expected share of false ones stays at the
level. `benjamini_yekutieli` is the same whatever the dependence between the p-values. Each gives adjusted p-values
in the order of the input, to be held against the level itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: p_(i) · (m − i + 1), never below those before it, never above 1.

    Source: Holm (1979). Raises `ValueError` for a p-value outside [0, 1].
    """
    m = len(p_values)
    return _stepped(p_values, lambda rank, p: p * (m - rank + 1), upwards=True)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q-values: p_(i) · m / i, never above those after it.

    Source: Benjamini and Hochberg (1995). Raises `ValueError` for a p-value outside [0, 1].
    """
    m = len(p_values)
    return _stepped(p_values, lambda rank, p: p * m / rank, upwards=False)


def benjamini_yekutieli(p_values: Sequence[float]) -> list[float]:
    """The q-values of Benjamini and Hochberg times 1 + 1/2 + … + 1/m, which holds under any dependence.

    Source: Benjamini and Yekutieli (2001). Raises `ValueError` for a p-value outside [0, 1].
    """
    m = len(p_values)
    factor = sum(1 / rank for rank in range(1, m + 1))
    return _stepped(p_values, lambda rank, p: p * m * factor / rank, upwards=False)


def _stepped(p_values: Sequence[float], adjust: Callable[[int, float], float], *, upwards: bool) -> list[float]:
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError("a p-value lies between 0 and 1")
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    raw = [min(adjust(rank, p_values[position]), 1.0) for rank, position in enumerate(order, 1)]
    steps = list(itertools.accumulate(raw, max)) if upwards else list(itertools.accumulate(raw[::-1], min))[::-1]
    adjusted = [0.0] * len(order)
    for position, value in zip(order, steps, strict=True):
        adjusted[position] = value
    return adjusted
