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
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_INNER_DEPTH_ERROR = "a value nested too deep to be shown"


class Values:
    """Makes values for the page, each at most `limit` characters long, and counts what they take together.

    `cut` is how many were longer.
    """

    def __init__(self, limit: int = LIMITS[0]) -> None:
        self.limit = limit
        self.cut = 0
        self._longest = 0
        self._short = 0  # the characters of all values that no limit would cut
        self._long = dict.fromkeys(LIMITS, 0)  # those of the others, under each limit

    def of(self, value: Any) -> Any:
        """`value` as it travels; `None` stays `None`."""
        if value is None:
            return None
        return self.text(value) if type(value) is str else self.json(json_text(value))

    def text(self, text: str) -> Any:
        """A text as it travels."""
        return self._within(text) or text

    def json(self, text: str) -> Any:
        """A value that is JSON text already, as it travels."""
        return self._within(text) or ["json", text]

    def _within(self, text: str) -> list[Any] | None:
        size = len(text)
        if size <= LIMITS[-1]:
            self._short += size
            return None
        self._longest = max(self._longest, size)
        for limit in LIMITS:
            self._long[limit] += min(size, limit)
        if size <= self.limit:
            return None
        self.cut += 1
        return ["cut", text[: self.limit], size]

    def stricter(self) -> int | None:
        """The limit with which to begin anew, as all together are too much under this one; `None` to go on.

        Where a lower one would have cut nothing so far it holds from here on, and nothing has to be made again.
        """
        if self._spent(self.limit) <= BUDGET or self.limit == LIMITS[-1]:
            return None
        lower = (limit for limit in LIMITS if limit < self.limit and self._spent(limit) <= BUDGET)
        wanted = next(lower, LIMITS[-1])
        if self._longest > wanted:
            return wanted
        self.limit = wanted
        return None

    def _spent(self, limit: int) -> int:
        return self._short + self._long[limit]


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
        return _JSON.encode(jsonable(value))
    except (ValueError, RecursionError):
        return json.dumps(_INNER_DEPTH_ERROR)
