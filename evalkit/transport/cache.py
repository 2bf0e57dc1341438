"""Recorded answers: found again, added to, or used alone, as the session's mode says."""

from __future__ import annotations

import dataclasses
import threading
import weakref
from typing import Any, Literal, Protocol

from evalkit.errors import ReplayMiss
from evalkit.exchange import Exchange
from evalkit.transport.asked import Asked, Redact
from evalkit.transport.miss import replay_miss
from evalkit.transport.shelf import Shelf

Mode = Literal["read-write", "replay", "refresh"]
"""Use what is recorded and add to it, use it and call nobody, or record anew."""

_EXPLAINED = 50
"""Misses of a session for which the nearest recorded request is looked up; what comes after is said in short."""


class InTrial(Protocol):
    """What the cache has to know of the trial that a call is made in. Weak references to it are kept."""

    suite: str
    case_id: str
    number: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One call of a trial: the `occurrence`-th of its identical requests, and the key that follows."""

    asked: Asked
    trial: int
    occurrence: int
    key: str


class Cache:
    """The recorded answers of one session. Everything may be called from any thread.

    What is recorded is kept in memory too, and handed over by `take`: whoever owns the shelf writes it.
    """

    def __init__(self, shelf: Shelf, *, mode: Mode, redact: Redact) -> None:
        self.shelf = shelf
        self.mode = mode
        self.redact = redact
        # Reentrant, as the garbage collector may throw away a stream, which gives its number back, at any time.
        self._lock = threading.RLock()
        self._taken: weakref.WeakKeyDictionary[Any, dict[str, set[int]]] = weakref.WeakKeyDictionary()
        self._recorded: dict[str, Exchange] = {}
        self._new: dict[str, Exchange] = {}
        self.misses = 0
        """How many calls had no recorded answer, where only those may be used."""
        self.hits = 0
        """How many calls were answered from the record."""

    def turn(self, asked: Asked, trial: InTrial) -> Turn:
        """Which of its trial's identical requests this one is: the lowest number that none in flight or done has."""
        with self._lock:
            taken = self._taken.setdefault(trial, {}).setdefault(asked.identity, set())
            occurrence = next(number for number in range(1, len(taken) + 2) if number not in taken)
            taken.add(occurrence)
        key = asked.key(trial=trial.number, occurrence=occurrence)
        return Turn(asked=asked, trial=trial.number, occurrence=occurrence, key=key)

    def give_back(self, turn: Turn, trial: InTrial) -> None:
        """The call brought nothing that is kept, so that the next identical one, mostly a retry, has its number."""
        with self._lock:
            self._taken.get(trial, {}).get(turn.asked.identity, set()).discard(turn.occurrence)

    def find(self, turn: Turn) -> Exchange | None:
        """The recorded answer, `None` where there is none, or where it is to be recorded anew.

        Raises `CacheError` for a cassette that cannot be read, and `StoreError`.
        """
        if self.mode == "refresh":
            return None
        with self._lock:
            found = self._recorded.get(turn.key)
        if found is None:
            found = self.shelf.get(turn.key)
        if found is not None:
            with self._lock:
                self.hits += 1
        return found

    def keep(self, exchange: Exchange) -> None:
        """Keep an answer that came; the first of two with one key, where two cases asked the same at once."""
        with self._lock:
            if exchange.key not in self._recorded:
                self._recorded[exchange.key] = self._new[exchange.key] = exchange

    def take(self) -> list[Exchange]:
        """What was recorded since this was last asked."""
        with self._lock:
            new, self._new = self._new, {}
        return list(new.values())

    def miss(self, turn: Turn, trial: InTrial) -> ReplayMiss:
        """The error for a call without a recorded answer."""
        with self._lock:
            self.misses += 1
            explained = self.misses <= _EXPLAINED
        asked = turn.asked
        return replay_miss(
            asked,
            suite=trial.suite,
            case_id=trial.case_id,
            trial=trial.number,
            occurrence=turn.occurrence,
            alike=self.shelf.alike(method=asked.method, url=asked.url) if explained else None,
            place=self.shelf.place,
        )
