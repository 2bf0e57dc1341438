"""From a decorated function to items: one for each case and trial."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.case import Case, Dataset
from evalkit.errors import EvalkitError
from evalkit.launches import in_order
from evalkit.loaders import read_dataset
from evalkit.registry.selection import Chosen, Selection
from evalkit.runs import SuiteInfo
from evalkit.score import is_async_callable
from evalkit.session import sampled, stop_of, suite_info
from evalkit.shards import Shard
from evalkit.suites import Suite, suite_of
from pytest_evalkit import internals

if TYPE_CHECKING:
    from evalkit.config import Settings
    from evalkit.gates import Gate
    from pytest_evalkit.flight import Flight


@dataclasses.dataclass(slots=True, kw_only=True, eq=False)
class Planned:
    """A suite as it was collected: one for each combination of the user's own parameters."""

    suite: Suite
    dataset: Dataset
    cases: Sequence[Case]
    whole: Sequence[Case]
    shard: Shard | None
    repeat: int
    nodeid: str
    location: str
    name: str
    chosen: Chosen
    is_async: bool
    items: list[EvalItem] = dataclasses.field(default_factory=list)
    gates: tuple[str, ...] = ()

    def selected(self) -> tuple[Case, ...]:
        """The cases that at least one item is left of, in the dataset's order."""
        left = {item.case.id for item in self.items}
        return tuple(case for case in self.cases if case.id in left)

    def trials(self) -> Mapping[str, int]:
        """How many items there are of each case that has any."""
        return Counter(item.case.id for item in self.items)

    def reorder(self, items: list[pytest.Item], info: SuiteInfo) -> None:
        """Put the suite's items among `items` in the order in which its cases are to run, repeats side by side."""
        if info.stop is None or info.stop.kept:
            return
        order = {case.id: place for place, case in enumerate(in_order(self.selected(), info))}
        places = [place for place, item in enumerate(items) if isinstance(item, EvalItem) and item.planned is self]
        self.items.sort(key=lambda item: (order[item.case.id], item.number))
        for place, item in zip(places, self.items, strict=True):
            items[place] = item

    def whole_info(self, info: SuiteInfo) -> SuiteInfo:
        """The record as it would be if this were no shard, for what is checked before anything runs."""
        if self.shard is None:
            return info
        planned = len(self.whole) * self.repeat
        return dataclasses.replace(info, planned=planned, selection=None, metadata=Shard.without(info.metadata))

    def info(self, settings: Settings, *, gates: Sequence[Gate], selection: str | None, kept: str = "") -> SuiteInfo:
        """The record of the declaration, as it is in this run; `kept` is why no suite of it may stop early.

        `selection` is what chose items in this session. Where it left out none of this suite, it is no selection:
        `-k test_one` picks a suite, and not a part of it.
        """
        whole = len(self.items) == len(self.cases) * self.repeat and len(self.whole) == len(self.dataset)
        selection = None if whole else selection
        if self.shard is not None:
            selection = "; ".join(filter(None, (selection, self.shard.selection)))
        info = suite_info(
            self.suite,
            self.dataset,
            settings,
            name=self.name,
            nodeid=self.nodeid,
            location=self.location,
            gates=self.gates,
            repeat=self.repeat,
            planned=len(self.items),
            selection=selection,
            versions=self.chosen.versions,
            stop=stop_of(self.suite, gates, settings, cases=len(self.selected()), kept=kept),
        )
        if self.shard is None:
            return info
        return dataclasses.replace(info, metadata={**info.metadata, **self.shard.to_metadata()})


class EvalItem(pytest.Function):
    """One trial of one case. Its body is called by the scheduler; `runtest` replays what came of it."""

    planned: Planned
    case: Case
    number: int
    flight: Flight | None = None

    def body(self) -> Callable[[], Any]:
        """The function under test with its arguments, ready to be called; only after set-up."""
        return functools.partial(_real(self.obj), **internals.arguments_of(self))

    def _getobj(self) -> Any:
        return plain(super()._getobj())  # type: ignore[no-untyped-call]  # untyped in pytest

    def runtest(self) -> None:
        """Show pytest what came of the body: its output, its logs, and what it raised."""
        assert self.flight is not None, "an item of a suite runs only through the scheduler"
        self.flight.replay()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override]  # as pytest's own Function does
        """A miss is shown as what was asked, given and scored; anything else as pytest does."""
        from pytest_evalkit.terminal import Missed

        if isinstance(excinfo.value, Missed):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


def plain(function: Any) -> Any:
    """`function`, or a plain one that stands for it where it is a coroutine function.

    pytest-asyncio and anyio take over items whose function is a coroutine function; ours are awaited by us.
    """
    if not inspect.iscoroutinefunction(function):
        return function

    @functools.wraps(function)
    def stand_in(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    stand_in.__evalkit_body__ = function  # type: ignore[attr-defined]  # a function takes attributes
    return stand_in


def _real(function: Any) -> Any:
    return getattr(function, "__evalkit_body__", function)


def _is_awaited(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(inspect.unwrap(function))


class Collection:
    """What was collected: the suites planned, and the mistakes found on the way."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.planned: list[Planned] = []
        self.errors: list[EvalkitError] = []
        self.shard = None if settings.shard is None else Shard.parse(settings.shard)
        self.is_emptied = False
        """Whether there were cases, and none of some suite's are in this shard."""
        self._datasets: dict[int, tuple[Dataset, Sequence[Case], Sequence[Case]]] = {}
        self._chosen: dict[int, Chosen] = {}
        self._selection: Selection | None = None

    @property
    def selection(self) -> Selection:
        """Which prompts and models the session runs with. Raises `ConfigError` for a pick that names none."""
        if self._selection is None:
            self._selection = Selection(self.settings)
        return self._selection

    def items(self, collector: Any, name: str, function: Any, suite: Suite) -> list[EvalItem]:
        """The items of a suite's function; none, and the mistake noted, where its dataset cannot be read."""
        if self.settings.off:
            return []
        try:
            self._datasets[id(suite)] = self._read(suite)
            if not self._datasets[id(suite)][1]:
                self.is_emptied = True
                return []
            self._chosen[id(suite)] = self.selection.choose(suite, is_async=is_async_callable(suite.function))
            items: list[EvalItem] = internals.generate(collector, name, function, EvalItem)
        except EvalkitError as error:
            self.errors.append(error)
            return []
        self._plan(suite, items, collector, name)
        return items

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """One parameter set for each case and trial, as the innermost parameter."""
        suite = suite_of(metafunc.function)
        if suite is None or id(suite) not in self._datasets:
            return
        _, cases, _ = self._datasets[id(suite)]
        repeat = self._repeat(suite)
        for name, value in self._chosen[id(suite)].arguments.items():
            metafunc.parametrize(name, [value], ids=[pytest.HIDDEN_PARAM])  # no part of an item's id
        ids = [case.id if number == 1 else f"{case.id}-t{number}" for case in cases for number in range(1, repeat + 1)]
        metafunc.parametrize("case", [case for case in cases for _ in range(repeat)], ids=ids)

    def _read(self, suite: Suite) -> tuple[Dataset, Sequence[Case], Sequence[Case]]:
        dataset = read_dataset(suite.dataset, folder=suite.folder, name=suite.name)
        seed = suite.seed if suite.seed is not None else self.settings.seed
        whole = sampled(dataset, self.settings.sample, seed)
        return dataset, whole if self.shard is None else self.shard.part(whole), whole

    def _repeat(self, suite: Suite) -> int:
        return self.settings.repeat or suite.repeat or 1

    def _plan(self, suite: Suite, items: list[EvalItem], collector: Any, name: str) -> None:
        dataset, cases, whole = self._datasets[id(suite)]
        repeat = self._repeat(suite)
        suites: dict[str, Planned] = {}
        body = items[0]._obj if items else None
        awaited, stand_in = _is_awaited(body), plain(body)
        for item in items:
            item._obj = stand_in if item._obj is body else plain(item._obj)  # a method is another one for each item
            outer = internals.outer_id(item)
            planned = suites.get(outer)
            if planned is None:
                suffix = f"[{outer}]" if outer else ""
                planned = suites[outer] = Planned(
                    suite=suite,
                    dataset=dataset,
                    cases=cases,
                    whole=whole,
                    shard=self.shard,
                    repeat=repeat,
                    nodeid=f"{collector.nodeid}::{name}{suffix}",
                    location=f"{item.location[0]}:{suite.line}",
                    name=f"{suite.name}{suffix}",
                    chosen=self._chosen[id(suite)],
                    is_async=awaited,
                )
            item.planned = planned
            item.case = item.callspec.params["case"]  # type: ignore[assignment]  # pytest has params as object
            item.number = item.callspec.indices["case"] % repeat + 1
        self.planned.extend(suites.values())

    def check_subjects(self) -> None:
        """Note as mistakes what a session cannot run with: versions that are not there, models without their key."""
        try:
            self.selection.check_picks()
            for planned in self.planned:
                planned.chosen.check(replay=self.settings.cache == "replay")
        except EvalkitError as error:
            if str(error) not in map(str, self.errors):
                self.errors.append(error)

    def unchanged(self, since: str) -> list[Planned]:
        """The suites that nothing changed for since this branch left `since`; what git cannot say is a mistake."""
        from evalkit.registry.changed import Changed

        try:
            changed = Changed.since_ref(self.settings.root, since)
            concerned = changed.affected([planned.suite for planned in self.planned], self.selection.project)
        except EvalkitError as error:
            self.errors.append(error)
            return []
        return [planned for planned, is_concerned in zip(self.planned, concerned, strict=True) if not is_concerned]

    def settle(self, items: Sequence[pytest.Item]) -> None:
        """Take note of what is left after `-k`, `--lf` and the like, and give every suite a name of its own."""
        for planned in self.planned:
            planned.items = []
        for item in items:
            if isinstance(item, EvalItem):
                item.planned.items.append(item)
        self.planned = [planned for planned in self.planned if planned.items]
        names = [planned.name for planned in self.planned]
        for planned in self.planned:
            if names.count(planned.name) > 1:
                planned.name = planned.nodeid
