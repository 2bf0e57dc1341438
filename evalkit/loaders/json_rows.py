"""Rows out of JSON and JSON Lines, strict where the standard library is lenient.

NaN and the infinities, a key given twice in one object, numbers beyond what a float holds and nesting beyond
100 levels are errors, because each would make cases that mean something else than they say.
"""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evalkit.errors import DatasetError
from evalkit.loaders.row import DEEPEST, Row, not_an_object
from evalkit.loaders.text import MEGABYTE, decoded, read_text

LARGEST_FILE = 1024 * MEGABYTE
LARGEST_LINE = 512 * MEGABYTE


def jsonl_rows(path: Path, *, shown: str) -> Iterator[Row]:
    """A row for each line that is not blank, read as they are asked for; the file may be larger than memory."""
    offset = 0
    with path.open("rb") as lines:
        number = 0
        while line := lines.readline(LARGEST_LINE + 1):
            number += 1
            where = f"{shown}:{number}"
            if len(line) > LARGEST_LINE:
                raise DatasetError(f"The line is longer than {LARGEST_LINE // MEGABYTE} MB.", where=where)
            start = offset
            offset += len(line)
            if number == 1 and line.startswith(codecs.BOM_UTF8):
                line, start = line[3:], 3
            text = decoded(line, shown=shown, line=number, offset=start).strip(" \t\r\n")
            if not text:
                continue
            try:
                value = parse(text)
            except _Refused as error:
                raise DatasetError(str(error), where=where) from None
            except json.JSONDecodeError as error:
                raise _broken(error, text, where=where, one_line=True) from None
            if type(value) is not dict:
                raise not_an_object(value, where)
            yield Row(values=value, place=f":{number}")


def json_rows(path: Path, *, shown: str) -> Iterator[Row]:
    """The rows of a JSON file: a list of objects, or an object whose `cases` is such a list."""
    text = read_text(path, shown=shown, cap=LARGEST_FILE)
    try:
        value = parse(text)
    except _Refused as error:
        raise DatasetError(str(error), where=shown) from None
    except json.JSONDecodeError as error:
        raise _broken(error, text, where=f"{shown}:{error.lineno}", one_line=False) from None
    for number, item in enumerate(listed(value, shown=shown), start=1):
        if type(item) is not dict:
            raise not_an_object(item, f"{shown} row {number}")
        yield Row(values=item, place=f" row {number}")


def listed(value: Any, *, shown: str) -> list[Any]:
    """The list in a parsed file: itself, or what stands under `cases`."""
    if isinstance(value, dict) and isinstance(value.get("cases"), list):
        value = value["cases"]
    if not isinstance(value, list):
        keys = ", ".join(list(value)[:8]) if isinstance(value, dict) else ""
        raise DatasetError(
            "The file has no list of cases." + (f" Its keys are: {keys}." if keys else ""),
            where=shown,
            hint='It is a list of objects, or an object such as {"cases": [ … ]}.',
        )
    return value


class _Refused(ValueError):
    """Something that the JSON parser would let pass."""


def parse(text: str) -> Any:
    """`text` as plain data; raises `_Refused` or `json.JSONDecodeError`."""
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError:
        raise
    except ValueError as error:  # an integer of more digits than Python converts
        raise error if isinstance(error, _Refused) else _Refused(f"A number is too long: {error}.") from None
    if text.count("[") + text.count("{") > DEEPEST and too_deep(value):
        raise _too_deep()
    return value


def too_deep(value: Any) -> bool:
    """Whether lists and dicts nest beyond `DEEPEST` levels."""
    level = [value]
    for _ in range(DEEPEST + 1):
        below: list[Any] = []
        for item in level:
            if type(item) is dict:
                below.extend(item.values())
            elif type(item) is list:
                below.extend(item)
        level = [item for item in below if type(item) is dict or type(item) is list]
        if not level:
            return False
    return True


def _too_deep() -> _Refused:
    return _Refused(f"The value is nested more than {DEEPEST} levels deep.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Refused(f'The key "{twice}" is given twice in one object; only the last would be kept.')
    return made


def _constant(name: str) -> Any:
    raise _Refused(f"{name} is not JSON and stands for no value; write null, or leave the row out.")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _Refused(f"The number {text} is too large for a float.")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)


def _broken(error: json.JSONDecodeError, text: str, *, where: str, one_line: bool) -> DatasetError:
    near = text[max(0, error.pos - 20) : error.pos + 20].replace("\n", " ")
    hint = "One case per line, as one JSON object." if one_line else None
    if one_line and error.msg == "Extra data":
        hint = "There is more than one value on this line; one case per line, as one JSON object."
    elif one_line and text in ("[", "{"):
        hint = "This looks like a .json file spread over lines; name it .json, or write one object per line."
    return DatasetError(
        f"This is not JSON: {error.msg} at column {error.colno}, near {near!r}.", where=where, hint=hint
    )
