"""The metrics of one suite in two runs, each as a paired difference with its interval and p-value."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from evalkit.runs import SuiteRun
from evalkit.stats.columns import Column, Table, read
from evalkit.stats.paired import MCNEMAR, mcnemar, sign_flip
from evalkit.stats.pairing import Pairing, pairing
from evalkit.stats.pairs import Pairs

FEWEST_FOR_INTERVAL = 10
"""Below this many pairs the values say more than any interval would."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One metric over the pairs: the cases that have all their values on both sides.

    `base` and `candidate` are means over the pairs of the cases' means, `difference` is candidate minus base, and
    all three are `None` without a pair. `low` and `high` bound the difference at `level`, made by `method`, and
    allow for whatever is missing; they are `None` where the data give no interval. `p_value` is that of no
    difference, by `test`; it is reported and decides nothing, and is `None` where something is missing. `higher`,
    `lower` and `equal` are the cases whose value rose, fell and stayed; `missing` counts pairs that lack a value on
    a side, `unpaired` the cases that only one run has. `higher_is_better` says which way is up. `refused` says
    why it is not compared, and is empty where it is.
    """

    name: str
    unit: str = ""
    base: float | None = None
    candidate: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str = ""
    p_value: float | None = None
    test: str = ""
    pairs: int = 0
    missing: int = 0
    higher: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    equal: int = 0
    unpaired: int = 0
    higher_is_better: bool = True
    refused: str = ""

    @property
    def equivalent_within(self) -> float | None:
        """The narrowest margin in which the two are equivalent at `level`: both ends of the interval lie inside it.

        That is what two one-sided tests would show (Schuirmann 1987). `None` without an interval.
        """
        if self.low is None or self.high is None or math.isinf(self.low) or math.isinf(self.high):
            return None
        return max(abs(self.low), abs(self.high))

    @property
    def improved(self) -> tuple[str, ...]:
        """The cases that changed for the better."""
        return self.higher if self.higher_is_better else self.lower

    @property
    def regressed(self) -> tuple[str, ...]:
        """The cases that changed for the worse."""
        return self.lower if self.higher_is_better else self.higher


def differences(
    base: SuiteRun, candidate: SuiteRun, *, level: float = 0.95, p_values: bool = True
) -> tuple[Difference, ...]:
    """Every metric of a suite in two runs, in the candidate's order, scores before what every suite has.

    A metric that only one run has, or whose scorer is of another version, is there with its `refused`. `p_values`
    may be left out for speed.
    """
    before, after = read(base), read(candidate)
    made = []
    for name, column in sorted(after.columns.items(), key=lambda item: item[1].builtin):
        why = refusal_of(name, before, after)
        made.append(
            Difference(name=name, unit=column.unit, refused=why)
            if why
            else difference((before, before.columns[name]), (after, column), level=level, p_values=p_values)
        )
    made.extend(
        Difference(name=name, refused="only the base has it") for name in before.columns if name not in after.columns
    )
    return tuple(made)


def difference(
    base: tuple[Table, Column], candidate: tuple[Table, Column], *, level: float = 0.95, p_values: bool = True
) -> Difference:
    """One column of two runs as a paired difference of means."""
    column = candidate[1]
    rising = higher_is_better(candidate[0].suite, column)
    paired = pairing(base, candidate, failed_as_zero=rising and not column.builtin)
    data = paired.statistics()
    unpaired = len(paired.only_base) + len(paired.only_candidate)
    made = Difference(
        name=column.name,
        unit=column.unit,
        level=level,
        missing=data.missing,
        unpaired=unpaired,
        higher_is_better=rising,
    )
    if not data.complete:
        return made
    changes = list(zip(paired.cases, paired.steps, strict=True))
    interval = data.interval(level) if data.cases >= FEWEST_FOR_INTERVAL else None
    p_value, test = _p_value(paired, data) if p_values else (None, "")
    return dataclasses.replace(
        made,
        base=float(data.base / data.complete),
        candidate=float(data.candidate / data.complete),
        difference=float(data.difference or 0),
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        method="" if interval is None else interval.method,
        p_value=p_value,
        test=test,
        pairs=data.complete,
        higher=tuple(case for case, d in changes if d > 0),
        lower=tuple(case for case, d in changes if d < 0),
        equal=data.complete - data.changed,
    )


def _p_value(paired: Pairing, data: Pairs) -> tuple[float | None, str]:
    if data.open or data.shape == "label":
        return None, ""
    if data.is_exact:
        return mcnemar(data.higher, data.lower), MCNEMAR
    return sign_flip(paired.differences)


def higher_is_better(suite: SuiteRun, column: Column) -> bool:
    """Whether more of it is better: yes for scores, unless the pass mark is an upper bound; no for what a run uses."""
    if column.builtin:
        return False
    marks = [scorer.pass_mark for scorer in suite.info.scorers if scorer.name == (column.scorer or column.name)]
    return not any(mark is not None and mark.startswith("<") for mark in marks)


def dataset_refusal(base: SuiteRun, candidate: SuiteRun) -> str:
    """Why two runs of a suite cannot be paired at all, or nothing."""
    first, second = base.info.dataset, candidate.info.dataset
    if first.digest == second.digest:
        return ""
    return f"the datasets are two versions: {first.digest[:8]} and {second.digest[:8]}"


def refusal_of(name: str, base: Table, candidate: Table) -> str:
    """Why one metric of two runs cannot be compared, or nothing."""
    if name not in base.columns:
        return "only the candidate has it"
    if name not in candidate.columns:
        return "only the base has it"
    if candidate.columns[name].builtin:
        return ""
    versions = [_versions(table.suite, name) for table in (base, candidate)]
    if versions[0] == versions[1]:
        return ""
    return "its scorer has another version: " + " and ".join(
        ", ".join(sorted(version)[:3]) or "?" for version in versions
    )


def _versions(suite: SuiteRun, name: str) -> frozenset[str]:
    """The versions of the scorers that gave one score: `scorer_versions(suite)[name]`, without the others."""
    found = {score.scorer_version for trial in suite.trials for score in trial.scores if score.name == name}
    return frozenset(found or {scorer.version for scorer in suite.info.scorers if scorer.name == name})


def scorer_versions(suite: SuiteRun) -> Mapping[str, frozenset[str]]:
    """For each score the versions of the scorers that gave it."""
    found: dict[str, set[str]] = {}
    for trial in suite.trials:
        for score in trial.scores:
            found.setdefault(score.name, set()).add(score.scorer_version)
    for scorer in suite.info.scorers:
        found.setdefault(scorer.name, {scorer.version})
    return {name: frozenset(versions) for name, versions in found.items()}
