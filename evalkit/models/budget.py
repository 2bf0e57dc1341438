"""How long a call may go on: its attempts, the pauses between them, and when it is given up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextvars import ContextVar

from evalkit.calling import Calling
from evalkit.errors import ModelError, ModelRefused, ModelUnavailable
from evalkit.models.faults import Fault, FaultKind, fault_of, own_error, replay_miss
from evalkit.models.spec import Spec

LONGEST_PAUSE = 60.0
"""Seconds between two attempts, whatever `Retry-After` says."""

_FIRST: dict[FaultKind, float] = {
    "rate": 0.5, "server": 0.5, "timeout": 0.25, "connection": 0.25, "garbage": 0.25, "truncated": 0.25,
    "error body": 0.5,
}  # fmt: skip
_GROWTH = 2.0
_TOP = 20.0

_HINTS: dict[FaultKind, str] = {
    "rate": "It takes fewer calls than were made: give the model limits (concurrency, rpm, tpm), or wait.",
    "server": "The provider has trouble; its status page may say more. Try again later.",
    "timeout": "Give the model more time (timeout, attempt_timeout), or ask it for less.",
    "connection": "See that the base URL is right and that its server is up and can be reached from here.",
    "garbage": "See that the base URL is that of an OpenAI-compatible API.",
    "truncated": "Something on the way cuts answers off; a proxy's time limit is the usual one.",
    "error body": "The provider says what is wrong; the parameters of the model are the first thing to look at.",
    "filtered": "The provider's content filter stopped it; the case, or the prompt, is what it objects to.",
}

_DRAW: ContextVar[Callable[[], float]] = ContextVar("evalkit_jitter", default=random.random)


class Budget:
    """The time and the attempts that one call has left; also its clock, which stands still while it waits its turn.

    The pauses double from a quarter or half a second on, each drawn between half of that and all of it, so that calls
    that failed together do not come back together. A `Retry-After` is waited for in full, up to a minute, and a little
    longer by chance.
    """

    def __init__(self, spec: Spec, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._spec = spec
        self._clock = clock
        self._deadline = clock() + spec.timeout
        self._paused_at: float | None = None
        self._reset: Callable[[float | None], None] | None = None
        self._attempt_ends = self._deadline
        self.attempt = 0
        self.faults: list[Fault] = []

    def begin(self, reset: Callable[[float | None], None] | None = None) -> Calling:
        """Begin an attempt. `reset` is told the seconds left, now and whenever they change; `None` is a halt."""
        self.attempt += 1
        self._attempt_ends = min(self._deadline, self._clock() + self._spec.each)
        self._reset = reset
        if reset is not None:
            reset(self.left)
        spec = self._spec
        return Calling(
            name=spec.name,
            provider=spec.provider,
            attempt=self.attempt,
            limits=spec.limits,
            rates=spec.rates,
            clock=self,
        )

    @property
    def left(self) -> float:
        """Seconds that the attempt may still take, at least a millisecond."""
        return max(0.001, self._attempt_ends - self._clock())

    def check(self) -> None:
        """Raise `TimeoutError` where the time of the attempt is up."""
        if self._clock() > self._attempt_ends:
            raise TimeoutError

    def pause(self) -> None:
        """Stop counting."""
        if self._paused_at is None:
            self._paused_at = self._clock()
            if self._reset is not None:
                self._reset(None)

    def resume(self) -> None:
        """Count again."""
        if self._paused_at is not None:
            waited, self._paused_at = self._clock() - self._paused_at, None
            self._deadline += waited
            self._attempt_ends += waited
            if self._reset is not None:
                self._reset(self.left)

    def failed(self, error: BaseException, *, begun: bool = False) -> float:
        """Seconds to wait before the next attempt. Raises what there is to say where there is none.

        `begun` says that a part of the answer has been handed on already, so that trying again would say it twice.
        """
        self.resume()
        ours = own_error(error) or replay_miss(error)
        if ours is error:
            raise error
        if ours is not None:
            raise ours from error
        fault = fault_of(error)
        if fault is None:
            raise error
        self.faults.append(fault)
        if not fault.retriable:
            raise self._refused(fault) from error
        if begun or self.attempt >= self._spec.attempts:
            raise self._given_up(begun=begun) from error
        pause = self._pause(fault)
        if self._clock() + pause >= self._deadline:
            raise self._given_up(pause=pause) from error
        return pause

    def _pause(self, fault: Fault) -> float:
        draw = _DRAW.get()()
        if fault.retry_after is not None:
            asked = min(fault.retry_after, LONGEST_PAUSE)
            return asked + (0.05 + 0.1 * asked) * draw
        alike = sum(other.kind == fault.kind for other in self.faults)
        top = min(_TOP, _FIRST[fault.kind] * _GROWTH ** (alike - 1))
        return top * (0.5 + 0.5 * draw)

    def _refused(self, fault: Fault) -> ModelError:
        spec = self._spec
        hint = _HINTS.get(fault.kind)
        if fault.status in (401, 403):
            hint = f"See that the key in {spec.api_key} is right and may use this model." if spec.api_key else (
                "The model has no key; say where it is: api_key: {env: NAME}."
            )  # fmt: skip
        elif fault.status == 404:
            hint = "See that the model's id and the base URL are right; the URL mostly ends in /v1."
        elif fault.status == 429:
            hint = "The account has no quota left."
        return ModelRefused(
            f"{spec.name} ({spec.shown}) did not take the call: {fault}.".replace("..", "."),
            provider=spec.provider or "",
            model=spec.model,
            attempts=self._lines(),
            hint=hint or "Trying again would not help; the call itself has to change.",
        )

    def _given_up(self, *, pause: float | None = None, begun: bool = False) -> ModelError:
        spec, last = self._spec, self.faults[-1]
        times = "1 attempt" if self.attempt == 1 else f"{self.attempt} attempts"
        what = f"gave no whole answer in {times}"
        if begun:
            what = "broke off in the middle of its answer"
            why = "A part of it had been handed on already, so it was not asked for again."
        elif pause is not None:
            why = f"The next attempt was due in {pause:.1f} s, which is beyond the {spec.timeout:g} s that a call has."
        else:
            why = None
        earlier = "; ".join(self._lines()[:-1])
        return ModelUnavailable(
            f"{spec.name} ({spec.shown}) {what}: {last}.".replace("..", "."),
            provider=spec.provider or "",
            model=spec.model,
            attempts=self._lines(),
            why="\n".join(line for line in (why, f"Before that: {earlier}." if earlier else None) if line) or None,
            hint=_HINTS.get(last.kind),
        )

    def _lines(self) -> tuple[str, ...]:
        return tuple(str(fault) for fault in self.faults)
