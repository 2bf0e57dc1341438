"""A place inside a JSON value, written with dots: `customer.name`, `items.0.price`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.errors import ScorerError


class _Missing:
    def __repr__(self) -> str:
        return "missing"


MISSING = _Missing()
"""What `look_up` gives where there is nothing; `None` is a value that JSON can say."""


def steps_of(scorer: str, path: str | Sequence[str]) -> tuple[str, ...]:
    """The steps of a dotted path; a list of steps stays as it is, for keys that have a dot in them.

    Raises `ScorerError` for an empty path and an empty step.
    """
    steps = tuple(path.split(".")) if isinstance(path, str) else tuple(path)
    if not steps or not all(isinstance(step, str) and step for step in steps):
        raise ScorerError(
            f"{scorer}: {path!r} is no path.", hint='Write it as "customer.name" or "items.0.price", or as a list.'
        )
    return steps


def look_up(value: Any, steps: Sequence[str]) -> Any:
    """What lies at `steps` inside `value`, or `MISSING`; a number steps into a list, negative from its end."""
    for step in steps:
        if isinstance(value, Mapping):
            value = value.get(step, MISSING)
        elif isinstance(value, list | tuple):
            value = _item(value, step)
        else:
            return MISSING
        if value is MISSING:
            return MISSING
    return value


def leaves(value: Any, steps: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Each field of `value` with its path; dicts are entered, lists and everything else are one field each."""
    if isinstance(value, Mapping) and value:
        return [leaf for key, item in value.items() for leaf in leaves(item, (*steps, str(key)))]
    return [(steps, value)]


def _item(values: Sequence[Any], step: str) -> Any:
    digits = step.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        return MISSING
    index = int(step)
    return values[index] if -len(values) <= index < len(values) else MISSING
