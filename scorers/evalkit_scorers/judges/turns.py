"""Conversations and the steps of an agent, as text: a turn begins a line with its number, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_CALL, _RESULT = "function_call", "function_call_output"


def is_turns(value: Any) -> bool:
    """Whether `value` is a list of messages, as of OpenAI's chat API, or of items, as of its responses API."""
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(isinstance(turn, Mapping) and ("role" in turn or turn.get("type") in (_CALL, _RESULT)) for turn in value)


def turns_as_text(turns: Sequence[Mapping[str, Any]]) -> str:
    """The turns in their order, each with its number, who speaks, what is said, and the tools that are called.

    Further lines of a turn are indented, so that no turn can pass for two. The result of a tool says which call it
    belongs to.
    """
    called: dict[str, str] = {}
    return "\n".join(
        f"[{number}] {_turn(turn, called)}".replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\n    ")
        for number, turn in enumerate(turns, start=1)
    )


def _turn(turn: Mapping[str, Any], called: dict[str, str]) -> str:
    if turn.get("type") == _CALL:
        return f"assistant calls {_call(turn, turn.get('call_id'), called)}"
    if turn.get("type") == _RESULT:
        return f"{_result(turn.get('call_id'), called)}: {_content(turn.get('output'))}"
    calls = turn.get("tool_calls") or ()
    if turn.get("function_call"):
        calls = [*calls, {"function": turn["function_call"]}]
    who = _result(turn.get("tool_call_id"), called, turn.get("name")) if turn["role"] == "tool" else str(turn["role"])
    said = _content(turn.get("content"))
    if turn.get("refusal"):
        said = f"{said}\n(refuses) {turn['refusal']}".strip()
    lines = [f"{who}: {said}"] if said or not calls else []
    lines += [f"{who} calls {_call(_function(call), _field(call, 'id'), called)}" for call in calls]
    return "\n".join(lines)


def _function(call: Any) -> Any:
    return call["function"] if isinstance(call, Mapping) and isinstance(call.get("function"), Mapping) else call


def _call(call: Any, of: Any, called: dict[str, str]) -> str:
    if not isinstance(call, Mapping) or "name" not in call:
        return plain(call)
    name = str(call["name"])
    if of is not None:
        called[str(of)] = name
    given = call.get("arguments", call.get("args", call.get("input", {})))
    return f"{name}({given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=str)})"


def _result(of: Any, called: Mapping[str, str], name: Any = None) -> str:
    known = called.get(str(of)) if of is not None else None
    return f"result of {known or name or of or 'a tool'}"


def _field(call: Any, key: str) -> Any:
    return call.get(key) if isinstance(call, Mapping) else None


def _content(content: Any) -> str:
    """What is said: the texts of a list of parts, one after the other, and what else there is by its kind."""
    if content is None:
        return ""
    if not isinstance(content, list | tuple) or not all(isinstance(part, Mapping) for part in content):
        return plain(content)
    return "\n".join(
        str(part["text"]) if isinstance(part.get("text"), str) else f"({part.get('type', 'something else')})"
        for part in content
    )


def plain(value: Any) -> str:
    """Text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1, default=str)
