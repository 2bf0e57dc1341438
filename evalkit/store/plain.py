"""Records as plain JSON data and back, for the spool; the types of their fields say how to read them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import math
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from evalkit.store.cells import storable, time_cell, time_of

Record = TypeVar("Record")


def to_plain(value: Any) -> Any:
    """`value` as JSON data: a record becomes a dict, what cannot be written is replaced as in the store."""
    kind = type(value)
    if value is None or kind is str or kind is bool or (kind is float and math.isfinite(value)):
        return value
    names = _field_names(typing.cast("Any", kind))
    if names is not None:
        return {name: to_plain(getattr(value, name)) for name in names}
    if isinstance(value, dt.datetime):
        return time_cell(value)
    if isinstance(value, tuple) and any(dataclasses.is_dataclass(item) for item in value):
        return [to_plain(item) for item in value]
    return storable(value)


def from_plain(kind: type[Record], value: Mapping[str, Any]) -> Record:
    """The record of type `kind` that `to_plain` made `value` of; fields it does not know are left out."""
    hints = _hints(typing.cast("Any", kind))
    made: Record = kind(**{name: _read(hints[name], item) for name, item in value.items() if name in hints})
    return made


@functools.lru_cache(maxsize=256)
def _field_names(kind: type) -> tuple[str, ...] | None:
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else None


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(hint: Any, value: Any) -> Any:
    if value is None or hint is str or hint is float or hint is int:
        return value
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _read(next(part for part in inner if part is not types.NoneType), value)
    if origin is tuple:
        return tuple(_read(inner[0], item) for item in value)
    if origin is Mapping and isinstance(value, dict):
        return {name: _read(inner[1], item) for name, item in value.items()}
    if hint is Decimal:
        return Decimal(value)
    if hint is dt.datetime:
        return time_of(value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_plain(hint, value)
    return value
