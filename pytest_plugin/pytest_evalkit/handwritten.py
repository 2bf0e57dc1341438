"""Tests that record for themselves through the `evalkit` fixture: each function is a suite of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable
from typing import Any

import pytest

from evalkit.canonical import jsonable, utc_now
from evalkit.case import Case, Dataset
from evalkit.runner import Notes
from evalkit.runs import DatasetInfo, SuiteInfo
from evalkit.tracing import Scope, accounted, with_misses
from evalkit.trial import Output, Trial, error_info, outcome_of
from pytest_evalkit.collect import EvalItem


@dataclasses.dataclass(slots=True, kw_only=True, eq=False)
class HandWritten:
    """One test function that uses the fixture, with its items."""

    name: str
    nodeid: str
    location: str
    items: list[pytest.Function] = dataclasses.field(default_factory=list)

    def leave(self, cases: Container[str]) -> list[pytest.Function]:
        """Keep the items of these cases only; returns the others."""
        others = [item for item in self.items if case_id(item) not in cases]
        self.items = [item for item in self.items if case_id(item) in cases]
        return others

    def dataset(self) -> Dataset:
        """One case for each item, whose input are its parameters."""
        return Dataset.of([_case(item) for item in self.items], name=self.name, source=self.nodeid)

    def info(self, dataset: Dataset, *, gates: tuple[str, ...], seed: int) -> SuiteInfo:
        """The record of the declaration."""
        return SuiteInfo(
            name=self.name,
            nodeid=self.nodeid,
            location=self.location,
            dataset=DatasetInfo(name=dataset.name, digest=dataset.digest, size=len(dataset), source=dataset.source),
            gates=gates,
            declared=len(self.items),
            planned=len(self.items),
            seed=seed,
        )


def find(items: Iterable[pytest.Item], *, taken: Iterable[str]) -> list[HandWritten]:
    """The test functions among `items` that use the `evalkit` fixture; names in `taken` are avoided."""
    found: dict[str, HandWritten] = {}
    for item in items:
        if isinstance(item, EvalItem) or not isinstance(item, pytest.Function):
            continue
        if "evalkit" not in item.fixturenames:
            continue
        nodeid = item.nodeid.removesuffix(item.name) + item.originalname
        if nodeid not in found:
            path, line, _ = item.location
            found[nodeid] = HandWritten(name=item.originalname, nodeid=nodeid, location=f"{path}:{(line or 0) + 1}")
        found[nodeid].items.append(item)
    names = [*taken, *(suite.name for suite in found.values())]
    for suite in found.values():
        if names.count(suite.name) > 1:
            suite.name = suite.nodeid
    return list(found.values())


def case_id(item: pytest.Function) -> str:
    """The id of the case that a hand-written item stands for: its parameters, or its function's name."""
    spec = getattr(item, "callspec", None)
    return spec.id if spec is not None and spec.id else item.originalname


def trial_of(item: pytest.Function, call: pytest.CallInfo[Any], notes: Notes, scope: Scope | None) -> Trial | None:
    """The trial of a hand-written item, once its set-up has failed or its call has ended; `None` until then.

    `None` also for an item that was skipped: it is no trial.
    """
    if call.when == "teardown" or (call.when == "setup" and call.excinfo is None):
        return None
    error = call.excinfo.value if call.excinfo is not None else None
    if error is not None and not isinstance(error, Exception | pytest.fail.Exception):
        return None
    value, usage = notes.recorded
    output = Output(
        value=value,
        usage=usage,
        latency=call.duration,
        error=None if error is None else _error(error),
    )
    scores, trace = notes.scores, None
    if scope is not None:
        output, scores = with_misses(output, scores, scope)
        trace = scope.end(error=None if output.error is None else f"{output.error.type}: {output.error.message}")
        output, scores = accounted(output, scores, scope, trace)
    return Trial(
        case_id=case_id(item),
        output=output,
        scores=scores,
        outcome=outcome_of(output, scores),
        started_at=utc_now(),
        duration=call.duration,
        nodeid=item.nodeid,
        trace=trace,
        versions=() if scope is None else scope.versions,
    )


def _error(error: BaseException) -> Any:
    info = error_info(error)
    return dataclasses.replace(info, is_assertion=True) if isinstance(error, pytest.fail.Exception) else info


def _case(item: pytest.Function) -> Case:
    spec = getattr(item, "callspec", None)
    parameters = jsonable(dict(spec.params)) if spec is not None else {}
    return Case(id=case_id(item), input={"test": item.originalname, **parameters}, source=item.nodeid)
