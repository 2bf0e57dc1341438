"""Answers in the shapes of the OpenAI API: bodies, and the events of a stream."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evalkit.testing.answers import Answer, Fault
from evalkit.testing.script import Call, text_of

CREATED = 1_760_000_000
"""The time that every answer bears, so that the same call gives the same bytes."""

_PIECE = re.compile(r"\s*\S+|\s+")
_WORD = re.compile(r"\w+|[^\w\s]")


def count(text: str) -> int:
    """How many words and signs `text` has: what stands here for tokens."""
    return len(_WORD.findall(text))


def pieces(text: str) -> list[str]:
    """`text` in the pieces that a stream sends, a word each."""
    return _PIECE.findall(text)


def tokens(call: Call, answer: Answer) -> tuple[int, int]:
    """Tokens in and out: as the answer says, else counted."""
    given = answer.input_tokens
    if given is None:
        given = sum(count(text_of(message.get("content"))) for message in call.messages)
    made = answer.output_tokens
    if made is None:
        made = count(answer.content or answer.refusal or "") + sum(
            count(tool.name) + count(tool.text) for tool in answer.tool_calls
        )
    return given, made


def error_body(fault: Fault) -> dict[str, Any]:
    """The body of an error."""
    return {
        "error": {"message": fault.message, "type": fault.code or "server_error", "param": None, "code": fault.code}
    }


def identifier(prefix: str, call: Call) -> str:
    """An id that the same call, as the n-th, always gets."""
    material = json.dumps([call.number, call.path, call.body], sort_keys=True, default=str)
    return f"{prefix}{hashlib.sha256(material.encode()).hexdigest()[:24]}"


def chat_body(call: Call, answer: Answer) -> dict[str, Any]:
    """The body of an answer to `chat/completions`."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.content, "refusal": answer.refusal}
    if answer.tool_calls:
        message["tool_calls"] = _chat_tools(call, answer)
    choice: dict[str, Any] = {
        "index": 0,
        "message": message,
        "finish_reason": answer.reason,
        "logprobs": _logprobs(answer),
    }
    return {
        "id": identifier("chatcmpl-", call),
        "object": "chat.completion",
        "created": CREATED,
        "model": answer.model or call.model,
        "system_fingerprint": answer.system_fingerprint,
        "choices": [choice],
        "usage": _chat_usage(call, answer),
    }


def chat_events(call: Call, answer: Answer) -> Iterator[str]:
    """The events of an answer to `chat/completions` as a stream, each with the blank line that ends it."""
    base: dict[str, Any] = {
        "id": identifier("chatcmpl-", call),
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": answer.model or call.model,
        "system_fingerprint": answer.system_fingerprint,
    }
    with_usage = bool((call.body.get("stream_options") or {}).get("include_usage"))

    def chunk(delta: Mapping[str, Any], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return _event(base | {"choices": [choice]} | ({"usage": None} if with_usage else {}))

    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for piece in pieces(answer.content or ""):
        yield chunk({"content": piece})
    for piece in pieces(answer.refusal or ""):
        yield chunk({"refusal": piece})
    for index, tool in enumerate(_chat_tools(call, answer)):
        opened = {**tool, "index": index, "function": {"name": tool["function"]["name"], "arguments": ""}}
        yield chunk({"tool_calls": [opened]})
        for piece in pieces(tool["function"]["arguments"]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, answer.reason)
    if with_usage:
        yield _event(base | {"choices": [], "usage": _chat_usage(call, answer)})
    yield "data: [DONE]\n\n"


_CUT_SHORT = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Reasons to stop that make an answer of the Responses API an incomplete one, in its words."""


def responses_body(call: Call, answer: Answer, *, done: bool = True) -> dict[str, Any]:
    """The body of an answer to `responses`; `done` is `False` for what a stream begins with."""
    given, made = tokens(call, answer)
    cut = _CUT_SHORT.get(answer.reason) if done else None
    return {
        "id": identifier("resp_", call),
        "object": "response",
        "created_at": CREATED,
        "status": ("incomplete" if cut else "completed") if done else "in_progress",
        "error": None,
        "incomplete_details": {"reason": cut} if cut else None,
        "instructions": call.body.get("instructions"),
        "metadata": {},
        "model": answer.model or call.model,
        "output": _items(call, answer) if done else [],
        "parallel_tool_calls": True,
        "temperature": call.body.get("temperature", 1.0),
        "tool_choice": call.body.get("tool_choice", "auto"),
        "tools": call.body.get("tools", []),
        "top_p": call.body.get("top_p", 1.0),
        "usage": {
            "input_tokens": given,
            "input_tokens_details": {"cached_tokens": answer.cached_tokens},
            "output_tokens": made,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": given + made,
        }
        if done
        else None,
    }


def responses_events(call: Call, answer: Answer) -> Iterator[str]:
    """The events of an answer to `responses` as a stream."""
    number = -1

    def event(kind: str, **fields: Any) -> str:
        nonlocal number
        number += 1
        body = {"type": kind, "sequence_number": number, **fields}
        return f"event: {kind}\n{_event(body)}"

    yield event("response.created", response=responses_body(call, answer, done=False))
    yield event("response.in_progress", response=responses_body(call, answer, done=False))
    for index, item in enumerate(_items(call, answer)):
        place = {"output_index": index, "item_id": item["id"]}
        yield event("response.output_item.added", output_index=index, item=_opened(item))
        if item["type"] == "function_call":
            for piece in pieces(item["arguments"]):
                yield event("response.function_call_arguments.delta", **place, delta=piece)
            yield event("response.function_call_arguments.done", **place, arguments=item["arguments"])
        else:
            part = item["content"][0]
            word, field = ("refusal", "refusal") if part["type"] == "refusal" else ("output_text", "text")
            empty = part | {field: ""}
            yield event("response.content_part.added", **place, content_index=0, part=empty)
            extra: dict[str, Any] = {"logprobs": []} if word == "output_text" else {}
            for piece in pieces(part[field]):
                yield event(f"response.{word}.delta", **place, content_index=0, delta=piece, **extra)
            yield event(f"response.{word}.done", **place, content_index=0, **{field: part[field]}, **extra)
            yield event("response.content_part.done", **place, content_index=0, part=part)
        yield event("response.output_item.done", output_index=index, item=item)
    last = "incomplete" if answer.reason in _CUT_SHORT else "completed"
    yield event(f"response.{last}", response=responses_body(call, answer))


def embeddings_body(call: Call, *, size: int = 8) -> dict[str, Any]:
    """The body of an answer to `embeddings`: a vector of length 1 for each input, made from its hash.

    The same text always has the same vector; vectors of different texts say nothing about their meanings.
    """
    given = call.body.get("input", "")
    texts = [given] if isinstance(given, str) else list(given)
    wanted = int(call.body.get("dimensions") or size)
    used = sum(count(text) if isinstance(text, str) else len(text) for text in texts)
    as_base64 = call.body.get("encoding_format") == "base64"
    vectors = [_vector(str(text), wanted) for text in texts]
    return {
        "object": "list",
        "model": call.model,
        "data": [
            {"object": "embedding", "index": index, "embedding": _base64(vector) if as_base64 else vector}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }


def _vector(text: str, size: int) -> list[float]:
    raw = hashlib.shake_256(text.encode()).digest(size * 2)
    numbers = [int.from_bytes(raw[at : at + 2], "big") - 32767.5 for at in range(0, len(raw), 2)]
    length = sum(number * number for number in numbers) ** 0.5
    return [number / length for number in numbers]


def _base64(vector: Sequence[float]) -> str:
    import base64
    import struct

    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _event(body: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def _chat_usage(call: Call, answer: Answer) -> dict[str, Any]:
    given, made = tokens(call, answer)
    return {
        "prompt_tokens": given,
        "completion_tokens": made,
        "total_tokens": given + made,
        "prompt_tokens_details": {"cached_tokens": answer.cached_tokens},
    }


def _chat_tools(call: Call, answer: Answer) -> list[dict[str, Any]]:
    return [
        {
            "id": tool.id or f"{identifier('call_', call)}{index}",
            "type": "function",
            "function": {"name": tool.name, "arguments": tool.text},
        }
        for index, tool in enumerate(answer.tool_calls)
    ]


def _logprobs(answer: Answer) -> dict[str, Any] | None:
    if not answer.logprobs:
        return None
    content = []
    for position in answer.logprobs:
        ranked = [
            {"token": token, "logprob": value, "bytes": list(token.encode())} for token, value in position.items()
        ]
        content.append({**ranked[0], "top_logprobs": ranked})
    return {"content": content, "refusal": None}


def _items(call: Call, answer: Answer) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if answer.refusal is not None:
        items.append(_message(call, {"type": "refusal", "refusal": answer.refusal}))
    elif answer.content is not None:
        items.append(_message(call, {"type": "output_text", "text": answer.content, "annotations": [], "logprobs": []}))
    items.extend(
        {
            "id": f"{identifier('fc_', call)}{index}",
            "type": "function_call",
            "status": "completed",
            "call_id": tool.id or f"{identifier('call_', call)}{index}",
            "name": tool.name,
            "arguments": tool.text,
        }
        for index, tool in enumerate(answer.tool_calls)
    )
    return items


def _message(call: Call, part: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": identifier("msg_", call),
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [dict(part)],
    }


def _opened(item: Mapping[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"arguments": ""} if item["type"] == "function_call" else {"content": []}
    return {**item, **empty, "status": "in_progress"}
