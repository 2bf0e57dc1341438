"""A whole answer, put together from the events of a stream, or checked when it came in one piece."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from evalkit.models.faults import Broken, Fault, error_in_body
from evalkit.models.reply import Reply, chat_reply, responses_reply


def body_of(text: str) -> Mapping[str, Any]:
    """The JSON object that an answer is. Raises `Broken` where it is none, or says an error in spite of its 200."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        shown = " ".join(text.split())[:60]
        raise Broken(Fault(kind="garbage", said=f"an answer that is no JSON: {shown!r}")) from None
    if not isinstance(body, dict):
        raise Broken(Fault(kind="garbage", said="an answer that is no JSON object"))
    said = body.get("error")
    if said:
        raise Broken(error_in_body(said if isinstance(said, dict) else {"message": said}))
    return body


def read_chat(body: Mapping[str, Any], *, attempts: int) -> Reply:
    """The answer of the chat API. Raises `Broken` for one that is none, not whole, or was filtered."""
    try:
        reply = chat_reply(body, attempts=attempts)
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Broken(Fault(kind="garbage", said="an answer without a message")) from None
    if reply.finish_reason == "content_filter":
        raise Broken(Fault(kind="filtered", said="the content filter stopped the answer", retriable=False))
    return reply


def read_responses(body: Mapping[str, Any], *, attempts: int) -> Reply:
    """The answer of the Responses API; as `read_chat`."""
    try:
        reply = responses_reply(body, attempts=attempts)
    except (KeyError, TypeError, AttributeError):
        raise Broken(Fault(kind="garbage", said="an answer without output")) from None
    if reply.finish_reason == "content_filter":
        raise Broken(Fault(kind="filtered", said="the content filter stopped the answer", retriable=False))
    if reply.finish_reason in ("failed", "cancelled", "in_progress", "queued"):
        raise Broken(Fault(kind="error body", said=f"an answer with the status {reply.finish_reason}"))
    return reply


def read_vectors(body: Mapping[str, Any], *, wanted: int) -> list[list[float]]:
    """The vectors of the embeddings API, in the order asked. Raises `Broken` where there are not `wanted` of them."""
    try:
        rows = sorted(body["data"], key=lambda row: row["index"])
        vectors = [[float(number) for number in row["embedding"]] for row in rows]
    except (KeyError, TypeError, ValueError):
        raise Broken(Fault(kind="garbage", said="an answer without vectors")) from None
    if len(vectors) != wanted:
        raise Broken(Fault(kind="truncated", said=f"{len(vectors)} vectors for {wanted} texts"))
    return vectors


class Assembly(Protocol):
    """Takes the events of a stream one by one."""

    def take(self, event: Any) -> str:
        """The text that the event adds, which may be none. Raises `Broken` for one that says an error."""
        ...

    def whole(self, *, attempts: int) -> Reply:
        """The answer, when the stream has ended. Raises `Broken` where it ended too early."""
        ...


class ChatAssembly:
    """Of a stream of the chat API."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._refusals: list[str] = []
        self._calls: dict[int, dict[str, str]] = {}
        self._head: dict[str, Any] = {}
        self._finish: str | None = None

    def take(self, event: Any) -> str:
        """The text that a chunk adds."""
        head = self._head
        for name in ("id", "model", "system_fingerprint"):
            value = getattr(event, name, None)
            if value:
                head[name] = value
        if getattr(event, "usage", None) is not None:
            head["usage"] = event.usage.model_dump(exclude_none=True)
        added = ""
        for choice in event.choices or ():
            if choice.index:
                continue
            if choice.finish_reason:
                self._finish = choice.finish_reason
            delta = choice.delta
            if delta is None:
                continue
            added += delta.content or ""
            if getattr(delta, "refusal", None):
                self._refusals.append(delta.refusal)
            for call in delta.tool_calls or ():
                made = self._calls.setdefault(call.index, {"id": "", "name": "", "arguments": ""})
                made["id"] = call.id or made["id"]
                if call.function is not None:
                    made["name"] += call.function.name or ""
                    made["arguments"] += call.function.arguments or ""
        if added:
            self._texts.append(added)
        return added

    def whole(self, *, attempts: int) -> Reply:
        """The answer; a stream that gave no reason for its end was cut off."""
        if self._finish is None:
            said = f"a stream that broke off after {sum(map(len, self._texts))} characters"
            raise Broken(Fault(kind="truncated", said=said))
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(self._texts) if self._texts else None,
            "refusal": "".join(self._refusals) or None,
        }
        if self._calls:
            message["tool_calls"] = [
                {
                    "id": call["id"],
                    "type": "function",
                    "function": {"name": call["name"], "arguments": call["arguments"]},
                }
                for _, call in sorted(self._calls.items())
            ]
        choice = {"index": 0, "message": message, "finish_reason": self._finish}
        return read_chat({**self._head, "choices": [choice]}, attempts=attempts)


class ResponsesAssembly:
    """Of a stream of the Responses API, whose last event has the whole answer."""

    def __init__(self) -> None:
        self._length = 0
        self._body: Mapping[str, Any] | None = None

    def take(self, event: Any) -> str:
        """The text that an event adds."""
        kind = event.type
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            self._length += len(event.delta)
            return str(event.delta)
        if kind in ("response.completed", "response.incomplete"):
            self._body = event.response.model_dump(mode="json")
        elif kind == "response.failed":
            failed = event.response.error
            raise Broken(error_in_body(failed.model_dump() if failed is not None else {}))
        elif kind == "error":
            raise Broken(error_in_body({"message": event.message, "code": event.code}))
        return ""

    def whole(self, *, attempts: int) -> Reply:
        """The answer; a stream without its last event was cut off."""
        if self._body is None:
            raise Broken(Fault(kind="truncated", said=f"a stream that broke off after {self._length} characters"))
        return read_responses(self._body, attempts=attempts)
