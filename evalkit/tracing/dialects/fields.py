"""Reading fields of JSON that may be of any kind, as it comes from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from evalkit.tracing import names
from evalkit.usage import Usage

_SETTINGS = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "max_output_tokens": "gen_ai.request.max_tokens",
}


def settings(request: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a request that have a canonical name."""
    found: dict[str, Any] = {}
    for field, name in _SETTINGS.items():
        value = request.get(field)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = value
    count = request.get("n")
    if isinstance(count, int) and count > 1:
        found["gen_ai.request.choice.count"] = count
    stop = request.get("stop")
    if isinstance(stop, str):
        found["gen_ai.request.stop_sequences"] = [stop]
    elif isinstance(stop, list) and stop:
        found["gen_ai.request.stop_sequences"] = [str(item) for item in stop]
    tier = text(request.get("service_tier"))
    if tier is not None:
        found[names.REQUEST_TIER] = tier
    if request.get("stream") is True:
        found["gen_ai.request.stream"] = True
    return found


def mapping(value: Any) -> dict[str, Any]:
    """`value`, or nothing where it is no object."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; nothing where it is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list | tuple) else []


def text(value: Any) -> str | None:
    """`value` where it is text that says something."""
    return value if isinstance(value, str) and value else None


def whole(value: Any) -> int | None:
    """`value` where it is a count."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def arguments(value: Any) -> Any:
    """The arguments of a tool call, which come as the text of JSON; as that text where it is none."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def usage(given: Any, *, input_name: str, output_name: str | None, details: str) -> tuple[Usage | None, dict[str, Any]]:
    """Token counts, and attributes for those that a `Usage` has no field for; `None` where there are none."""
    counts = mapping(given)
    inputs = whole(counts.get(input_name))
    outputs = 0 if output_name is None and inputs is not None else whole(counts.get(output_name or ""))
    if inputs is None and outputs is None:
        return None, {}
    reasoning = whole(mapping(counts.get(f"{output_name}_details")).get("reasoning_tokens"))
    return (
        Usage(
            input_tokens=inputs,
            output_tokens=outputs,
            cached_tokens=whole(mapping(counts.get(details)).get("cached_tokens")),
        ),
        {} if reasoning is None else {names.REASONING_TOKENS: reasoning},
    )
