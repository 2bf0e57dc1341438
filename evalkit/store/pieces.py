"""Attributes of spans as JSON in which long pieces are stored once.

An agent sends its conversation again with every turn, so each message stands in many spans. A value of an attribute,
or an element of one that is a list, which is long, is kept among the blobs, and `{"$blob": digest}` stands in its
place.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from evalkit.store.blobs import BlobReader, BlobWriter
from evalkit.store.cells import json_cell

LONG = 512
"""Beyond this many characters of JSON a piece becomes a blob."""

_PLAIN = 2**63
_REFERENCE = "$blob"
_decode = json.JSONDecoder().raw_decode


def pieces_cell(values: Mapping[str, Any], blobs: BlobWriter) -> str | None:
    """`values` as JSON text; `None` where there are none."""
    if not values:
        return None
    return "{" + ",".join([f"{_key(str(key))}:{_value(item, blobs)}" for key, item in values.items()]) + "}"


@functools.lru_cache(maxsize=1024)
def _key(key: str) -> str:
    return json_cell(key)  # the same names stand in every span


def _value(value: Any, blobs: BlobWriter) -> str:
    if isinstance(value, list | tuple):
        return "[" + ",".join([_piece(item, blobs) for item in value]) + "]"
    return _piece(value, blobs)


def _piece(value: Any, blobs: BlobWriter) -> str:
    if type(value) is int:
        return str(value) if -_PLAIN < value < _PLAIN else json_cell(value)
    text = json_cell(value)
    # What looks like a reference becomes one itself, so that it is read back as it was.
    if len(text) > LONG or text.startswith('{"$blob":'):
        return f'{{"{_REFERENCE}":"{blobs.keep(text)}"}}'
    return text


def pieces_of(cell: str | None) -> dict[str, Any] | None:
    """The values of a cell, with references still in them; `None` where there are none."""
    if cell is None:
        return None
    values: dict[str, Any] = _decode(cell)[0]
    return values


def references(values: Mapping[str, Any] | None) -> Iterator[str]:
    """The digests of the blobs that `values` refer to."""
    for value in values.values() if values else ():
        for item in value if type(value) is list else (value,):
            if _is_reference(item):
                yield item[_REFERENCE]


def resolve(values: dict[str, Any], blobs: BlobReader) -> dict[str, Any]:
    """`values` with the pieces in the places of their references; changes and returns `values`."""
    for key, value in values.items():
        if type(value) is list:
            values[key] = [_resolved(item, blobs) for item in value]
        elif type(value) is dict:
            values[key] = _resolved(value, blobs)
    return values


def _resolved(item: Any, blobs: BlobReader) -> Any:
    if not _is_reference(item):
        return item
    text = blobs.known(item[_REFERENCE])
    return item if text is None else _decode(text)[0]


def _is_reference(item: Any) -> bool:
    return type(item) is dict and len(item) == 1 and type(item.get(_REFERENCE)) is str


def events_of(cell: str | None) -> list[dict[str, Any]] | None:
    """The events of a span; `None` where there are none."""
    if cell is None:
        return None
    events: list[dict[str, Any]] = _decode(cell)[0]
    return events
