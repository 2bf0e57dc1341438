"""Every kind of gate, with the scenarios it is tried in."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable

from benchmarks.simulation import comparisons, graded, labels, measured, pairs, repeats, shares
from benchmarks.simulation.cells import Cell, confirmed

Cells = Callable[[int, int], Iterable[Cell]]
"""From how many draws, and a seed."""

ANEW = 4
"""How many times as often the worst cells are drawn a second time."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of gate: a line of it, what is tried, and the way that others go, which stands beside ours.

    `fails_only` is whether it never claims more than "no evidence"; `is_limit` whether it is there to show where
    every method ends; `fewer` divides the draws of what is slow.
    """

    key: str
    gate: str
    data: str
    cells: Cells
    naive: str
    naive_name: str
    fails_only: bool = False
    is_limit: bool = False
    fewer: int = 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came out for a kind: every cell, and those that looked worst, drawn again."""

    kind: Kind
    cells: tuple[Cell, ...]
    worst: tuple[Cell, ...]


def simulate(kind: Kind, *, draws: int, seed: int) -> Found:
    """All cells of a kind."""
    draws = max(draws // kind.fewer, 20)
    cells = list(kind.cells(draws, seed))
    return Found(kind=kind, cells=tuple(cells), worst=tuple(confirmed(cells, draws=ANEW * draws, seed=seed)))


def _label_cells(statistic: str, draws: int, seed: int) -> Iterable[Cell]:
    return labels.cells(statistic, draws=draws, seed=seed)


KINDS = (
    Kind(
        key="shares",
        gate="`accuracy >= t @ 95%`",
        data="right or wrong, one trial a case",
        cells=lambda _draws, _seed: shares.cells(),
        naive="z (Wald)",
        naive_name="mean ± 1.96 standard errors",
    ),
    Kind(
        key="repeats",
        gate="`accuracy >= t @ 95%`",
        data="right or wrong, repeated",
        cells=lambda draws, seed: repeats.mean_cells(draws=draws, seed=seed),
        naive="Wilson on trials",
        naive_name="trials taken for cases",
    ),
    Kind(
        key="reducers",
        gate="`pass^k`, `flake_rate` `@ 95%`",
        data="right or wrong, repeated, 30 cases or more",
        cells=lambda draws, seed: repeats.reducer_cells(draws=draws, seed=seed, few=False),
        naive="t over cases",
        naive_name="t interval",
    ),
    Kind(
        key="clusters",
        gate="any, with `cluster=`",
        data="10 to 60 clusters",
        cells=lambda draws, seed: graded.cluster_cells(draws=draws, seed=seed),
        naive="Wilson on cases",
        naive_name="clusters overlooked",
        fewer=2,
    ),
    Kind(
        key="graded",
        gate="`score.mean >= t @ 95%`",
        data="graded, 0 to 1, 20 cases or more",
        cells=lambda draws, seed: graded.cells(graded.GRADED, draws=draws, seed=seed),
        naive="t",
        naive_name="t interval",
    ),
    Kind(
        key="wins",
        gate="`win.mean >= t @ 95%`",
        data="wins, ties and losses",
        cells=lambda draws, seed: graded.cells(graded.WINS, draws=draws, seed=seed),
        naive="z",
        naive_name="mean ± 1.96 standard errors",
    ),
    Kind(
        key="times",
        gate="`latency <= t @ 95%`",
        data="measured, moderate tails, 50 cases or more",
        cells=lambda draws, seed: measured.mean_cells(measured.TIMES, draws=draws, seed=seed),
        naive="t",
        naive_name="t interval",
    ),
    Kind(
        key="quantiles",
        gate="`p95(latency) <= t @ 95%`",
        data="any, enough cases for a limit",
        cells=lambda draws, seed: measured.quantile_cells(draws=draws, seed=seed),
        naive="bootstrap",
        naive_name="percentile bootstrap",
        fewer=3,
    ),
    *(
        Kind(
            key=statistic,
            gate=f"`label.{statistic} >= t @ 95%`",
            data="labels, 30 cases or more",
            cells=functools.partial(_label_cells, statistic),
            naive="BCa bootstrap",
            naive_name="BCa bootstrap",
            fewer=10,
        )
        for statistic in ("kappa", "mcc", "f1")
    ),
    Kind(
        key="margin",
        gate="`not worse than baseline by δ @ 95%`",
        data="right or wrong, one trial a case",
        cells=lambda _draws, _seed: comparisons.margin_cells(),
        naive="paired t",
        naive_name="paired t",
    ),
    Kind(
        key="gain",
        gate="`better than baseline by δ @ 95%`",
        data="right or wrong, one trial a case",
        cells=lambda _draws, _seed: comparisons.gain_cells(),
        naive="paired t",
        naive_name="paired t",
    ),
    Kind(
        key="alarm",
        gate="`no regression vs baseline`",
        data="right or wrong, one trial a case",
        cells=lambda _draws, _seed: comparisons.alarm_cells(),
        naive="any drop of the mean",
        naive_name="means compared",
        fails_only=True,
    ),
    Kind(
        key="margin-repeats",
        gate="`not worse than baseline by δ @ 95%`",
        data="right or wrong, repeated",
        cells=lambda draws, seed: pairs.cells(pairs.REPEATED, draws=draws, seed=seed),
        naive="paired t",
        naive_name="paired t",
        fewer=2,
    ),
    Kind(
        key="margin-graded",
        gate="`not worse than baseline by δ @ 95%`",
        data="graded, 0 to 1",
        cells=lambda draws, seed: pairs.cells(pairs.GRADED, draws=draws, seed=seed),
        naive="paired t",
        naive_name="paired t",
    ),
    Kind(
        key="margin-cost",
        gate="`cost.mean not worse than baseline by 10% @ 95%`",
        data="measured, above 0, 50 cases or more",
        cells=lambda draws, seed: pairs.cost_cells(draws=draws, seed=seed, few=False),
        naive="t of the differences",
        naive_name="t interval over the baseline's mean",
    ),
    Kind(
        key="few-reducers",
        gate="`pass^k`, `flake_rate` `@ 95%`",
        data="right or wrong, repeated, 20 cases",
        cells=lambda draws, seed: repeats.reducer_cells(draws=draws, seed=seed, few=True),
        naive="t over cases",
        naive_name="t interval",
        is_limit=True,
    ),
    Kind(
        key="few-costs",
        gate="`cost.mean not worse than baseline by 10% @ 95%`",
        data="measured, above 0, fewer than 50 cases",
        cells=lambda draws, seed: pairs.cost_cells(draws=draws, seed=seed, few=True),
        naive="t of the differences",
        naive_name="t interval over the baseline's mean",
        is_limit=True,
    ),
    Kind(
        key="unseen",
        gate="`score.mean >= t @ 95%`",
        data="graded, with rare failures beside scores that hardly differ",
        cells=lambda draws, seed: graded.cells(graded.UNSEEN, draws=draws, seed=seed),
        naive="t",
        naive_name="t interval",
        is_limit=True,
    ),
    Kind(
        key="unseen-pairs",
        gate="`not worse than baseline by δ @ 95%`",
        data="graded, where all waver and a few drop far",
        cells=lambda draws, seed: pairs.cells(pairs.UNSEEN, draws=draws, seed=seed),
        naive="paired t",
        naive_name="paired t",
        is_limit=True,
    ),
    Kind(
        key="hard-times",
        gate="`latency <= t @ 95%`",
        data="measured, long tails or fewer than 50 cases",
        cells=lambda draws, seed: measured.mean_cells(measured.HARD, draws=draws, seed=seed),
        naive="t",
        naive_name="t interval",
        is_limit=True,
    ),
)
