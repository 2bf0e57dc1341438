"""The queue before one model: who may go next, and when. It knows no threads and no clock; it is told the time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from evalkit.calling import Limits
from evalkit.limits.bucket import Bucket
from evalkit.limits.window import Window

LONGEST_PAUSE = 60.0
"""Seconds; a server that asks for more patience than this is asked again after it."""

_TOO_MANY = frozenset((429, 529))


class Ticket:
    """A place in the queue, then a place in flight.

    `wake` is called when it is worth looking at it again; nobody is, as long as it is `None`.
    """

    __slots__ = ("asked_at", "granted_at", "over", "tokens", "wake")

    def __init__(self, *, tokens: int = 0, now: float) -> None:
        self.tokens = tokens
        self.wake: Callable[[], None] | None = None
        self.asked_at = now
        self.granted_at: float | None = None
        self.over = False


class Lane:
    """First come, first served, within the window of concurrency and the requests and tokens a minute.

    Every method takes the time of a clock that never goes back, in seconds. Not thread-safe: `Limiter` holds a lock.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.window = Window()
        self.in_flight = 0
        self.waiting: deque[Ticket] = deque()
        self._requests: Bucket | None = None
        self._tokens: Bucket | None = None
        self._paused_until = 0.0
        self._limits: Limits | None = None
        self.limit(limits)

    def limit(self, limits: Limits | None) -> None:
        """Hold to `limits` from now on, where they are stricter than those before."""
        if limits is None or limits is self._limits or limits == self._limits:
            return
        self._limits = limits
        if limits.concurrency is not None:
            self.window.limit(limits.concurrency)
        self._requests = _stricter(self._requests, limits.rpm)
        self._tokens = _stricter(self._tokens, limits.tpm)

    def ask(self, ticket: Ticket, now: float) -> bool:
        """Queue up; whether it is this ticket's turn at once."""
        self.waiting.append(ticket)
        self.advance(now)
        return ticket.granted_at is not None

    def advance(self, now: float) -> None:
        """Let go whoever may go, in the order they came, and wake each of them."""
        granted = False
        while self.waiting and self.delay(now) == 0.0:
            self.in_flight += 1
            ticket = self.waiting.popleft()
            ticket.granted_at = now
            if self._requests is not None:
                self._requests.take(1.0, now)
            if self._tokens is not None:
                self._tokens.take(float(ticket.tokens), now)
            _wake(ticket)
            granted = True
        if granted and self.waiting:
            _wake(self.waiting[0])  # the new first has to set its own alarm

    def delay(self, now: float) -> float | None:
        """Seconds until the first in the queue may go: 0 for now, `None` for when somebody comes back."""
        if self.in_flight >= self.window.room:
            return None
        waits = [self._paused_until - now]
        if self._requests is not None:
            waits.append(self._requests.wait(1.0, now))
        if self._tokens is not None:
            waits.append(self._tokens.wait(float(self.waiting[0].tokens), now))
        return max(0.0, *waits)

    def seen(
        self, ticket: Ticket, now: float, *, status: int | None, retry_after: float | None, tokens: int | None
    ) -> None:
        """Take note of the answer to a call in flight; see `Slot.seen`."""
        if ticket.over or ticket.granted_at is None:
            return
        if tokens is not None and self._tokens is not None:
            self._tokens.take(float(tokens - ticket.tokens), now)
            ticket.tokens = tokens
        if status is None:
            return
        refused = status in _TOO_MANY or (status == 503 and retry_after is not None)
        self.window.answered(refused=refused, in_flight=self.in_flight)
        if refused and retry_after is not None and self.window.crowded:
            # One call that is told to wait is that call's business; when most are, nobody else needs to ask.
            self._paused_until = max(self._paused_until, now + min(retry_after, LONGEST_PAUSE))

    def leave(self, ticket: Ticket, now: float) -> None:
        """Give the place up, in the queue or in flight; the second time does nothing."""
        if ticket.over:
            return
        ticket.over = True
        if ticket.granted_at is not None:
            self.in_flight -= 1
        else:
            was_first = self.waiting[0] is ticket
            self.waiting.remove(ticket)
            if was_first and self.waiting:
                _wake(self.waiting[0])
        self.advance(now)


def _wake(ticket: Ticket) -> None:
    if ticket.wake is not None:
        ticket.wake()


def _stricter(bucket: Bucket | None, per_minute: int | None) -> Bucket | None:
    if per_minute is None or (bucket is not None and bucket.rate * 60 <= per_minute):
        return bucket
    return Bucket(per_minute)
