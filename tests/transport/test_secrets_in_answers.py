"""What must not be kept is in no answer at rest, however the answer came; everything else stays byte for byte."""

from __future__ import annotations

import itertools
import json
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.redaction import redactor
from evalkit.testing import serve
from evalkit.transport import answer
from evalkit.transport.asked import asked, clean_url

SECRET = "canary-7f3Kq9Zx1mWb55"
redact = redactor((), environ={"SOME_API_KEY": SECRET})


def at_rest(body: str, content_type: str) -> str:
    text, encoding = answer._at_rest(body.encode(), content_type, redact)
    assert encoding == "text"
    return text


def chat(*texts: str, index: int = 0) -> list[dict[str, Any]]:
    return [{"id": "x", "choices": [{"index": index, "delta": {"content": text}}]} for text in texts]


def sse(events: list[dict[str, Any]]) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"


def spelled(text: str) -> str:
    found = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    return "".join(event["choices"][0]["delta"]["content"] for event in found)


@given(st.lists(st.integers(1, len(SECRET) - 1), max_size=6))
def test_a_secret_that_comes_in_pieces_is_found(cuts: list[int]) -> None:
    edges = [0, *sorted(set(cuts)), len(SECRET)]
    parts = [SECRET[start:end] for start, end in itertools.pairwise(edges)]
    kept = at_rest(sse(chat("It is ", *parts, ".")), "text/event-stream")
    assert spelled(kept) == "It is [redacted: SOME_API_KEY]."
    assert kept.count("data: ") == len(parts) + 3


def test_choices_and_tools_that_come_by_turns_are_not_mixed_up() -> None:
    half = len(SECRET) // 2
    mixed = [*chat(SECRET[:half]), *chat("other ", index=1), *chat(SECRET[half:]), *chat("words", index=1)]
    kept = at_rest(sse(mixed), "text/event-stream")
    assert "other " in kept
    assert "words" in kept
    assert "[redacted: SOME_API_KEY]" in kept
    assert SECRET[half:] not in kept


def test_a_stream_of_responses_is_understood_too() -> None:
    half = len(SECRET) // 2
    deltas = [
        {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0, "delta": part}
        for part in (SECRET[:half], SECRET[half:])
    ]
    done = {"type": "response.output_text.done", "item_id": "m", "text": SECRET}
    kept = at_rest(sse([*deltas, done]), "text/event-stream")
    assert SECRET[:half] not in kept
    assert kept.count("[redacted: SOME_API_KEY]") == 2


LINES = st.lists(
    st.one_of(
        st.dictionaries(st.text(max_size=4), st.text(max_size=8) | st.integers() | st.none(), max_size=3).map(
            lambda value: f"data: {json.dumps(value, ensure_ascii=False)}\n"
        ),
        st.sampled_from(["\n", "\r\n", ": ping\n", "event: x\n", "data:{\n", "data: [DONE]\n", "data: 5"]),
    )
).map("".join)


@given(LINES)
def test_a_stream_without_a_secret_is_kept_byte_for_byte(text: str) -> None:
    assert at_rest(text, "text/event-stream") == text


@given(st.text(), st.sampled_from(["application/json", "text/plain", "text/event-stream"]))
def test_any_text_without_a_secret_is_kept_byte_for_byte(text: str, content_type: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    if redact(text) == text:
        assert at_rest(text, content_type) == text


def test_json_stays_json_where_a_pattern_would_eat_its_quotes() -> None:
    greedy = redactor((r"token \S+",), environ={})
    text, _ = answer._at_rest(b'{"a": "token abc", "b": 1}', "application/json", greedy)
    assert json.loads(text) == {"a": "[redacted: pattern]", "b": 1}


def test_an_echo_of_the_key_is_in_no_cassette(session: Any, cassettes: Any) -> None:
    with (
        serve(lambda call: f"your key is {call.text}") as server,
        openai.OpenAI(base_url=server.url, api_key=SECRET) as client,
        session("read-write", redact=redact) as running,
        running.trial(),
    ):
        said: Any = {"model": "scripted-a", "messages": [{"role": "user", "content": SECRET}]}
        client.chat.completions.create(**said)
        list(client.chat.completions.create(**said, stream=True))
        client.responses.create(model="scripted-a", input=SECRET)
        list(client.responses.create(model="scripted-a", input=SECRET, stream=True))
        assert len(running.kept()) == 4
    for file in cassettes.iterdir():
        assert SECRET not in file.read_text()


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://user:pass@Example.com/v1/x#part", "https://example.com/v1/x"),
        ("https://a.com/v1?api_key=abc&api-version=2", "https://a.com/v1?api-version=2"),
        ("https://a.com/v1?key=" + "k" * 39 + "&alt=sse", "https://a.com/v1?alt=sse"),
        ("https://a.com/find?key=de&token=3", "https://a.com/find?key=de&token=3"),
        ("https://a.com/find?q=a+b&q=%C3%A4&empty=", "https://a.com/find?q=a+b&q=%C3%A4&empty="),
        ("https://a.com/v1?X-Amz-Signature=abc&x=1", "https://a.com/v1?x=1"),
        (f"https://a.com/{SECRET}/x", "https://a.com/[redacted: SOME_API_KEY]/x"),
    ],
)
def test_a_url_is_kept_without_credentials(url: str, kept: str) -> None:
    assert clean_url(url, redact=redact) == kept


def test_requests_that_say_the_same_are_the_same() -> None:
    def key(body: bytes, **more: Any) -> str:
        return asked("post", "https://a.com/v1", body, redact=redact, **more).identity

    assert key(b'{"a": 1, "b": [1.0]}') == key(b'{"b":[1],"a":1}')
    assert key(b'{"a": 1}') != key(b'{"a": 2}')
    assert key(b'{"a": "\\u00e4"}') == key('{"a": "ä"}'.encode())
    assert key(b"\xff\x00") != key(b"\xff\x01")
    parts = [
        key(f"--{edge}\r\nx\r\n--{edge}--".encode(), content_type=f"multipart/form-data; boundary={edge}")
        for edge in ("abc123", "def456")
    ]
    assert parts[0] == parts[1]
