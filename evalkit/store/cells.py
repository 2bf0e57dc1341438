"""Values as cells of a table, in both directions: text, JSON, times, money, counts.

Whatever a model or a user's code gives must not break writing. A database's text holds neither NUL (PostgreSQL)
nor half of a surrogate pair (UTF-8), so those are written as U+001A and four hex digits, and read back as they were.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from evalkit.canonical import jsonable

_UNSAFE = re.compile("[\x00\x1a\ud800-\udfff]")
_ESCAPED = re.compile("\x1a([0-9a-f]{4})")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LARGEST = 2**63 - 1

_readable = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_ascii = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


def text_cell(value: str) -> str:
    """`value` as text that any database takes; `text_of` gives back exactly what it was."""
    if _UNSAFE.search(value) is None:
        return value
    return _UNSAFE.sub(lambda found: f"\x1a{ord(found[0]):04x}", value)


def text_of(cell: str) -> str:
    """The text that `text_cell` was given."""
    if "\x1a" not in cell:
        return cell
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), cell)


def maybe_text(value: str | None) -> str | None:
    """`text_cell`, where there is a text."""
    return None if value is None else text_cell(value)


def maybe_text_of(cell: str | None) -> str | None:
    """`text_of`, where there is a cell."""
    return None if cell is None else text_of(cell)


def json_cell(value: Any) -> str:
    """`value` as JSON text; what JSON cannot say is written as `jsonable` says it.

    A value that cannot be written at all (nested too deep, an object whose own methods raise) becomes
    `{"$unstorable": "why"}`: losing one value is better than losing the trial.
    """
    try:
        return _written(value if type(value) is str else jsonable(value))
    except Exception as error:  # whatever a foreign object's methods raise must not break writing
        return _written(_unstorable(value, error))


def storable(value: Any) -> Any:
    """`value` as the plain data that `json_cell` writes."""
    try:
        plain = jsonable(value)
        _written(plain)
    except Exception as error:  # as above
        return _unstorable(value, error)
    return plain


def _written(plain: Any) -> str:
    cell = _readable(plain)
    return _ascii(plain) if not cell.isascii() and _SURROGATE.search(cell) else cell


def _unstorable(value: Any, error: Exception) -> dict[str, str]:
    return {"$unstorable": f"{type(error).__name__}: {error}"[:500], "type": type(value).__qualname__}


def maybe_json(value: Any) -> str | None:
    """`json_cell`, or `None` for `None` and for an empty mapping or sequence."""
    if value is None or (not value and isinstance(value, dict | tuple | list)):
        return None
    cell = json_cell(value)
    return None if cell == "{}" else cell


def time_cell(value: dt.datetime) -> str:
    """`value` in UTC as `2026-11-22T09:30:00.000000Z`, which sorts as text; a naive time is taken as UTC."""
    if value.tzinfo is None:
        return value.isoformat(timespec="microseconds") + "Z"
    if value.tzinfo is not dt.UTC:
        value = value.astimezone(dt.UTC)
    return value.isoformat(timespec="microseconds")[:26] + "Z"


def time_of(cell: str) -> dt.datetime:
    """The aware time, in UTC, that `time_cell` wrote."""
    return dt.datetime.fromisoformat(cell)


def flag_cell(value: bool | None) -> int | None:
    """`1`, `0`, or `None` for unknown."""
    return None if value is None else int(value)


def flag_of(cell: int | None) -> bool | None:
    """`True`, `False`, or `None` for unknown."""
    return None if cell is None else bool(cell)


def number_cell(value: Any) -> float | None:
    """`value` as a float, and `None` for NaN, which databases hold differently or not at all."""
    if value is None:
        return None
    number = float(value)
    return None if math.isnan(number) else number


def count_cell(value: Any) -> int | None:
    """`value` as an integer of 64 bits; one that does not fit is nothing anyone counted, and so unknown."""
    if value is None:
        return None
    count = int(value)
    return count if -_LARGEST <= count <= _LARGEST else None


def money_cell(value: Any) -> str | None:
    """`value` as plain decimal text, exact; `None` for unknown, NaN and the infinities."""
    if value is None:
        return None
    try:
        amount = value if type(value) is Decimal else Decimal(str(value))
    except InvalidOperation:
        return None
    return str(amount) if amount.is_finite() else None


def money_of(cell: str | None) -> Decimal | None:
    """The amount that `money_cell` wrote."""
    return None if cell is None else Decimal(cell)
