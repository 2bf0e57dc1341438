"""Server-sent events, as far as answers of models use them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """The JSON objects in a stream, in order; `done` says that it ended as it should, with `[DONE]`."""

    data: tuple[dict[str, Any], ...]
    done: bool


def events(text: str) -> Events:
    """The events in `text`; what is no JSON object, and an event that was cut off, is passed over."""
    found: list[dict[str, Any]] = []
    done = False
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
        elif not line and lines:
            data, lines = "\n".join(lines), []
            if data.strip() == "[DONE]":
                done = True
                continue
            try:
                value = json.loads(data)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                found.append(value)
    return Events(data=tuple(found), done=done)
