"""Means corrected for a judge's mistakes, from labels that people gave to some of the cases.

Two ways, for two situations: prediction-powered inference where a random part of this run was labelled, Rogan and
Gladen's estimate where one calibration set serves many runs.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from evalkit.stats.intervals import Interval, clopper_pearson
from evalkit.stats.special import normal_quantile, t_quantile

FEWEST_LABELS = 30
"""Below this many labels the normal approximation of either interval is not to be trusted."""

LEAST_INFORMATIVE = 0.2
"""A judge of whom even q₀ + q₁ − 1 > 0.2 is not certain says too little to be corrected."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A corrected mean with its standard error, and the interval of ± z standard errors at `level`.

    `weight` is how much the judge was listened to, from 0 (labels alone) to 1; `None` for Rogan and Gladen. `labels`
    counts the cases with a label, `others` those with the judge's verdict only.
    """

    value: float
    error: float
    low: float
    high: float
    level: float
    labels: int
    others: int
    weight: float | None = None


def prediction_powered(
    labels: Sequence[float],
    judged: Sequence[float],
    others: Sequence[float],
    *,
    weight: float | None = None,
    level: float = 0.95,
) -> Corrected:
    """The mean of what people would say, from a random labelled part of a run and the judge's verdicts on all of it.

    `labels` and `judged` belong to the same cases, in the same order; `others` are the verdicts on cases without a
    label. Right on average whatever the judge does, as long as the labelled cases are a random choice: a bad judge
    only makes it less certain. `weight` is chosen to make the error smallest, and kept within 0 and 1, unless it is
    given. All values may be differences between two systems too. Source: Angelopoulos, Duchi and Zrnic (2023), PPI++.

    Raises `ValueError` for fewer than two labels, no others, or unequal lengths.
    """
    n, rest = len(labels), len(others)
    if len(judged) != n:
        raise ValueError(f"{n} labels and {len(judged)} verdicts on the same cases")
    if n < 2 or rest < 1:
        raise ValueError(f"{n} labels and {rest} other cases are too few to correct anything")
    if weight is None:
        weight = _weight(labels, judged, others)
    residuals = [label - weight * verdict for label, verdict in zip(labels, judged, strict=True)]
    value = weight * _mean(others) + _mean(residuals)
    error = math.sqrt(weight**2 * _variance(others) / rest + _variance(residuals) / n)
    half = normal_quantile((1 - level) / 2) * error
    return Corrected(
        value=value,
        error=error,
        low=value - half,
        high=value + half,
        level=level,
        labels=n,
        others=rest,
        weight=weight,
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Powered:
    """A corrected share in [0, 1], its variance, and the fewest and the most independent cases it can be worth."""

    value: float
    variance: float
    fewest: float
    most: float

    def interval(self, *, level: float = 0.95) -> Interval:
        """The exact interval of a share of as many right-or-wrong cases as this one's variance amounts to.

        Normal errors are too sure of themselves near 0 and 1, where they may even be 0. Korn and Graubard (1998) do
        the same for surveys. docs/design/judges.md has what either does to a gate whose bound is the truth.
        """
        value = min(max(self.value, 0.0), 1.0)
        worth = self.most if self.variance <= 0 else value * (1 - value) / self.variance
        n = min(max(worth, self.fewest), self.most)
        return clopper_pearson(n * value, n, level=level)


def powered_share(
    labels: Sequence[float], judged: Sequence[float], others: Sequence[float], *, level: float = 0.95
) -> Powered:
    """`prediction_powered` for values in [0, 1], as a share whose interval holds near 0 and 1 too.

    Where the judge was hardly ever wrong, its mistakes are too few to say how often it is: their variance is taken to
    be at least that of two mistakes. With the best weight, the judge never makes it worse than the labels alone.
    Without `others` every case is labelled, and the judge has nothing to add.
    """
    n = len(labels)
    if not others:
        return Powered(value=_mean(labels), variance=_variance(labels) / n, fewest=n, most=n)
    found = prediction_powered(labels, judged, others)
    weight = found.weight or 0.0
    residuals = _variance([label - weight * verdict for label, verdict in zip(labels, judged, strict=True)])
    tail = (1 - level) / 2
    shrink = (normal_quantile(tail) / t_quantile(tail, n - 1)) ** 2
    variance = (weight**2 * _variance(others) / len(others) + max(residuals, 2 / n) / n) / shrink
    return Powered(value=found.value, variance=variance, fewest=n, most=n + len(others))


def mixed(share: Powered, *, of: int, ones: float = 0, zeros: float = 0) -> Powered:
    """`share` of `of` cases, together with others whose value is known to be 1 or 0.

    How many of each kind there are is a matter of chance too: what lies between the kinds adds to the variance.
    """
    total = of + ones + zeros
    part, value = of / total, min(max(share.value, 0.0), 1.0)
    mean = part * value + ones / total
    between = max(part * value**2 + ones / total - mean**2, 0.0) / total
    return Powered(
        value=mean,
        variance=part**2 * share.variance + between,
        fewest=share.fewest,
        most=share.most + ones + zeros,
    )


def _weight(labels: Sequence[float], judged: Sequence[float], others: Sequence[float]) -> float:
    # λ = Cov(Y, Ŷ) / ((1 + n/N) Var(Ŷ)), the variance over all verdicts
    everything = [*judged, *others]
    spread = _variance(everything, lost=1)
    if spread == 0:
        return 0.0
    label, verdict = _mean(labels), _mean(judged)
    shared = math.fsum((y - label) * (f - verdict) for y, f in zip(labels, judged, strict=True)) / len(labels)
    return min(max(shared / ((1 + len(labels) / len(others)) * spread), 0.0), 1.0)


def rogan_gladen(
    passed: int,
    n: int,
    *,
    true_positives: int,
    positives: int,
    true_negatives: int,
    negatives: int,
    level: float = 0.95,
    added: float = 0.0,
) -> Corrected:
    """The share that people would pass, from the share that a judge passed and its record on a calibration set.

    The judge passed `passed` of `n`; on the calibration set it passed `true_positives` of the `positives` that people
    had passed, and failed `true_negatives` of the `negatives` that they had failed. θ̂ = (p̂ + q₀ − 1) / (q₀ + q₁ − 1),
    its variance by the delta method, cut to [0, 1]. It assumes that the judge errs on this system as it did on
    the calibration set. Source: Rogan and Gladen (1978); the variance as in Lee et al. (2025), arXiv 2511.21140.

    `added` successes and failures are added to either rate in the variance, and only there: a judge that was right 20
    times out of 20 is not one that never errs. Gates add one of each.

    Raises `ValueError` for an empty class or no cases, and where `informative` is false: such a judge cannot be
    corrected.
    """
    if n < 1 or positives < 1 or negatives < 1:
        raise ValueError("the correction needs judged cases, and labels of both classes")
    hit, reject = true_positives / positives, true_negatives / negatives
    strength = hit + reject - 1
    if strength <= 0:
        raise ValueError("the judge passes what people fail at least as often as what they pass")
    share = passed / n
    value = (share + reject - 1) / strength
    seen_hit = (true_positives + added) / (positives + 2 * added)
    seen_reject = (true_negatives + added) / (negatives + 2 * added)
    spread = (
        share * (1 - share) / n
        + value**2 * seen_hit * (1 - seen_hit) / positives
        + (1 - value) ** 2 * seen_reject * (1 - seen_reject) / negatives
    )
    error = math.sqrt(spread) / strength
    half = normal_quantile((1 - level) / 2) * error
    return Corrected(
        value=min(max(value, 0.0), 1.0),
        error=error,
        low=max(value - half, 0.0),
        high=min(value + half, 1.0),
        level=level,
        labels=positives + negatives,
        others=n,
    )


def informative(
    *, true_positives: int, positives: int, true_negatives: int, negatives: int, level: float = 0.95
) -> bool:
    """Whether a judge's verdicts say enough to be corrected: q₀ + q₁ − 1 is above 0.2 even at its lower bound."""
    if positives < 1 or negatives < 1:
        return False
    hit, reject = true_positives / positives, true_negatives / negatives
    error = math.sqrt(hit * (1 - hit) / positives + reject * (1 - reject) / negatives)
    return hit + reject - 1 - normal_quantile((1 - level) / 2) * error > LEAST_INFORMATIVE


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _variance(values: Sequence[float], *, lost: int = 0) -> float:
    mean = _mean(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - lost)
