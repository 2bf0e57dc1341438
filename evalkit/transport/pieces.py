"""A secret that comes in pieces: in a stream, token by token, no single event has all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from evalkit.transport.asked import Redact

_TEXTS = frozenset({"arguments", "content", "delta", "partial_json", "reasoning_content", "refusal", "text"})
"""The fields of events that carry a text bit by bit."""

_Where = tuple[str | int, ...]


def whole(events: list[Any], redact: Redact) -> list[Any]:
    """The events of a stream, where a text that they spell together is redacted as the one text it is.

    `events` are JSON data; the same list is given back where nothing had to go. A text that had a secret in it then
    stands in the first event that had a piece of it, and the others have none.
    """
    spelled: dict[Any, list[tuple[int, _Where, str]]] = {}
    for number, event in enumerate(events):
        if isinstance(event, dict):
            # What belongs together is told by these names of OpenAI's responses, and by its place in the event.
            owner = tuple(str(event.get(name)) for name in ("type", "item_id", "output_index", "content_index"))
            for where, name, text in _texts(event, (), ()):
                spelled.setdefault((owner, name), []).append((number, where, text))
    made = events
    for pieces in spelled.values():
        text = "".join(piece for _, _, piece in pieces)
        if len(pieces) > 1 and (clean := redact(text)) != text:
            made = json.loads(json.dumps(events)) if made is events else made
            for place, (number, where, _) in enumerate(pieces):
                _put(made[number], where, clean if place == 0 else "")
    return made


def _texts(value: Any, where: _Where, name: _Where) -> Iterator[tuple[_Where, _Where, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict | list):
                yield from _texts(item, (*where, key), (*name, key))
            elif isinstance(item, str) and key in _TEXTS:
                yield (*where, key), (*name, key), item
    elif isinstance(value, list):
        for place, item in enumerate(value):
            # An event has only some of the choices, or of the tools that are called: `index` says which.
            index = item.get("index", place) if isinstance(item, dict) else place
            yield from _texts(item, (*where, place), (*name, str(index)))


def _put(value: Any, where: _Where, text: str) -> None:
    for step in where[:-1]:
        value = value[step]
    value[where[-1]] = text
