"""Values as OpenTelemetry's attributes take them, and back."""

from __future__ import annotations

import json
from typing import Any

from evalkit.canonical import jsonable


def as_attribute(value: Any) -> Any:
    """`value` as an attribute: text, numbers, booleans and flat lists of one kind as they are, the rest as JSON."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or kind is float:
        return value
    if kind in (list, tuple) and value:
        first = type(value[0])
        if first in (str, int, bool, float) and all(type(item) is first for item in value):
            return tuple(value)
    return json.dumps(jsonable(value), ensure_ascii=False)


def from_attribute(value: Any) -> Any:
    """What `as_attribute` made JSON of; anything else as it is, as plain data."""
    if isinstance(value, str):
        if value[:1] in ("[", "{"):
            try:
                return json.loads(value)
            except (ValueError, RecursionError):
                return value
        return value
    return plain(value)


def plain(value: Any) -> Any:
    """An attribute as plain JSON data: lists for tuples, text for bytes."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return jsonable(value)
