"""Cassettes of recorded exchanges, as they come with a repository."""

from __future__ import annotations

from evalkit.errors import EvalkitError
from evalkit.transport.cassette import FORMAT, loads

_EXCHANGE = (
    b'{"format": "%s", "suite": "s", "exchanges": [{"case": "a", "trial": 1, "occurrence": 1, "method": "POST", "url":'
    b' "http://h/v1", "request": {"json": {"model": "m", "n": 1.5}}, "recorded_at": "2026-11-23T00:00:00+00:00", "duration":'
    b' 0.1, "model": "m", "response": {"status": 200, "content_type": "text/event-stream", "stream": true, "body": %s}}]}'
)
_BODIES = (
    b'{"lines": ["a\\n", ""]}',
    b'{"json": {"a": 1}, "style": "compact", "end": "\\n"}',
    b'{"base64": "AA=="}',
    b"{}",
)
SEEDS = (
    *(_EXCHANGE % (FORMAT.encode(), body) for body in _BODIES),
    _EXCHANGE % (FORMAT.encode(), b'{"json": 1, "style": ["compact"]}'),
    b'{"format": "%s", "suite": "s", "exchanges": []}' % FORMAT.encode(),
    b'{"format": "evalkit.cassette/999"}',
    b"[" * 5000,
)


def one(data: bytes) -> None:
    """The bytes are the text of the file."""
    try:
        loads(data.decode("utf-8", "surrogateescape"), where="c.json")
    except EvalkitError as error:
        str(error)
