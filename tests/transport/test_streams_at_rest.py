"""A stream that was recorded is given back event by event, and one that broke off is known for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.transport.answer import is_finished
from evalkit.transport.streams import events

PIECES = st.lists(st.sampled_from([b"data: x", b"event: y", b"\n", b"\n\n", b"\r\n", b"\r\n\r\n", b"{}", b""]))


@given(PIECES.map(b"".join))
def test_nothing_is_lost_or_added(body: bytes) -> None:
    parts = events(body)
    assert b"".join(parts) == body
    assert all(parts)


@given(st.lists(st.binary(min_size=1).filter(lambda text: not {10, 13} & set(text)), min_size=1), st.booleans())
def test_each_event_comes_alone(texts: list[bytes], windows: bool) -> None:
    end = b"\r\n\r\n" if windows else b"\n\n"
    whole = [b"data: " + text + end for text in texts]
    assert events(b"".join(whole)) == whole


def test_lines_come_one_by_one_where_there_are_no_events() -> None:
    assert events(b'{"a":1}\n{"a":2}\n') == [b'{"a":1}\n', b'{"a":2}\n']


@pytest.mark.parametrize(
    ("body", "finished"),
    [
        (b'data: {"a":1}\n\ndata: [DONE]\n\n', True),
        (b'data: {"a":1}\n\ndata: [DONE]', True),
        (b'data: {"a":1}\r\n\r\ndata: [DONE]\r\n\r\n', True),
        (b'event: response.completed\ndata: {"type":"response.completed","a":"[DONE]"}\n\n', True),
        (b'data: {"type":"response.incomplete"}\n\n', True),
        (b'event: message_stop\ndata: {"type":"message_stop"}\n\n', True),
        (b'data: {"a":1}\n\n', False),
        (b'data: [DONE]\n\ndata: {"a":1}\n\n', False),
        (b'data: {"text":"[DONE]"}\n\n', False),
        (b'data: {"type":"response.comp', False),
        (b"", False),
    ],
)
def test_a_stream_that_was_left_is_whole_when_it_had_said_its_last(body: bytes, finished: bool) -> None:
    assert is_finished(body) is finished
