"""The filters and tests of Jinja prompts: few, over plain data, each counting what it makes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Undefined

from evalkit.prompts.budget import PER_TURN, spend

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_INDENTED = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=2)


def text_of(value: Any) -> str:
    """The text that a value is put out as: texts as they are, `None` as nothing, all else as JSON."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Undefined):
        return str(value)  # which raises: undefined is strict here
    if value is None:
        return ""
    return _json(value, _ENCODER)


def _json(value: Any, encoder: json.JSONEncoder) -> str:
    pieces: list[str] = []
    for piece in encoder.iterencode(value):
        spend(len(piece))
        pieces.append(piece)
    return "".join(pieces)


def _listed(value: Any) -> list[Any]:
    if isinstance(value, Undefined) or not isinstance(value, str | list | tuple | Mapping):
        raise TypeError(f"{type(value).__name__} has no entries" if not isinstance(value, Undefined) else str(value))
    made = list(value)
    spend(len(made))
    return made


def _counted(value: Any) -> Any:
    if isinstance(value, str | list | tuple):
        spend(len(value))
    return value


def _each(value: Any) -> Iterator[Any]:
    for item in _listed(value):
        spend(PER_TURN)
        yield item


def _joined(value: Any, separator: Any = "", attribute: str | None = None) -> str:
    pieces = [text_of(item if attribute is None else item[attribute]) for item in _listed(value)]
    between = text_of(separator)
    spend(sum(map(len, pieces)) + len(between) * len(pieces))
    return between.join(pieces)


def _replace(value: Any, old: Any, new: Any) -> str:
    text, before, after = text_of(value), text_of(old), text_of(new)
    times = text.count(before)
    spend(len(text) + max(0, len(after) - len(before)) * times)
    return text.replace(before, after)


def _indent(value: Any, width: int = 4, first: bool = False) -> str:
    lines = text_of(value).split("\n")
    if not 0 <= width <= 100:
        raise ValueError("indent() takes a width from 0 to 100")
    spend(sum(map(len, lines)) + width * len(lines))
    blank = " " * width
    return "\n".join(
        line if (number == 0 and not first) or not line else blank + line for number, line in enumerate(lines)
    )


def _default(value: Any, instead: Any = "", boolean: bool = False) -> Any:
    return instead if isinstance(value, Undefined) or (boolean and not value) else value


def _items(value: Any) -> list[list[Any]]:
    if not isinstance(value, Mapping):
        raise TypeError(f"items takes a dict, not {type(value).__name__}")
    spend(len(value))
    return [[key, item] for key, item in value.items()]


def _sorted(value: Any, reverse: bool = False, attribute: str | None = None) -> list[Any]:
    made = _listed(value)
    made.sort(key=None if attribute is None else lambda item: item[attribute], reverse=reverse)
    return made


def _unique(value: Any) -> list[Any]:
    seen: dict[str, Any] = {}
    for item in _listed(value):
        seen.setdefault(_json(item, _ENCODER), item)
    return list(seen.values())


def _map(value: Any, *names: str, attribute: str = "") -> list[Any]:
    if names or not attribute:
        raise TypeError('map is written map(attribute="name")')
    return [item[attribute] for item in _listed(value)]


def _length(value: Any) -> int:
    return len(value)


def _first(value: Any) -> Any:
    return next(iter(_listed(value)[:1]), "")


def _last(value: Any) -> Any:
    return next(iter(_listed(value)[-1:]), "")


def _round(value: Any, digits: int = 0) -> Any:
    if not 0 <= digits <= 20:
        raise ValueError("round() takes 0 to 20 digits")
    return round(value, digits) if digits else round(value)


def _int(value: Any) -> int:
    return int(value)


def _float(value: Any) -> float:
    return float(value)


def _on_text(change: Callable[[str], str]) -> Callable[[Any], str]:
    def filtered(value: Any) -> str:
        text = text_of(value)
        spend(len(text))
        return change(text)

    return filtered


def _tojson(value: Any, indent: bool = False) -> str:
    return _json(value, _INDENTED if indent else _ENCODER)


def _wordcount(value: Any) -> int:
    text = text_of(value)
    spend(len(text))
    return len(text.split())


FILTERS: Mapping[str, Callable[..., Any]] = {
    "capitalize": _on_text(str.capitalize),
    "count": _length,
    "d": _default,
    "default": _default,
    "first": _first,
    "float": _float,
    "indent": _indent,
    "int": _int,
    "items": _items,
    "join": _joined,
    "last": _last,
    "length": _length,
    "list": _listed,
    "lower": _on_text(str.lower),
    "map": _map,
    "replace": _replace,
    "reverse": lambda value: _listed(value)[::-1],
    "round": _round,
    "sort": _sorted,
    "string": _on_text(str),
    "title": _on_text(str.title),
    "tojson": _tojson,
    "trim": _on_text(str.strip),
    "unique": _unique,
    "upper": _on_text(str.upper),
    "wordcount": _wordcount,
}
"""The filters that a prompt may use, by name."""

_INNER: Mapping[str, Callable[..., Any]] = {"_each": _each, "_joined": _joined, "_counted": _counted}

TESTS = frozenset({
    "defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "sequence", "true",
    "false", "odd", "even", "in", "eq", "ne", "lt", "le", "gt", "ge",
})  # fmt: skip
"""The tests of Jinja's own that a prompt may use."""


def registered() -> dict[str, Callable[..., Any]]:
    """All filters as Jinja takes them; none is ever worked out while a template is compiled."""
    return {name: _at_runtime(made) for name, made in itertools.chain(FILTERS.items(), _INNER.items())}


def _at_runtime(function: Callable[..., Any]) -> Callable[..., Any]:
    @pass_context
    def called(_: Any, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return called


def plus(left: Any, right: Any) -> Any:
    """`left + right` of two numbers, two texts or two lists."""
    numbers = (int, float)
    if isinstance(left, numbers) and isinstance(right, numbers):
        return left + right
    if (isinstance(left, str) and isinstance(right, str)) or (isinstance(left, list) and isinstance(right, list)):
        spend(len(left) + len(right))
        return left + right  # type: ignore[operator]  # both are of one kind, which mypy does not follow
    raise TypeError(f"{type(left).__name__} and {type(right).__name__} cannot be added")
