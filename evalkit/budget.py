"""A limit on what a run may cost: money is set aside before a trial starts, and counted when it is done."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable
from decimal import Decimal
from typing import Literal

from evalkit.usage import Usage

Answer = Literal["go", "wait", "stop"]

FIRST = 3
"""How many trials of a suite may be in flight before any of it has said what one costs."""


@dataclasses.dataclass(slots=True, kw_only=True, eq=False)
class Budget:
    """What a run may spend (`limit`), has spent, and has set aside for trials in flight, in US dollars.

    For each trial in flight the most that any trial of its suite has cost so far is set aside: then the limit is
    exceeded by no more than what trials in flight cost beyond the dearest seen before them. Until a suite has a price,
    the most that a trial of any suite has cost is set aside, and only `FIRST` are in flight at once. `unpriced` counts
    the calls whose price nobody knows; the limit cannot hold these. `exhausted` stays once a trial was refused for
    good.
    """

    limit: Decimal
    spent: Decimal = Decimal(0)
    unpriced: int = 0
    exhausted: bool = False
    _reserved: dict[tuple[str, Hashable], Decimal] = dataclasses.field(default_factory=dict)
    _most: dict[str, Decimal] = dataclasses.field(default_factory=dict)

    @property
    def reserved(self) -> Decimal:
        """What is set aside for trials in flight."""
        return sum(self._reserved.values(), Decimal(0))

    def estimate(self, suite: str) -> Decimal:
        """What the next trial of a suite is taken to cost."""
        return self._most.get(suite, max(self._most.values(), default=Decimal(0)))

    def ask(self, suite: str, trial: Hashable) -> Answer:
        """Whether a trial may start: `go` sets money aside for it, `wait` is until one in flight is done.

        `trial` is a name of its own within the suite. After `stop` nothing may start any more, in any suite.
        """
        if self.exhausted:
            return "stop"
        estimate = self.estimate(suite)
        if self.spent + self.reserved + estimate > self.limit or self.spent >= self.limit:
            if self._reserved:
                return "wait"
            self.exhausted = True
            return "stop"
        if suite not in self._most and len(self._reserved) >= FIRST:
            return "wait"
        self._reserved[suite, trial] = estimate
        return "go"

    def settle(self, suite: str, trial: Hashable, usages: Iterable[Usage | None] = ()) -> None:
        """Count what a trial cost that is done, whether or not it was asked for, and free what was set aside."""
        self._reserved.pop((suite, trial), None)
        cost = Decimal(0)
        for usage in usages:
            if usage is None:
                continue
            cost += usage.spent or 0
            self.unpriced += _unpriced(usage)
        self.spent += cost
        most = self._most[suite] = max(cost, self._most.get(suite, Decimal(0)))
        for key, aside in self._reserved.items():
            if key[0] == suite and aside < most:  # those in flight may turn out as dear
                self._reserved[key] = most


def dollars(amount: Decimal) -> str:
    """An amount of US dollars as people write it: `$0.50`, `$12.345`."""
    cents = amount.quantize(Decimal("0.01"))
    return f"${cents if cents == amount else amount.normalize():f}"


def _unpriced(usage: Usage) -> int:
    """How many calls have no known price; where nobody counted calls, tokens without a cost are one."""
    if usage.unpriced or usage.cost is not None:
        return usage.unpriced
    return usage.calls if usage.calls is not None else 1 if usage.input_tokens or usage.output_tokens else 0
