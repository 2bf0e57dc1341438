"""Canonical JSON, the digests made from it, and ids.

A digest is SHA-256 over RFC 8785 canonical JSON, in lower-case hex. Two values that say the same in JSON have
the same digest, whatever the order of their keys or the file they came from.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import hashlib
import json
import math
import os
import pathlib
import time
import uuid
from collections.abc import Mapping
from typing import Any

JSON = dict[str, Any] | list[Any] | str | int | float | bool | None
"""What JSON can say."""

_SAFE_INTEGER = 2**53 - 1
_MAX_DEPTH = 200


def jsonable(value: Any, *, strict: bool = False) -> Any:
    """`value` as plain JSON data: dicts with string keys, lists, strings, numbers, booleans, `None`.

    Dates become ISO 8601 text, decimals and paths text, sets sorted lists, dataclasses and pydantic models
    dicts, enums their value. Anything else becomes its `repr`, unless `strict`, which raises `TypeError`.
    NaN and the infinities, which JSON cannot say, become the strings `"NaN"`, `"Infinity"`, `"-Infinity"`,
    unless `strict`, which raises `ValueError`. Nesting beyond 200 levels raises `ValueError`.
    """
    return _jsonable(value, strict, 0)


def _jsonable(value: Any, strict: bool, depth: int) -> Any:
    kind = type(value)
    if value is None or kind is str or kind is bool or kind is int:
        return value
    if kind is float:
        return value if math.isfinite(value) else _not_finite(value, strict)
    if depth > _MAX_DEPTH:
        raise ValueError(f"nested more than {_MAX_DEPTH} levels deep")
    if kind is dict:
        return {
            key if type(key) is str else _key(key, strict): _jsonable(item, strict, depth + 1)
            for key, item in value.items()
        }
    if kind is list or kind is tuple:
        return [_jsonable(item, strict, depth + 1) for item in value]
    return _other(value, strict, depth)


def _other(value: Any, strict: bool, depth: int) -> Any:
    if isinstance(value, enum.Enum):
        return _jsonable(value.value, strict, depth + 1)
    if isinstance(value, str | bool):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return _jsonable(float(value), strict, depth)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | uuid.UUID | pathlib.PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key, strict): _jsonable(item, strict, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item, strict, depth + 1) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_jsonable(item, strict, depth + 1) for item in value), key=repr)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return _jsonable(fields, strict, depth + 1)
    if hasattr(value, "model_dump"):  # a pydantic model, recognised without importing pydantic
        return _jsonable(value.model_dump(mode="json"), strict, depth + 1)
    if hasattr(value, "item") and getattr(value, "shape", None) == ():  # a numpy scalar, likewise
        return _jsonable(value.item(), strict, depth + 1)
    if hasattr(value, "tolist"):
        return _jsonable(value.tolist(), strict, depth + 1)
    if strict:
        raise TypeError(f"{type(value).__name__} has no form in JSON")
    return repr(value)


def _key(key: Any, strict: bool) -> str:
    if isinstance(key, str):
        return str(key)
    if key is None or isinstance(key, bool | int | float):
        return json.dumps(key)
    if strict:
        raise TypeError(f"a JSON object has string keys, not {type(key).__name__}")
    return str(key)


def _not_finite(value: float, strict: bool) -> str:
    if strict:
        raise ValueError(f"{value} has no form in JSON")
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def canonical_json(value: Any) -> bytes:
    r"""RFC 8785 canonical JSON of `jsonable(value)`, UTF-8.

    Integers beyond 2**53, which RFC 8785 refuses, are written as `{"$int": "…"}`; lone surrogates, which have
    no UTF-8, as `\udXXX` text. Both keep their digests stable and apart from every other value.
    """
    try:
        return _quick(value)
    except (_NeedsCare, UnicodeError):
        plain = jsonable(value)
    try:
        return _quick(plain)
    except (_NeedsCare, UnicodeError):
        pass

    import rfc8785

    try:
        return rfc8785.dumps(plain)
    except (rfc8785.CanonicalizationError, UnicodeError):
        return rfc8785.dumps(_widened(plain))


class _NeedsCare(Exception):
    """The value has something that Python's own encoder would not write as RFC 8785 asks."""


_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":"))


def _quick(value: Any) -> bytes:
    """Canonical JSON by Python's own encoder, in about a third of the time that rfc8785 takes.

    Raises `_NeedsCare` for what is no plain data, and for the three things that the encoder writes otherwise:
    whole floats in plain data are taken care of (`1.0` is `1`), those written with an exponent are not, nor is
    the order of keys beyond ASCII (UTF-16 units in RFC 8785, code points here), nor integers beyond 2**53.
    """
    return _ENCODER.encode(_as_ecmascript(value, 0)).encode("utf-8")


def _as_ecmascript(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        if -_SAFE_INTEGER <= value <= _SAFE_INTEGER:
            return value
        raise _NeedsCare
    if depth > _MAX_DEPTH:
        raise _NeedsCare
    if kind is dict:
        for key in value:
            if type(key) is not str or not key.isascii():
                raise _NeedsCare
        return {key: _as_ecmascript(item, depth + 1) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [_as_ecmascript(item, depth + 1) for item in value]
    if kind is float:
        if value.is_integer() and -_SAFE_INTEGER <= value <= _SAFE_INTEGER:
            return int(value)
        if 1e-4 <= abs(value) < 1e15:
            return value
    raise _NeedsCare


def _widened(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) > _SAFE_INTEGER:
        return {"$int": str(value)}
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_widened(key): _widened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_widened(item) for item in value]
    return value


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, 64 lower-case hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def digest_bytes(data: bytes) -> str:
    """SHA-256 of `data`, 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def new_id() -> str:
    """A new UUIDv7 as text: unique anywhere, and sorted by the time it was made (RFC 9562)."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76  # version 7
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant 10
    return str(uuid.UUID(int=value))


def utc_now() -> dt.datetime:
    """The time now, aware, in UTC."""
    return dt.datetime.now(dt.UTC)
