"""The limiter of a session: one queue for each model at each host, for threads and event loops alike."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple

from evalkit.calling import Limits
from evalkit.limits.lane import Lane, Ticket


class Key(NamedTuple):
    """What has a queue of its own: a model at a host, such as `("api.openai.com", "gpt-4o-mini")`."""

    host: str
    model: str


class Limiter:
    """Keeps calls within what each model takes, and learns what that is from the answers.

    Nothing is held up before a model has turned a call away (429), unless limits were given for it. Any thread may
    use it, and any number of event loops at the same time; whoever asked first goes first. `clock` gives seconds and
    never goes back; it is the real one but in tests.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Reentrant, as the garbage collector may close a coroutine that waits, which gives its place up, at any time.
        self._lock = threading.RLock()
        self._lanes: dict[Key, Lane] = {}

    def acquire(self, key: Key, *, tokens: int = 0, limits: Limits | None = None) -> Slot:
        """A place for one call, to be waited for: `with limiter.acquire(key) as slot:`, or `async with`.

        `tokens` is a guess of what the call will take, for a limit of tokens a minute; `Slot.seen` puts it right.
        `limits` are the user's own for this model; of several that were ever given the strictest holds.

        Where the call ends later than a block would, as with a stream, use `slot.wait()` or `await slot.turn()`, and
        `slot.release()` when it has ended. A place that is given up while it is waited for, by cancellation or Ctrl-C,
        goes to the next.
        """
        return Slot(self, key, tokens=tokens, limits=limits)

    def in_flight(self, key: Key) -> int:
        """How many calls have a place now."""
        with self._lock:
            lane = self._lanes.get(key)
            return 0 if lane is None else lane.in_flight

    def concurrency(self, key: Key) -> float:
        """How many calls may have a place at once, as learnt so far; infinity where nothing says no."""
        with self._lock:
            lane = self._lanes.get(key)
            return float("inf") if lane is None else lane.window.room

    def _lane(self, key: Key, limits: Limits | None) -> Lane:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane()
        lane.limit(limits)
        return lane


class Slot:
    """A place for one call. `waited` is how many seconds it took to get it, 0.0 before that."""

    __slots__ = ("_key", "_lane", "_limiter", "_limits", "_ticket", "_tokens", "waited")

    def __init__(self, limiter: Limiter, key: Key, *, tokens: int, limits: Limits | None) -> None:
        self._limiter = limiter
        self._key = key
        self._limits = limits
        self._tokens = tokens
        self._lane: Lane | None = None
        self._ticket: Ticket | None = None
        self.waited = 0.0

    def wait(self) -> None:
        """Wait for the turn in this thread."""
        alarm = threading.Event()
        try:
            while (delay := self._step(alarm.set)) != 0.0:
                alarm.wait(delay)
                alarm.clear()
        except BaseException:
            self.release()  # Ctrl-C while waiting must not cost the others a place
            raise

    async def turn(self) -> None:
        """Wait for the turn in the running event loop."""
        loop = asyncio.get_running_loop()
        alarm = asyncio.Event()

        def wake() -> None:
            # Called under the lock, maybe by another thread, and maybe after this loop has gone.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(alarm.set)

        try:
            while (delay := self._step(wake)) != 0.0:
                timer = None if delay is None else loop.call_later(delay, alarm.set)
                try:
                    await alarm.wait()
                finally:
                    if timer is not None:
                        timer.cancel()
                alarm.clear()
        except BaseException:
            self.release()
            raise

    def seen(self, *, status: int | None = None, retry_after: float | None = None, tokens: int | None = None) -> None:
        """Say how the call was answered: its HTTP status, the seconds of its `Retry-After`, the tokens it took.

        Each may be told when it is known, the status once. A 429, 529, or 503 with a `Retry-After` counts as turned
        away; any other status as taken. Say nothing where no answer came. When most calls of late were turned away, a
        `Retry-After` (at most a minute of it) holds up the calls that have not begun.
        """
        if self._lane is None or self._ticket is None:
            return
        limiter = self._limiter
        with limiter._lock:
            self._lane.seen(self._ticket, limiter._clock(), status=status, retry_after=retry_after, tokens=tokens)

    def release(self) -> None:
        """The call has ended, well or not; saying it twice does no harm."""
        if self._lane is None or self._ticket is None:
            return
        limiter = self._limiter
        with limiter._lock:
            self._lane.leave(self._ticket, limiter._clock())

    def __enter__(self) -> Slot:
        self.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    async def __aenter__(self) -> Slot:
        await self.turn()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def _step(self, wake: Callable[[], None]) -> float | None:
        """Queue up the first time, then look again; seconds to sleep at most, `None` until woken, 0.0 for go."""
        limiter = self._limiter
        with limiter._lock:
            now = limiter._clock()
            if self._lane is None or self._ticket is None:
                self._lane = limiter._lane(self._key, self._limits)
                self._ticket = Ticket(tokens=self._tokens, now=now)
                self._lane.ask(self._ticket, now)
                self._ticket.wake = wake
            else:
                self._lane.advance(now)
            ticket, lane = self._ticket, self._lane
            if ticket.granted_at is not None:
                self.waited = ticket.granted_at - ticket.asked_at
                return 0.0
            return lane.delay(now) if lane.waiting[0] is ticket else None
