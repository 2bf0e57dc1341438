"""Everything of pytest-xdist's that is private and that we need, in one place.

A worker of xdist is told which items are its own, runs them one after another, and knows the next one only. To have
more of them in flight we need, in the worker,

- `Pending`: its queue of items to come, from which those that begin early are taken, so that none is stolen from it,

and in the controller

- `feeding`: schedulers that keep a worker supplied with as many items of a suite as it may have in flight,
- `waiting`: the reports that have arrived and that xdist has not come to.

Where an xdist is so different that a piece is not there, workers do without: two bodies overlap in each, as only the
next item is certain; and the controller stores one trial at a time.
"""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import pytest


class Pending:
    """The items that xdist sent to this worker and that it has not asked for yet, by their place in the session.

    What is taken here is still handed to xdist's own loop, in the same order, before anything else of the queue.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._queue = worker.torun
        self._taken: deque[int] = deque()
        self._wake: Callable[[], None] = lambda: None
        self._get, self._put = self._queue.get, self._queue.put
        self._queue.get, self._queue.put = self._next, self._arrived
        worker.steal = self._give_back

    @classmethod
    def of(cls, config: pytest.Config) -> Pending | None:
        """The queue of this worker; `None` in a process that is none, or whose xdist has no such queue."""
        worker = _worker(config)
        queue = getattr(worker, "torun", None)
        has_all = all(hasattr(queue, name) for name in ("get", "put", "lock", "replace")) and hasattr(worker, "steal")
        return cls(worker) if has_all else None

    def on_arrival(self, wake: Callable[[], None]) -> None:
        """Have `wake` called, in another thread, when more was sent."""
        self._wake = wake

    def take(self, fits: Callable[[int], bool]) -> int | None:
        """The next item to come, now certain to be run here, if it is there and `fits`; else `None`."""
        with self._queue.lock() as items:
            if not items or not isinstance(items[0], int) or not fits(items[0]):
                return None
            self._taken.append(items.popleft())
            return self._taken[-1]

    def _next(self) -> Any:
        return self._taken.popleft() if self._taken else self._get()

    def _arrived(self, item: Any) -> None:
        self._put(item)
        self._wake()

    def _give_back(self, indices: Sequence[int]) -> None:
        # xdist itself gives all that it was asked for or nothing; of what has not begun, some is better.
        asked = set(indices)
        with self._queue.lock() as items:
            stolen = [item for item in items if item in asked]
            self._queue.replace(item for item in items if item not in asked)
        self._worker.sendevent("unscheduled", indices=stolen)


def send(config: pytest.Config, report: pytest.TestReport) -> None:
    """Send a report to the controller now, from a worker, whichever item it runs."""
    worker = _worker(config)
    data = config.hook.pytest_report_to_serializable(config=config, report=report)
    worker.sendevent("testreport", data=data)


def waiting(config: pytest.Config, limit: int) -> list[pytest.TestReport]:
    """The reports of items among the first `limit` events that wait in the controller, in their order."""
    queue: Any = getattr(config.pluginmanager.getplugin("dsession"), "queue", None)
    if not hasattr(queue, "mutex") or not hasattr(queue, "queue"):
        return []
    with queue.mutex:
        events = list(islice(queue.queue, limit))
    return [more["rep"] for name, more in events if name == "testreport" and "rep" in more]


def _worker(config: pytest.Config) -> Any:
    return next((plugin for plugin in config.pluginmanager.get_plugins() if hasattr(plugin, "sendevent")), None)


def in_flight(config: pytest.Config, nodeid: str) -> int:
    """How many items may be in flight where the item `nodeid` runs, as the controller knows it; 0 for unknown."""
    known: Callable[[str], int] | None = config.stash.get(LIMITS, None)
    return 0 if known is None else known(nodeid)


LIMITS = pytest.StashKey[Callable[[str], int]]()
"""Where the controller says how many items may be in flight with one of this id; 0 for an item of no suite."""


def feeding(scheduler: Any, config: pytest.Config, log: Any) -> Any:
    """`scheduler`, or one like it that feeds workers with the items of suites in larger portions.

    Only xdist's own schedulers are replaced, and with items of no suite they do what they always do.
    """
    try:
        known = importlib.import_module("xdist.scheduler")
    except ImportError:
        return scheduler
    kind = type(scheduler)
    if kind is known.LoadScheduling:
        return scheduler if config.getoption("maxschedchunk", None) is not None else _load(kind)(config, log)
    if kind in (known.LoadFileScheduling, known.LoadGroupScheduling, known.LoadScopeScheduling):
        return _load_scope(kind)(config, log) if hasattr(kind, "_reschedule") else scheduler
    if kind is known.WorkStealingScheduling:
        return _worksteal(kind)(config, log)
    return scheduler


def _load(base: Any) -> Any:
    class Load(base):  # type: ignore[misc]  # xdist may not be installed
        """`--dist load`, which sends a few items at a time when they take long; ours take long side by side."""

        def check_schedule(self, node: Any, duration: float = 0) -> None:
            if self.pending and not node.shutting_down:
                limit = in_flight(self.config, self.collection[self.pending[0]])
                share = -(-len(self.pending) // len(self.node2pending))
                more = min(limit + 1 - len(self.node2pending[node]), share)  # one is the next, beside those in flight
                if limit and more > 0:
                    self._send_tests(node, more)
                    return
            super().check_schedule(node, duration)

    return Load


def _load_scope(base: Any) -> Any:
    class LoadScope(base):  # type: ignore[misc]  # xdist may not be installed
        """`--dist loadfile`, `loadscope` and `loadgroup`, which send the next file or group when two items are left.

        To `loadgroup` each item without a group is a group.
        """

        def _reschedule(self, node: Any) -> None:
            if node not in self.registered_collections:  # it is new and still collecting; xdist would break off
                return
            for done in [scope for scope, unit in self.workqueue.items() if all(unit.values())]:
                del self.workqueue[done]  # of a worker that died; whoever is given it waits for more and gets none
            super()._reschedule(node)
            for _ in range(-(-len(self.workqueue) // len(self.assigned_work))):
                limit = in_flight(self.config, next(iter(next(iter(self.workqueue.values())))))
                if node.shutting_down or not limit or self._pending_of(self.assigned_work[node]) > limit:
                    return
                self._assign_work_unit(node)

    return LoadScope


def _worksteal(base: Any) -> Any:
    class WorkSteal(base):  # type: ignore[misc]  # xdist may not be installed
        """`--dist worksteal`, which asks again and again where everything that could be stolen has begun."""

        def remove_pending_tests_from_node(self, node: Any, indices: Sequence[int]) -> None:
            left = self.node2pending[node]
            if indices or not left or not in_flight(self.config, self.collection[left[-1]]):
                super().remove_pending_tests_from_node(node, indices)
                return
            self.steal_requested_from_node = None
            for idle, pending in self.node2pending.items():
                if len(pending) < 2:  # it waits for a second item before it runs its last one
                    idle.shutdown()

    return WorkSteal
