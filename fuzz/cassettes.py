"""Cassettes of recorded exchanges, as they come with a repository."""

from __future__ import annotations

from evalkit.errors import EvalkitError
from evalkit.transport.cassette import FORMAT, loads

_EXCHANGE = (
    b'{"format": "%s", "suite": "s", "exchanges": [{"request": {"method": "POST", "url": "http://h/v1", "body":'
    b' {"json": {"model": "m"}, "style": "compact"}}, "response": {"status": 200, "headers": {"content-type":'
    b' "application/json"}, "body": {"lines": ["a\\n", ""]}}, "duration": 0.1, "cases": ["a"]}]}'
)
SEEDS = (
    _EXCHANGE % str(FORMAT).encode(),
    b'{"format": "%s", "suite": "s", "exchanges": []}' % str(FORMAT).encode(),
    b'{"format": "evalkit-cassette-999"}',
    b"[" * 5000,
)


def one(data: bytes) -> None:
    """The bytes are the text of the file."""
    try:
        loads(data.decode("utf-8", "surrogateescape"), where="c.json")
    except EvalkitError as error:
        str(error)
