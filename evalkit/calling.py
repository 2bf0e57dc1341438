"""What evalkit's own call to a model knows, and the transport beneath it cannot see in the request."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from decimal import Decimal
from typing import Protocol


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What a model costs, in US dollars per million tokens. `cached` is for input that the provider had cached;
    `None` is the price of any other input. `output` is `None` for a model that writes nothing, such as an embedding.
    """

    input: Decimal
    output: Decimal | None = None
    cached: Decimal | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that may be asked of a model: calls at once, requests a minute, tokens a minute; `None` is no limit."""

    concurrency: int | None = None
    rpm: int | None = None
    tpm: int | None = None


class Clock(Protocol):
    """The time that a call has left."""

    def pause(self) -> None:
        """Stop counting: the call waits for its turn, which is no fault of whoever answers it."""
        ...

    def resume(self) -> None:
        """Count again."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """A call that is being made by a model of evalkit's: one attempt of it.

    `name` is the model's in the project, `attempt` counts from 1. `provider` is who the user says answers, which
    matters for the price where the host alone does not tell; `rates` are the user's own for this model. `clock` is
    paused by whoever makes the call wait for a limit.
    """

    name: str
    provider: str | None = None
    attempt: int = 1
    limits: Limits | None = None
    rates: Rates | None = None
    clock: Clock | None = None

    @property
    def attributes(self) -> Mapping[str, str | int]:
        """What a span of this call says beside what the request and the answer do."""
        return {"evalkit.model": self.name, "evalkit.attempt": self.attempt}


_CURRENT: ContextVar[Calling | None] = ContextVar("evalkit_calling", default=None)


def calling() -> Calling | None:
    """The call of evalkit's that is being made in this context; `None` for a client of the user's own."""
    return _CURRENT.get()


@contextlib.contextmanager
def announced(call: Calling) -> Iterator[Calling]:
    """Within the block, `calling()` is `call`."""
    token = _CURRENT.set(call)
    try:
        yield call
    finally:
        _CURRENT.reset(token)
