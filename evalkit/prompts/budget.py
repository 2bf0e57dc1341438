"""How much one rendering of a Jinja prompt may do."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar

LONGEST_OUTPUT = 1_000_000
"""Characters that a prompt may have when it is rendered."""

MOST_WORK = 20_000_000
"""Characters and list entries that may be made on the way; each turn of a loop counts as `PER_TURN`."""

PER_TURN = 100
MOST_SECONDS = 2.0
"""Seconds of this thread's own processor time, so that a busy machine refuses nothing."""


class Exhausted(Exception):
    """A rendering went beyond what it may do; `str()` says what it did."""


class Budget:
    """What is left of one rendering's work."""

    def __init__(self) -> None:
        self.left = MOST_WORK
        self.output = 0
        self._until = time.thread_time() + MOST_SECONDS
        self._steps = 0

    def spend(self, amount: int) -> None:
        """Take note of work done, or about to be done. Raises `Exhausted`."""
        self.left -= amount + 1
        if self.left < 0:
            raise Exhausted(f"makes more than {MOST_WORK:,} characters and entries on the way")
        self._steps += 1
        if self._steps % 16 == 0 and time.thread_time() > self._until:  # the clock costs as much as the rest together
            raise Exhausted(f"takes more than {MOST_SECONDS:g} s")

    def write(self, text: str) -> None:
        """Take note of text that was put out. Raises `Exhausted`."""
        self.output += len(text)
        if self.output > LONGEST_OUTPUT:
            raise Exhausted(f"has more than {LONGEST_OUTPUT:,} characters")
        self.spend(len(text))


_budget: ContextVar[Budget] = ContextVar("evalkit_prompt_budget")


@contextlib.contextmanager
def limited() -> Iterator[Budget]:
    """A new budget, in force until this is left."""
    token = _budget.set(Budget())
    try:
        yield _budget.get()
    finally:
        _budget.reset(token)


def spend(amount: int) -> None:
    """Take note of work in the rendering that goes on; see `Budget.spend`."""
    _budget.get().spend(amount)
