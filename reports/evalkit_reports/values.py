"""Values as the page carries them: text first, JSON as it is, cut where they are too long to be of use.

Every value travels as text: `null`, a string, `["json", text]`, or `["cut", text, length]` for one that was too long.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from evalkit.canonical import jsonable

LIMITS = (200_000, 20_000, 4_000, 1_000)
BUDGET = 200_000_000
_PREVIEW = 160
_PREVIEW_DEPTH = 8
_INNER_DEPTH_ERROR = "a value nested too deep to be shown"


class Values:
    """Makes values for the page under one limit, and counts what they take together.

    `cut` is how many were longer than `limit`; `spent` the characters of all, those that were cut at their limit.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.cut = 0
        self.spent = 0

    def of(self, value: Any) -> Any:
        """`value` as it travels; `None` stays `None`."""
        if value is None:
            return None
        is_text = type(value) is str
        text = value if is_text else json_text(value)
        if len(text) > self.limit:
            self.cut += 1
            self.spent += self.limit
            return ["cut", text[: self.limit], len(text)]
        self.spent += len(text)
        return text if is_text else ["json", text]


def preview(value: Any) -> str:
    """One short line that lets a reader recognise an input: its first text, whatever it is wrapped in."""
    for _ in range(_PREVIEW_DEPTH):
        if isinstance(value, Mapping):
            value = _telling(value)
        elif isinstance(value, list | tuple):
            value = value[0] if value else ""
    if not isinstance(value, str):
        value = "" if value is None else json_text(value)
    return " ".join(value[: _PREVIEW * 4].split())[:_PREVIEW]


def _telling(value: Mapping[Any, Any]) -> Any:
    if isinstance(value.get("messages"), list):
        asked = [part for part in value["messages"] if isinstance(part, Mapping) and part.get("role") == "user"]
        return asked[0] if asked else value["messages"]
    if "content" in value:
        return value["content"]
    texts = [item for item in value.values() if isinstance(item, str)]
    return max(texts, key=len) if texts else next(iter(value.values()), "")


def length(value: Any) -> int | None:
    """How many characters an output has, as text or as JSON; `None` where there is none."""
    if value is None:
        return None
    return len(value) if isinstance(value, str) else len(json_text(value))


def json_text(value: Any) -> str:
    """`value` as JSON text, numbers exactly as they are; a value nested beyond reason becomes a sentence."""
    try:
        return json.dumps(jsonable(value), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return json.dumps(_INNER_DEPTH_ERROR)
