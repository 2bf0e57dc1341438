"""What a scripted provider says: an answer, or a fault in the place of one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

FaultKind = Literal["status", "hang", "reset", "garbage", "truncated", "error_in_200"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call of a tool that the model asks for; `arguments` become a JSON text unless they are one."""

    name: str
    arguments: Mapping[str, Any] | str = dataclasses.field(default_factory=dict)
    id: str | None = None

    @property
    def text(self) -> str:
        """The arguments as the JSON text that goes over the wire."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(dict(self.arguments))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider answers to one call.

    `text` may be a dict or list, which goes out as JSON: what a structured answer looks like. Token counts that are
    `None` are counted from the words, and are no model's own. `latency` is in seconds before the answer begins,
    `token_latency` between two pieces of a stream; `None` leaves them to the server. `logprobs` are `{token:
    log probability}` for each position, the token that was said first. `model` is the snapshot that claims to have
    answered.
    """

    text: str | Mapping[str, Any] | Sequence[Any] | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    refusal: str | None = None
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int = 0
    latency: float | None = None
    token_latency: float | None = None
    logprobs: tuple[Mapping[str, float], ...] = ()
    model: str | None = None
    system_fingerprint: str | None = "fp_scripted"

    @property
    def content(self) -> str | None:
        """The text that goes over the wire."""
        return self.text if self.text is None or isinstance(self.text, str) else json.dumps(self.text)

    @property
    def reason(self) -> str:
        """Why the model stopped: as given, else what the rest of the answer says."""
        return self.finish_reason or ("tool_calls" if self.tool_calls else "stop")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong instead of an answer; the functions of this module make them.

    `after` is how many pieces of a stream, or bytes of a plain body, go out before it breaks.
    """

    kind: FaultKind
    status: int = 500
    message: str = ""
    code: str | None = None
    retry_after: float | None = None
    seconds: float = 3600.0
    after: int = 2


def rate_limited(*, retry_after: float | None = None) -> Fault:
    """A 429; with the header `Retry-After` (in seconds) where one is given."""
    return Fault(
        kind="status",
        status=429,
        message="Rate limit reached for requests",
        code="rate_limit_exceeded",
        retry_after=retry_after,
    )


def failing(status: int = 500, *, message: str = "The server had an error", code: str | None = None) -> Fault:
    """An answer with that HTTP status and an error as its body: 500, 503, 400, 401, 404 and so on."""
    return Fault(kind="status", status=status, message=message, code=code)


def hanging(seconds: float = 3600.0) -> Fault:
    """No answer for that long, and then none at all."""
    return Fault(kind="hang", seconds=seconds)


def reset() -> Fault:
    """The connection is reset before a byte of an answer."""
    return Fault(kind="reset")


def garbage() -> Fault:
    """A 200 whose body is no JSON."""
    return Fault(kind="garbage")


def truncated(*, after: int = 2) -> Fault:
    """An answer that breaks off: a stream after so many pieces, a plain body after so many bytes, before its end."""
    return Fault(kind="truncated", after=after)


def error_in_200(message: str = "The model is overloaded") -> Fault:
    """A 200 whose body is an error."""
    return Fault(kind="error_in_200", message=message, code="overloaded")
