"""What can be said before a suite is done: what can no longer change, and what the full suite will very likely say.

Pure functions of counts. They hold for right-or-wrong cases, one trial each, that are run in a random order which was
fixed beforehand; results that come in otherwise, the quick ones first, are a biased sample.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Sequence

from evalkit.stats.power import deciding_passes

ANYTIME_LEVEL = 0.99
"""How sure `stop="anytime"` is of all that it says of a suite."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of a random order of `cases` right-or-wrong cases: `passes` right ones of the first `done`.

    Of those `unknown` have no value, which may have been either. `level` is how sure one wants to be.
    """

    passes: int
    unknown: int
    done: int
    cases: int
    level: float

    @property
    def span(self) -> tuple[int, int]:
        """How many of all cases will be right, at least and at most, whatever the unknown ones were."""
        low, _ = full_suite_passes(self.passes, self.done, self.cases, level=self.level)
        _, high = full_suite_passes(self.passes + self.unknown, self.done, self.cases, level=self.level)
        return low, high


def shuffled(ids: Sequence[str], seed: int) -> list[int]:
    """The positions of `ids` in a random order that the seed and the ids alone determine.

    It is the order of the SHA-256 digests of seed and id: the same with every version of Python, whatever order the
    ids come in, and the order of some of them is that which they have among all.
    """

    def key(position: int) -> tuple[bytes, str]:
        name = ids[position]
        return hashlib.sha256(f"{seed}:{name}".encode("utf-8", "surrogatepass")).digest(), name

    return sorted(range(len(ids)), key=key)


def curtailed(passes: int, done: int, cases: int, *, needed: int | None, failing: int | None) -> bool | None:
    """Whether a gate is decided whatever the remaining cases bring: `True` for good, `False` for bad, `None` for open.

    `passes` of `done` cases are right, out of `cases` in all. `needed` right ones pass the gate and `failing` or fewer
    fail it; `None` where no number does. What lies in between is undecided at the end, and then so is the gate now.
    It is the verdict of the full run by construction. Raises `ValueError` for impossible counts.
    """
    _check(passes, done, cases)
    most = passes + cases - done
    if needed is not None and passes >= needed:
        return True
    if failing is not None and most <= failing:
        return False
    return None


def settled_early(passes: int, done: int, cases: int, bound: float, *, level: float | None = None) -> bool | None:
    """`curtailed` for a share of at least `bound`: a point gate, or with `level` an evidence gate."""
    if level is not None:
        needed, failing = deciding_passes(cases, bound, level=level)
    else:
        needed = math.ceil(bound * cases - 1e-9)
        failing = needed - 1
    return curtailed(passes, done, cases, needed=needed, failing=failing)


def is_decided(passes: int, done: int, cases: int, *, needed: int | None, failing: int | None) -> bool:
    """Whether the verdict can no longer change, INCONCLUSIVE included."""
    if curtailed(passes, done, cases, needed=needed, failing=failing) is not None:
        return True
    most = passes + cases - done
    may_pass = needed is not None and most >= needed
    may_fail = failing is not None and passes <= failing
    return not may_pass and not may_fail


def full_suite_passes(passes: int, done: int, cases: int, *, level: float = 0.95) -> tuple[int, int]:
    """How many of all `cases` will be right, at least and at most, after `passes` of `done` in random order.

    Holds at every moment at once, so one may look after each case and stop at any. The prior-posterior-ratio
    confidence sequence for sampling without replacement, with a uniform prior. Source: Waudby-Smith and Ramdas (2020),
    "Confidence sequences for sampling without replacement". Raises `ValueError` for impossible counts.
    """
    _check(passes, done, cases)
    rest = cases - done
    limit = -math.log(1 - level) + math.log(cases + 1)

    def is_kept(total: int) -> bool:
        return -_log_posterior(total, passes, done, cases) < limit

    # The posterior has one peak, which is always kept: each side of it is kept up to somewhere.
    peak = passes + (min((rest + 1) * passes // done, rest) if done else 0)
    return _last(peak, passes, is_kept), _last(peak, passes + rest, is_kept)


def _last(inside: int, outside: int, holds: Callable[[int], bool]) -> int:
    """The last number from `inside` towards `outside` for which `holds`, which it does not again once it does not."""
    if holds(outside):
        return outside
    while abs(inside - outside) > 1:
        middle = (inside + outside) // 2
        if holds(middle):
            inside = middle
        else:
            outside = middle
    return inside


def _log_posterior(total: int, passes: int, done: int, cases: int) -> float:
    """The log chance of `total` right ones in all, with a uniform prior, after what was seen."""
    rest = cases - done
    return (
        _log_choose(rest, total - passes)
        + _log_beta(total + 1, cases - total + 1)
        - _log_beta(passes + 1, done - passes + 1)
    )


def stops_anytime(passes: int, done: int, cases: int, bound: float, *, level: float = 0.99) -> bool | None:
    """What the full suite will say of a share of at least `bound`: `True`, `False`, or `None` while it is open."""
    low, high = full_suite_passes(passes, done, cases, level=level)
    needed = math.ceil(bound * cases - 1e-9)
    return True if low >= needed else False if high < needed else None


def e_value(passes: int, n: int, share: float, *, a: float = 0.5, b: float = 0.5) -> float:
    """The evidence against a true share of `share`: how much better a Beta(a, b) mixture predicts what was seen.

    1/e bounds the chance to ever see as much where `share` is true. Source: Robbins (1970); Howard et al. (2021).
    """
    _check(passes, n, n)
    misses = n - passes
    if (share <= 0 and passes) or (share >= 1 and misses):
        return math.inf
    under = (passes * math.log(share) if passes else 0.0) + (misses * math.log1p(-share) if misses else 0.0)
    return math.exp(_log_beta(passes + a, misses + b) - _log_beta(a, b) - under)


def confidence_sequence(
    passes: int, n: int, *, level: float = 0.95, a: float = 0.5, b: float = 0.5
) -> tuple[float, float]:
    """The shares that the beta-binomial mixture has not ruled out: an interval that holds at every n at once."""
    _check(passes, n, n)
    if not n:
        return 0.0, 1.0
    limit, seen = 1 / (1 - level), passes / n

    def edge(outside: float) -> float:
        inside = seen
        if e_value(passes, n, outside, a=a, b=b) < limit:
            return outside
        for _ in range(200):
            middle = (inside + outside) / 2
            if e_value(passes, n, middle, a=a, b=b) < limit:
                inside = middle
            else:
                outside = middle
        return (inside + outside) / 2

    return edge(0.0), edge(1.0)


def _check(passes: int, done: int, cases: int) -> None:
    if not 0 <= passes <= done <= cases:
        raise ValueError(f"{passes} right of {done} done of {cases} cases cannot be")


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
