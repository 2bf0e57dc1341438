"""Whether a judge can stand in for the people who label: the alternative annotator test."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Literal

from evalkit.stats.multiplicity import benjamini_yekutieli
from evalkit.stats.special import beta_cdf

EXPERT, SKILLED, CROWD = 0.2, 0.15, 0.1
"""ε, what an annotator costs more than a judge, as a share of items: for experts, for skilled people, for a crowd."""

FEWEST_ANNOTATORS = 3
FEWEST_ITEMS = 30


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """The judge beside one annotator: how often each is at least as close to all the others, and the p-value."""

    annotator: int
    items: int
    judge: float
    human: float
    p: float
    adjusted: float
    beaten: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """The outcome. `winning_rate` ω is the share of annotators whom the judge can replace, `advantage` ρ the share of
    items on which it is at least as close to the others as the annotator left out. `passed` is ω ≥ 0.5.
    """

    winning_rate: float
    advantage: float
    epsilon: float
    passed: bool
    against: tuple[Against, ...]


def alternative_test(
    judge: Sequence[float | str],
    humans: Sequence[Sequence[float | str | None]],
    *,
    epsilon: float = SKILLED,
    alignment: Literal["same", "distance"] = "same",
    q: float = 0.05,
) -> Alternative:
    """Leave each annotator out in turn, and ask who agrees more with the rest: the judge, or the one left out.

    `judge` has a label for each item, `humans` a row for each item with a place for each annotator; `None` is a label
    that was not given. `alignment` counts equal labels, or, for numbers, takes the root of the mean squared distance.
    An annotator is beaten where a one-sided t-test of (human − judge) < ε holds after Benjamini and Yekutieli's
    correction at `q`. Source: Calderon, Reichart and Dror (2025), arXiv 2501.10970.

    Raises `ValueError` for fewer than three annotators, or one with fewer than 30 items that others labelled too.
    """
    count = len(humans[0]) if humans else 0
    if count < FEWEST_ANNOTATORS:
        raise ValueError(f"the test needs three annotators or more, and there are {count}")
    align: Callable[[float | str, Sequence[float | str]], float] = _same if alignment == "same" else _close
    found = []
    for left_out in range(count):
        pairs = [
            (align(judge[place], others), align(own, others))
            for place, row in enumerate(humans)
            if (own := row[left_out]) is not None
            and (others := [label for at, label in enumerate(row) if at != left_out and label is not None])
        ]
        if len(pairs) < FEWEST_ITEMS:
            raise ValueError(
                f"annotator {left_out + 1} shares {len(pairs)} items with others, and the test needs {FEWEST_ITEMS}"
            )
        by_judge = [float(one >= other) for one, other in pairs]
        by_human = [float(other >= one) for one, other in pairs]
        gains = [human - machine for human, machine in zip(by_human, by_judge, strict=True)]
        found.append((left_out, len(pairs), _mean(by_judge), _mean(by_human), _less(gains, epsilon)))
    adjusted = benjamini_yekutieli([p for *_, p in found])
    against = tuple(
        Against(annotator=who, items=items, judge=machine, human=human, p=p, adjusted=one, beaten=one <= q)
        for (who, items, machine, human, p), one in zip(found, adjusted, strict=True)
    )
    rate = sum(one.beaten for one in against) / count
    return Alternative(
        winning_rate=rate,
        advantage=_mean([one.judge for one in against]),
        epsilon=epsilon,
        passed=rate >= 0.5,
        against=against,
    )


def _same(label: float | str, others: Sequence[float | str]) -> float:
    return sum(label == other for other in others) / len(others)


def _close(label: float | str, others: Sequence[float | str]) -> float:
    return -math.sqrt(_mean([(float(label) - float(other)) ** 2 for other in others]))


def _less(values: Sequence[float], bound: float) -> float:
    """The p-value of the one-sided t-test that the mean of `values` is below `bound`."""
    n, mean = len(values), _mean(values)
    spread = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    if spread == 0:
        return 0.0 if mean < bound else 1.0
    return _t_cdf((mean - bound) / math.sqrt(spread / n), n - 1)


def _t_cdf(t: float, df: int) -> float:
    tail = beta_cdf(df / (df + t * t), df / 2, 0.5) / 2
    return tail if t < 0 else 1 - tail


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
