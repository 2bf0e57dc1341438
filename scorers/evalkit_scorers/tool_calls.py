"""Tool calls, in whichever of the usual forms they were written."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from evalkit_scorers.wording import shown

_ARGUMENTS = ("arguments", "args", "input", "parameters")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call: the tool's name and its arguments by name.

    `arguments` is `None` where the call says only a name, and where `fault` says why they could not be read.
    """

    name: str
    arguments: Mapping[str, Any] | None = None
    fault: str | None = None

    def __str__(self) -> str:
        if self.fault:
            return f"{self.name}({self.fault})"
        if self.arguments is None:
            return self.name
        said = ", ".join(f"{key}={shown(value, 30)}" for key, value in list(self.arguments.items())[:6])
        return f"{self.name}({said})"


def tool_calls_of(value: Any) -> list[ToolCall]:
    """The tool calls that `value` makes, in order; `None`, `[]` and `""` make none.

    Read are: OpenAI `tool_calls` (arguments as JSON text), Responses `function_call` items, Anthropic `tool_use`
    blocks, Gemini `functionCall` parts; `{"name": …, "arguments": …}`; `{name: arguments}` with a dict or JSON
    text; a bare name; a message that holds any of these, a list of messages, and a list of any of them, also as JSON
    text. Messages without calls count for nothing. Raises `TypeError` for what is none of these.
    """
    if value is None or value == "":
        return []
    if isinstance(value, str):
        text = value.strip()
        return tool_calls_of(_from_json(text)) if text[:1] in ("[", "{") else [ToolCall(name=text)]
    if isinstance(value, list | tuple):
        return [call for item in value for call in tool_calls_of(item)]
    if isinstance(value, Mapping):
        return _from_mapping(value)
    raise TypeError(f"{shown(value)} is no tool call: it is {type(value).__name__}")


def _from_mapping(value: Mapping[str, Any]) -> list[ToolCall]:
    if "tool_calls" in value and isinstance(value["tool_calls"], list | tuple | type(None)):
        return tool_calls_of(value["tool_calls"])
    if isinstance(value.get("role"), str):
        content = value.get("content", value.get("parts"))
        return _from_blocks(content) if isinstance(content, list | tuple) else []
    for wrapper in ("function", "functionCall", "function_call"):
        if isinstance(value.get(wrapper), Mapping) and isinstance(value[wrapper].get("name"), str):
            return _from_mapping(value[wrapper])
    if isinstance(value.get("name"), str):
        return [_call(value["name"], next((value[key] for key in _ARGUMENTS if key in value), None))]
    if not value:
        return []
    if all(isinstance(arguments, Mapping | str) for arguments in value.values()):
        return [_call(str(name), arguments) for name, arguments in value.items()]
    raise TypeError(f"{shown(value)} is no tool call: it has neither a name nor arguments by name")


def _from_blocks(blocks: Any) -> list[ToolCall]:
    """The calls among the blocks of a message's content, where most are text, images or results."""
    return [
        call
        for block in blocks
        if isinstance(block, Mapping)
        and (block.get("type") in ("tool_use", "function_call") or "functionCall" in block or "function_call" in block)
        for call in tool_calls_of(block)
    ]


def _call(name: str, arguments: Any) -> ToolCall:
    if isinstance(arguments, Mapping) or arguments is None:
        return ToolCall(name=name, arguments=arguments)
    if isinstance(arguments, str):
        try:
            read = json.loads(arguments) if arguments.strip() else {}
        except (ValueError, RecursionError):
            return ToolCall(name=name, fault=f"arguments that are not JSON: {shown(arguments, 40)}")
        if isinstance(read, Mapping):
            return ToolCall(name=name, arguments=read)
        arguments = read
    return ToolCall(name=name, fault=f"arguments that are no object: {shown(arguments, 40)}")


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise TypeError(f"{shown(text)} is no tool call: it looks like JSON and is none") from None
