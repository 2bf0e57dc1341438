"""What decides the answer to a call: a text, a list, a function, with faults mixed in by seed."""

from __future__ import annotations

import dataclasses
import inspect
import random
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from evalkit.testing.answers import Answer, Fault

Reply = str | Answer | Fault
"""What a script gives for one call; a text is an answer of that text."""

Script = Reply | Sequence[Reply] | Callable[["Call"], Reply | Awaitable[Reply]]
"""A constant, one answer a call with the last one repeated, or a function of the call."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that the server got. `number` counts them from 1, `headers` have lower-case names."""

    number: int
    method: str
    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def model(self) -> str:
        """The model that was asked for."""
        return str(self.body.get("model", ""))

    @property
    def stream(self) -> bool:
        """Whether the answer is wanted as a stream."""
        return bool(self.body.get("stream"))

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The messages, whichever of the interfaces was called."""
        if "messages" in self.body:
            messages: Sequence[Mapping[str, Any]] = self.body["messages"]
            return messages
        given = self.body.get("input", "")
        lead = [{"role": "system", "content": self.body["instructions"]}] if self.body.get("instructions") else []
        several = [given] if isinstance(given, str) else given
        return [*lead, *(one if isinstance(one, Mapping) else {"role": "user", "content": one} for one in several)]

    @property
    def text(self) -> str:
        """The text of the last message: what a script mostly looks at."""
        messages = self.messages
        return text_of(messages[-1].get("content")) if messages else ""


def text_of(content: Any) -> str:
    """The text in a message's content, which is a string or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Faults at random: the share of the calls that get each, drawn by `seed` in the order the calls come in.

    The shares are of all calls, and together at most 1.
    """

    shares: Mapping[Fault, float]
    seed: int = 0


class Actor:
    """Plays a script: asked for each call, it says what the server is to do."""

    def __init__(self, script: Script, faults: Faults | None = None) -> None:
        self._script = script
        self._faults = faults
        self._random = random.Random(0 if faults is None else faults.seed)  # noqa: S311 - a plan, not a secret
        self._lock = threading.Lock()
        self._said = 0

    async def act(self, call: Call) -> Answer | Fault:
        """What the script says to `call`. Raises what the script raises, and `TypeError` for what is no reply."""
        fault = self._fault()
        if fault is not None:
            return fault
        script = self._script
        if callable(script):
            given = script(call)
            return _checked(await given if inspect.isawaitable(given) else given)
        if isinstance(script, str | Answer | Fault):
            return _checked(script)
        with self._lock:
            place = min(self._said, len(script) - 1)
            self._said += 1
        return _checked(script[place])

    def _fault(self) -> Fault | None:
        if self._faults is None:
            return None
        with self._lock:
            draw = self._random.random()
        for fault, share in self._faults.shares.items():
            if draw < share:
                return fault
            draw -= share
        return None


def _checked(given: Any) -> Answer | Fault:
    if isinstance(given, Answer | Fault):
        return given
    if isinstance(given, str):
        return Answer(text=given)
    raise TypeError(f"a script gives a text, an Answer or a Fault, not {type(given).__name__}: {given!r:.80}")
