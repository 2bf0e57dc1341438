"""The values that fill a prompt's variables: as text for a plain template, as plain data for a Jinja one."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

from evalkit.canonical import jsonable
from evalkit.errors import PromptError


def as_data(value: Any, *, what: str, where: str | None = None) -> Any:
    """`value` as plain JSON data, a copy. Raises `PromptError` for NaN and for objects that JSON cannot say."""
    try:
        return jsonable(value, strict=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise PromptError(
            f"{what} cannot be put into a prompt: {error}.",
            where=where,
            hint="Give text, numbers, lists and dicts, or turn the object into text yourself.",
        ) from None


def as_text(value: Any, *, what: str, where: str | None = None) -> str:
    """`value` as the text that goes into a prompt.

    Text is taken as it is; dates, decimals and paths as their text; numbers, booleans, lists and dicts as JSON.
    Raises `PromptError` for `None`, which in a prompt is nearly always a value that somebody forgot.
    """
    if type(value) is str:
        return value
    if value is None:
        raise PromptError(
            f"{what} is None.",
            where=where,
            why='A prompt would read "None" there.',
            hint='Give it a text; "" is one.',
        )
    data = as_data(value, what=what, where=where)
    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, allow_nan=False)


def frozen(data: Any) -> Any:
    """Plain data that nobody can change: dicts become read-only views, lists tuples."""
    if isinstance(data, dict):
        return MappingProxyType({key: frozen(item) for key, item in data.items()})
    if isinstance(data, list):
        return tuple(frozen(item) for item in data)
    return data


def thawed(data: Any) -> Any:
    """A copy of frozen data, as plain dicts and lists."""
    if isinstance(data, MappingProxyType):
        return {key: thawed(item) for key, item in data.items()}
    if isinstance(data, tuple):
        return [thawed(item) for item in data]
    return data
