"""How far several raters agree, beyond what chance would give: Krippendorff's α and Fleiss' κ.

Ratings come as a row for each item, a place for each rater; `None` is a rating that was not given.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Literal

Scale = Literal["nominal", "ordinal", "interval", "ratio"]


def krippendorff_alpha(ratings: Sequence[Sequence[Hashable | None]], *, scale: Scale = "nominal") -> float | None:
    """Agreement beyond chance: 1 for perfect, 0 for chance, below for less than chance.

    `None` where nothing can be compared: no item has two ratings, or all ratings are the same. Values are numbers
    where `scale` is not nominal; ordinal ones are taken in their order. Source: Krippendorff (2011), "Computing
    Krippendorff's alpha-reliability". Raises `TypeError` for values that cannot be ordered or subtracted.
    """
    units = [[value for value in row if value is not None] for row in ratings]
    units = [unit for unit in units if len(unit) > 1]
    together: Counter[tuple[Hashable, Hashable]] = Counter()
    weights: dict[tuple[Hashable, Hashable], float] = {}
    for unit in units:
        for one, other in itertools.permutations(unit, 2):
            together[one, other] += 1
            weights[one, other] = weights.get((one, other), 0.0) + 1 / (len(unit) - 1)
    totals: dict[Hashable, float] = {}
    for (one, _), weight in weights.items():
        totals[one] = totals.get(one, 0.0) + weight
    n = math.fsum(totals.values())
    if len(totals) < 2:
        return None
    distance = _distance(scale, totals)
    observed = math.fsum(weight * distance(one, other) for (one, other), weight in weights.items()) / n
    chance = math.fsum(
        totals[one] * totals[other] * distance(one, other) for one, other in itertools.permutations(totals, 2)
    ) / (n * (n - 1))
    return 1 - observed / chance


def _distance(scale: Scale, totals: Mapping[Hashable, float]) -> Callable[[Hashable, Hashable], float]:
    if scale == "nominal":
        return lambda one, other: float(one != other)
    values: Mapping[Hashable, float] = {value: float(value) for value in totals}  # type: ignore[arg-type]  # numbers, as the docstring asks
    if scale == "interval":
        return lambda one, other: (values[one] - values[other]) ** 2
    if scale == "ratio":
        return lambda one, other: _relative(values[one], values[other])
    # Ordinal: as many ratings as lie between two values, each end counted half.
    running = 0.0
    place: dict[Hashable, float] = {}
    for value in sorted(totals, key=lambda value: values[value]):
        place[value] = running + totals[value] / 2
        running += totals[value]
    return lambda one, other: (place[one] - place[other]) ** 2


def _relative(one: float, other: float) -> float:
    return ((one - other) / (one + other)) ** 2 if one + other else 0.0


def fleiss_kappa(ratings: Sequence[Sequence[Hashable]]) -> float | None:
    """Agreement of as many raters on each item, whoever they are; `None` where all ratings are the same.

    Source: Fleiss (1971). Raises `ValueError` where the items have not all the same number of ratings, at least two.
    """
    sizes = {len(row) for row in ratings}
    if len(sizes) != 1 or min(sizes) < 2:
        raise ValueError(f"every item needs the same number of ratings, at least two; here are {sorted(sizes)}")
    raters = sizes.pop()
    counts = [Counter(row) for row in ratings]
    agreeing = math.fsum(
        (sum(number**2 for number in count.values()) - raters) / (raters * (raters - 1)) for count in counts
    ) / len(counts)
    totals: Counter[Hashable] = sum(counts, Counter())
    chance = math.fsum((number / (len(counts) * raters)) ** 2 for number in totals.values())
    return None if math.isclose(chance, 1) else (agreeing - chance) / (1 - chance)
