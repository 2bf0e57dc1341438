"""One metric of a suite over its runs: which values can be held against each other, and where something changed.

Two neighbouring runs are comparable where they ran the same cases, all of them, with the same version of the scorer.
Where they are not there is a break: the values on both sides of it are no trend, however they look.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from evalkit.runs import Metric

if TYPE_CHECKING:
    from evalkit.store import HistoryPoint, UsedVersion

OPERATIONAL = ("errors", "latency", "cost", "input_tokens", "output_tokens")


class Measured(Protocol):
    """What of a run says whether it can be held against another: see `HistoryPoint` for each part."""

    @property
    def dataset(self) -> str:
        """The digest of the cases."""
        ...

    @property
    def dataset_name(self) -> str:
        """What people call them."""
        ...

    @property
    def scorers(self) -> Mapping[str, str]:
        """The version of each scorer by name."""
        ...

    @property
    def partial(self) -> bool:
        """Whether not all cases were run."""
        ...

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What was measured."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One run in a history: its metric, `None` where the run has none.

    `broken` says why it cannot be compared with the run before, and is empty where it can. `changed` are prompts
    and models that differ from those of the run before: `prompt reply v2 → v3`.
    """

    point: HistoryPoint
    metric: Metric | None
    broken: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def value(self) -> float | None:
        """The value of the metric."""
        return None if self.metric is None else self.metric.value


def main_metric(points: Sequence[HistoryPoint]) -> tuple[str, str] | None:
    """Name and statistic of the first score of the newest run that has any; else of whatever it has first."""
    for point in reversed(points):
        scores = [metric for metric in point.metrics if metric.name not in OPERATIONAL] or list(point.metrics)
        if scores:
            return scores[0].name, scores[0].statistic
    return None


def steps(points: Sequence[HistoryPoint], name: str, statistic: str | None = None) -> list[Step]:
    """The history of one metric, oldest first; without `statistic` the first that each run has of that name."""
    made: list[Step] = []
    before: HistoryPoint | None = None
    for point in points:
        metric = next(
            (one for one in point.metrics if one.name == name and statistic in (None, one.statistic)),
            None,
        )
        made.append(
            Step(
                point=point,
                metric=metric,
                broken=() if before is None else tuple(breaks(before, point, name)),
                changed=() if before is None else tuple(_changes(before.versions, point.versions)),
            )
        )
        before = point
    return made


def stretches(found: Sequence[Step]) -> list[list[Step]]:
    """The runs that can be compared with each other, as lists; each begins with the run that follows a break."""
    made: list[list[Step]] = []
    for step in found:
        if not made or step.broken:
            made.append([])
        made[-1].append(step)
    return made


def breaks(before: Measured, after: Measured, name: str) -> Iterator[str]:
    """Why the metric called `name` of two neighbouring runs cannot be compared; nothing where it can be."""
    if before.dataset != after.dataset:
        yield f"other cases: {after.dataset_name} {before.dataset[:8]} → {after.dataset[:8]}"
    old, new = _scorers(before, name), _scorers(after, name)
    for scorer in old.keys() & new.keys():
        if old[scorer] != new[scorer]:
            yield f"another scorer: {scorer} {old[scorer][:12]} → {new[scorer][:12]}"
    if before.partial != after.partial:
        yield "only a part of the cases was run" if after.partial else "all cases again"
    elif after.partial:
        yield "another part of the cases"


def _scorers(point: Measured, name: str) -> Mapping[str, str]:
    """The scorers that may have given a score: that of its name, else those whose own name is no score's."""
    if name in OPERATIONAL:
        return {}
    if name in point.scorers:
        return {name: point.scorers[name]}
    scores = {metric.name for metric in point.metrics}
    return {scorer: version for scorer, version in point.scorers.items() if scorer not in scores}


def _changes(before: Sequence[UsedVersion], after: Sequence[UsedVersion]) -> Iterator[str]:
    old = _by_name(before)
    new = _by_name(after)
    for key in dict.fromkeys([*old, *new]):
        one, other = old.get(key), new.get(key)
        if one != other:
            yield f"{key[0]} {key[1]} {one or '–'} → {other or '–'}"


def _by_name(versions: Sequence[UsedVersion]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], list[str]] = {}
    for version in versions:
        found.setdefault((version.kind, version.name), []).append(f"v{version.number}")
    return {key: "+".join(labels) for key, labels in found.items()}
