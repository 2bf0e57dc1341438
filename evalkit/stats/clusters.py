"""Cases that hang together: several questions on one document, several variants of one template.

They are not independent, so their clusters take the place of the cases wherever an interval counts what it has seen.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from evalkit.stats.spread import Spread, powers, spread

FEW = 10
"""Below this many clusters the variance between them is hardly known, and intervals are only a guide."""

_PATH_POINTS = 64


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """`count` clusters alike: `size` cases whose values add up to something from `least` to `most`.

    The two are the same where nothing is missing.
    """

    size: int
    least: float
    most: float
    count: int = 1


def grouped(names: Iterable[int], ends: Sequence[tuple[float, float]]) -> tuple[Cluster, ...]:
    """The clusters of cases: `names` has the cluster of each case, `ends` the least and greatest it can be."""
    members: dict[int, list[tuple[float, float]]] = {}
    for name, pair in zip(names, ends, strict=True):
        members.setdefault(name, []).append(pair)
    cells = Counter(
        (len(pairs), math.fsum(least for least, _ in pairs), math.fsum(most for _, most in pairs))
        for pairs in members.values()
    )
    return tuple(
        Cluster(size=size, least=least, most=most, count=count) for (size, least, most), count in sorted(cells.items())
    )


def cluster_variance(sizes: Sequence[int], sums: Sequence[float]) -> tuple[float, float]:
    """The mean over all cases, and its squared standard error by the variance between clusters (CR1).

    With e the sum of a cluster's distances from the mean: G/(G − 1) · Σ e² / n². With one case a cluster that is the
    sample variance over n. Source: Liang and Zeger (1986), with the correction of Stata and of R's `sandwich`.
    Raises `ValueError` for fewer than two clusters.
    """
    groups, cases = len(sizes), sum(sizes)
    if groups < 2:
        raise ValueError("no variance between fewer than two clusters")
    mean = math.fsum(sums) / cases
    squares = math.fsum((total - size * mean) ** 2 for size, total in zip(sizes, sums, strict=True))
    return mean, groups / (groups - 1) * squares / cases**2


def cluster_spread(sizes: Sequence[int], sums: Sequence[float]) -> Spread:
    """The mean over all cases with the error and the shape of the clusters' distances from it."""
    mean, variance = cluster_variance(sizes, sums)
    second, third, fourth = powers([total - size * mean for size, total in zip(sizes, sums, strict=True)])
    alike = sum(sizes) ** 2 / sum(size * size for size in sizes)
    return spread(mean, variance, len(sizes), second=second, third=third, fourth=fourth, alike=alike)


def cr0(sizes: Sequence[int], sums: Sequence[float]) -> float:
    """The squared standard error without correction, Σ e² / n²: too small for few clusters."""
    mean, cases = _mean(sizes, sums), sum(sizes)
    return math.fsum((total - size * mean) ** 2 for size, total in zip(sizes, sums, strict=True)) / cases**2


def cr2(sizes: Sequence[int], sums: Sequence[float]) -> float:
    """The squared standard error with the correction that is unbiased where clusters do not differ.

    Σ e² / (1 − size / n) / n², the closed form for a mean. Source: Bell and McCaffrey (2002), as in R's
    `clubSandwich`.
    """
    mean, cases = _mean(sizes, sums), sum(sizes)
    terms = ((total - size * mean) ** 2 / (1 - size / cases) for size, total in zip(sizes, sums, strict=True))
    return math.fsum(terms) / cases**2


def cr2_freedom(sizes: Sequence[int]) -> float:
    """The degrees of freedom of `cr2`, by Satterthwaite's argument: few where one cluster has most of the cases.

    Source: Bell and McCaffrey (2002), for a mean with independent cases of one variance, as in R's `clubSandwich`.
    Raises `ValueError` for fewer than two clusters.
    """
    if len(sizes) < 2:
        raise ValueError("no variance between fewer than two clusters")
    cases = sum(sizes)
    weights = [size / math.sqrt(1 - size / cases) for size in sizes]
    # Times cases²: a cluster's own term, and that of two clusters.
    own = math.fsum(size * size for size in sizes)
    shared = (math.fsum(w * w for w in weights) ** 2 - math.fsum(w**4 for w in weights)) / cases**2
    return cases**2 / (own + shared)


def imputed(clusters: Sequence[Cluster]) -> Iterator[Spread]:
    """The spread of the clusters for the ways to fill in what is missing that can move a limit furthest.

    All low, all high, some clusters low and the others high, and each as near to the rest as it can be.
    """
    each = [cluster for cluster in clusters for _ in range(cluster.count)]
    sizes = [cluster.size for cluster in each]
    least, most = [cluster.least for cluster in each], [cluster.most for cluster in each]
    yield cluster_spread(sizes, least)
    if least == most:
        return
    yield cluster_spread(sizes, most)
    for mean in (_mean(sizes, least), _mean(sizes, most)):
        yield cluster_spread(
            sizes, [min(max(size * mean, low), high) for size, low, high in zip(sizes, least, most, strict=True)]
        )
    loose = [at for at, cluster in enumerate(each) if cluster.least != cluster.most]
    for path in (sorted(loose, key=lambda at: least[at] / sizes[at]), sorted(loose, key=lambda at: -least[at])):
        step = max(1, math.ceil(len(path) / _PATH_POINTS))
        for flipped in range(0, len(path) + 1, step):
            high = set(path[:flipped])
            yield cluster_spread(sizes, [most[at] if at in high else least[at] for at in range(len(each))])


def _mean(sizes: Sequence[int], sums: Sequence[float]) -> float:
    return math.fsum(sums) / sum(sizes)
