"""The runs that what is in force rests on: those that the promotions applied under an alias cite."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from evalkit.promotion import Promotion
from evalkit.runs import Run, SuiteRun

if TYPE_CHECKING:
    from evalkit.store import Store


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Each suite as it ran for what is in force under an alias, and the run that it is from, by the suite's name."""

    alias: str
    suites: Mapping[str, SuiteRun]
    runs: Mapping[str, Run]

    @property
    def run(self) -> Run:
        """All in one: the run itself where all are from one, else the newest with the others' suites beside its own."""
        newest = max(self.runs.values(), key=lambda run: (run.started_at, run.id))
        if set(self.suites) == {suite.info.name for suite in newest.suites}:
            return newest
        return dataclasses.replace(
            newest,
            suites=tuple(self.suites.values()),
            metrics=tuple(one for name, run in self.runs.items() for one in run.metrics if one.suite == name),
            verdicts=tuple(one for name, run in self.runs.items() for one in run.verdicts if one.suite == name),
        )


def in_force(store: Store, alias: str) -> InForce | None:
    """What is in force under `alias`; `None` where no promotion under it is applied, or none that cites a run.

    Of several prompts and models that were promoted on the same suite the newest run counts. A rollback rests on what
    the version rested on when it was first applied. The runs come without payload.
    """
    promotions = store.promotions(alias=alias)
    applied = [one for one in promotions if one.state == "applied"]
    applied.sort(key=lambda one: (one.applied_at or one.created_at, one.id), reverse=True)
    suites: dict[str, SuiteRun] = {}
    runs: dict[str, Run] = {}
    loaded: dict[str, Run] = {}
    for promotion in applied:
        for run_id in _cited(promotion, promotions):
            run = loaded.get(run_id) or store.load(run_id, payload=False)
            loaded[run_id] = run
            for suite in run.suites:
                if suite.info.name not in suites:
                    suites[suite.info.name], runs[suite.info.name] = suite, run
    return InForce(alias=alias, suites=suites, runs=runs) if suites else None


def _cited(promotion: Promotion, promotions: list[Promotion]) -> tuple[str, ...]:
    if promotion.evidence is not None and promotion.evidence.runs:
        return promotion.evidence.runs
    same = [
        one
        for one in promotions
        if one.subject == promotion.subject
        and one.to_digest == promotion.to_digest
        and one.applied_at is not None
        and one.evidence is not None
        and one.evidence.runs
    ]
    return same[-1].evidence.runs if same and same[-1].evidence is not None else ()
