"""What a model answered."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self

from evalkit.usage import Usage

_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool that the model wants called. `arguments` is the JSON text it wrote, which may be broken."""

    id: str
    name: str
    arguments: str

    @property
    def args(self) -> dict[str, Any]:
        """The arguments by name. Raises `ValueError` where the model wrote no JSON object."""
        read = json.loads(self.arguments or "{}")
        if not isinstance(read, dict):
            raise ValueError(f"the arguments of {self.name} are no JSON object: {self.arguments:.80}")
        return read

    @property
    def message(self) -> dict[str, Any]:
        """The call as it stands in a message of the chat API."""
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}


class Reply(str):
    """The text of an answer, which is a string like any other, with what came along.

    `tool_calls` are those the model asks for. `model` is the snapshot that answered, `system_fingerprint` what the
    provider says of the system behind it. `usage` has the tokens, without cost. `finish_reason` is `stop`, `length`,
    `tool_calls` and so on; `refusal` is the model's own words where it refused, which are then the text too. `raw` is
    the answer as it came, `attempts` how often it took to get it. What is not known is `None`.
    """

    __slots__ = (
        "attempts", "finish_reason", "id", "model", "raw", "refusal", "system_fingerprint", "tool_calls", "usage",
    )  # fmt: skip

    tool_calls: tuple[ToolCall, ...]
    model: str | None
    system_fingerprint: str | None
    usage: Usage
    finish_reason: str | None
    refusal: str | None
    id: str | None
    raw: Mapping[str, Any]
    attempts: int

    def __new__(  # noqa: D102 - the class says it
        cls,
        text: str = "",
        *,
        tool_calls: Sequence[ToolCall] = (),
        model: str | None = None,
        system_fingerprint: str | None = None,
        usage: Usage | None = None,
        finish_reason: str | None = None,
        refusal: str | None = None,
        id: str | None = None,  # noqa: A002 - the provider's word for it
        raw: Mapping[str, Any] = _NONE,
        attempts: int = 1,
    ) -> Self:
        made = super().__new__(cls, text)
        made.tool_calls = tuple(tool_calls)
        made.model = model
        made.system_fingerprint = system_fingerprint
        made.usage = usage or Usage()
        made.finish_reason = finish_reason
        made.refusal = refusal
        made.id = id
        made.raw = raw
        made.attempts = attempts
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        said = {name: getattr(self, name) for name in Reply.__slots__}
        return (str(self),), said | {"raw": dict(self.raw)}

    @property
    def message(self) -> dict[str, Any]:
        """The answer as a message of the chat API, to go on from."""
        said: dict[str, Any] = {"role": "assistant", "content": str(self) or None}
        if self.tool_calls:
            said["tool_calls"] = [call.message for call in self.tool_calls]
        return said

    def __evalkit_output__(self) -> Any:
        """What is recorded where a suite returns this: the text, or the message if it asks for tools."""
        return self.message if self.tool_calls else str(self)


def chat_reply(body: Mapping[str, Any], *, attempts: int = 1) -> Reply:
    """The answer of `/chat/completions`. Raises `KeyError`, `IndexError` or `TypeError` where it is none."""
    choice = body["choices"][0]
    message = choice["message"]
    refusal = message.get("refusal") or None
    content = message.get("content")
    return Reply(
        content if isinstance(content, str) else (refusal or ""),
        tool_calls=[
            ToolCall(
                id=str(call.get("id") or ""),
                name=str(call["function"]["name"]),
                arguments=str(call["function"].get("arguments") or ""),
            )
            for call in message.get("tool_calls") or ()
            if call.get("function")
        ],
        model=body.get("model"),
        system_fingerprint=body.get("system_fingerprint"),
        usage=usage_of(body.get("usage")),
        finish_reason=choice.get("finish_reason"),
        refusal=refusal,
        id=body.get("id"),
        raw=body,
        attempts=attempts,
    )


def responses_reply(body: Mapping[str, Any], *, attempts: int = 1) -> Reply:
    """The answer of `/responses`. Raises `KeyError` or `TypeError` where it is none."""
    texts: list[str] = []
    refusals: list[str] = []
    calls: list[ToolCall] = []
    for item in body["output"]:
        if item["type"] == "function_call":
            calls.append(
                ToolCall(
                    id=str(item.get("call_id") or item.get("id") or ""),
                    name=str(item["name"]),
                    arguments=str(item.get("arguments") or ""),
                )
            )
        for part in (item.get("content") or ()) if item["type"] == "message" else ():
            if part.get("type") == "output_text":
                texts.append(str(part["text"]))
            elif part.get("type") == "refusal":
                refusals.append(str(part["refusal"]))
    status = body.get("status")
    cut = (body.get("incomplete_details") or {}).get("reason")
    refusal = "".join(refusals) or None
    return Reply(
        "".join(texts) or refusal or "",
        tool_calls=calls,
        model=body.get("model"),
        usage=usage_of(body.get("usage")),
        finish_reason={"max_output_tokens": "length"}.get(cut, cut) if cut else "tool_calls" if calls else (
            "stop" if status in ("completed", None) else status
        ),
        refusal=refusal,
        id=body.get("id"),
        raw=body,
        attempts=attempts,
    )  # fmt: skip


def usage_of(said: Any) -> Usage:
    """The tokens that an answer counts, in the words of either API; `None` where it counts none."""
    if not isinstance(said, Mapping):
        return Usage(calls=1, uncounted=1)
    details = said.get("prompt_tokens_details") or said.get("input_tokens_details") or {}
    read = said.get("prompt_tokens", said.get("input_tokens"))
    written = said.get("completion_tokens", said.get("output_tokens"))
    return Usage(
        input_tokens=read,
        output_tokens=written,
        cached_tokens=details.get("cached_tokens"),
        calls=1,
        uncounted=int(read is None),
    )
