"""What each mode does with the calls of the real client, with a server that counts them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest

from evalkit.calling import Rates
from evalkit.prices import Prices
from evalkit.testing import Faults, Server, failing, garbage, rate_limited, reset, serve, truncated

MODEL = "scripted-a"


def ask(client: openai.OpenAI, text: str = "2+2?", **more: Any) -> str:
    done = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}], **more)
    return done.choices[0].message.content or ""


def told(client: openai.OpenAI, text: str = "2+2?") -> list[Any]:
    """The chunks of a streamed answer, as the client gives them."""
    stream = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": text}],
        stream=True,
        stream_options={"include_usage": True},
    )
    return [chunk.model_dump() for chunk in stream]


@contextlib.contextmanager
def counting() -> Iterator[openai.OpenAI]:
    """A client of a server that says how many calls it got."""
    script = lambda call: f"answer number {call.number}"  # noqa: E731 - a script is a function, and this one short
    with serve(script) as server, openai.OpenAI(base_url=server.url, api_key="none") as client:
        yield client


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=2) as made:
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's own retries come at once."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)


def test_off_records_nothing(session: Any, client: openai.OpenAI, server: Server, cassettes: Path) -> None:
    with session("off") as running:
        with running.trial():
            ask(client), ask(client)
        assert running.kept() == []
    assert len(server.calls) == 2
    assert not cassettes.exists()


def test_read_write_calls_once_and_then_no_more(session: Any, client: openai.OpenAI, server: Server) -> None:
    answers = []
    for _ in range(3):
        with session("read-write") as running, running.trial():
            answers.append((ask(client), ask(client, "3+3?")))
    assert len(server.calls) == 2
    assert answers == [("you said 2+2?", "you said 3+3?")] * 3


def test_repeats_are_never_served_from_one_cached_answer(session: Any) -> None:
    """Lesson 16: with the trial number in the key, three trials are three calls, however often they are replayed."""
    seen = []
    with counting() as client:
        for _ in range(2):
            with session("read-write") as running:
                for number in (1, 2, 3):
                    with running.trial(number=number):
                        seen.append(ask(client))
    assert seen == [f"answer number {number}" for number in (1, 2, 3)] * 2


def test_identical_calls_in_one_trial_keep_their_order(session: Any) -> None:
    runs = []
    with counting() as client:
        for mode in ("read-write", "replay"):
            with session(mode) as running, running.trial():
                runs.append([ask(client) for _ in range(4)])
    assert runs[0] == runs[1] == [f"answer number {number}" for number in (1, 2, 3, 4)]


def test_replay_needs_no_server(session: Any, server: Server, client: openai.OpenAI) -> None:
    with session("read-write") as running, running.trial():
        before = ask(client), told(client), embed(client), respond(client)
    server.close()
    with session("replay") as running, running.trial() as scope:
        after = ask(client), told(client), embed(client), respond(client)
    assert after == before
    assert scope.missed == {}
    assert [call.attributes["evalkit.cache"] for call in running.calls] == ["hit"] * 4


def embed(client: openai.OpenAI) -> list[float]:
    return client.embeddings.create(model="scripted-e", input="hello").data[0].embedding


def respond(client: openai.OpenAI) -> list[Any]:
    stream = client.responses.create(model=MODEL, input="hello", stream=True)
    return [event.model_dump() for event in stream]


def test_replay_in_an_event_loop(session: Any, server: Server) -> None:
    async def both() -> tuple[str, list[Any]]:
        async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:
            messages: Any = [{"role": "user", "content": "2+2?"}]
            done = await client.chat.completions.create(model=MODEL, messages=messages)
            stream = await client.chat.completions.create(model=MODEL, messages=messages, stream=True)
            return done.choices[0].message.content or "", [chunk.model_dump() async for chunk in stream]

    url = server.url
    with session("read-write") as running, running.trial():
        before = asyncio.run(both())
    server.close()
    with session("replay") as running, running.trial():
        after = asyncio.run(both())
    assert before == after
    assert len(before[1]) > 3


def test_refresh_records_anew(session: Any) -> None:
    seen = []
    with counting() as client:
        for mode in ("read-write", "refresh", "replay"):
            with session(mode) as running, running.trial():
                seen.append(ask(client))
                assert len(running.kept()) == 1
    assert seen == ["answer number 1", "answer number 2", "answer number 2"]


def test_a_miss_names_the_case_and_what_differs_and_is_not_retried(
    session: Any, client: openai.OpenAI, server: Server
) -> None:
    with session("read-write") as running, running.trial("recorded"):
        ask(client, "What is 2+2?")
    before = len(server.calls)
    with session("replay") as running:
        with running.trial("new", 1) as scope, pytest.raises(openai.APIStatusError) as caught:
            ask(client, "What is 2+3?")
        (span,) = running.calls
    assert len(server.calls) == before
    assert len(scope.missed[None]) == 1, "asked once, and not again"
    for said in (str(caught.value), scope.missed[None][0], span.error):
        assert 'a call of case "new", trial 1: POST' in said
        assert 'of case "recorded", differs: messages[0].content: recorded "What is 2+2?", now "What is 2+3?"' in said
        assert "--evalkit-cache read-write" in said
    assert span.status == "error"


def test_a_miss_of_another_trial_says_so(session: Any, client: openai.OpenAI) -> None:
    with session("read-write") as running, running.trial(number=1):
        ask(client)
    with session("replay") as running, running.trial(number=2) as scope, pytest.raises(openai.APIStatusError):
        ask(client)
    assert "recorded for trial 1 only" in scope.missed[None][0]


def test_a_miss_of_one_call_too_many_says_so(session: Any, client: openai.OpenAI) -> None:
    with session("read-write") as running, running.trial():
        ask(client)
    with session("replay") as running, running.trial() as scope, pytest.raises(openai.APIStatusError):
        ask(client), ask(client)
    assert "recorded once for trial 1; this is number 2" in scope.missed[None][0]


def test_a_miss_in_an_empty_folder_says_where_it_looked(session: Any, client: openai.OpenAI, cassettes: Path) -> None:
    with session("replay") as running, running.trial() as scope, pytest.raises(openai.APIStatusError):
        ask(client)
    assert f"Nothing like it is recorded in {cassettes}" in scope.missed[None][0]


@pytest.mark.usefixtures("impatient")
def test_a_retry_after_a_fault_is_recorded_as_the_one_call_it_is(session: Any) -> None:
    with (
        serve([rate_limited(), failing(503), reset(), "four"]) as server,
        openai.OpenAI(base_url=server.url, api_key="none", max_retries=5, timeout=10) as client,
    ):
        with session("read-write") as running, running.trial():
            assert ask(client) == "four"
            (kept,) = running.kept()
        assert len(server.calls) == 4
        assert (kept.status, kept.occurrence) == (200, 1)
        with session("replay") as running, running.trial() as scope:
            assert ask(client) == "four"
    assert scope.missed == {}


@pytest.mark.parametrize("fault", [failing(400), failing(500), garbage(), truncated(after=20)], ids=lambda f: f.kind)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_is_no_answer_is_not_recorded(session: Any, fault: Any, stream: bool) -> None:
    with (
        serve(fault) as server,
        openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client,
        session("read-write") as running,
    ):
        with running.trial(), contextlib.suppress(Exception):  # whatever the client's version makes of it
            _ = told(client) if stream else ask(client)
        assert running.kept() == []


def test_a_stream_that_the_user_breaks_off_is_not_recorded(session: Any, client: openai.OpenAI) -> None:
    with session("read-write") as running:
        with (
            running.trial(),
            client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "one two three"}], stream=True
            ) as stream,
        ):
            next(iter(stream))
        assert running.kept() == []


def test_events_of_a_stream_come_one_by_one_again(session: Any, server: Server, http: Any) -> None:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "one two three"}], "stream": True}

    def parts() -> list[bytes]:
        with http.Client() as client, client.stream("POST", f"{server.url}/chat/completions", json=body) as response:
            return list(response.iter_raw())

    with session("read-write") as running, running.trial():
        before = parts()
    with session("replay") as running, running.trial():
        after = parts()
    assert b"".join(before) == b"".join(after)
    assert len(after) > 4
    assert all(part.endswith(b"\n\n") for part in after)


def test_an_answer_from_the_record_costs_nothing_and_says_what_it_would(session: Any, server: Server) -> None:
    with openai.OpenAI(base_url=server.url, api_key="none") as client:
        for mode in ("read-write", "replay"):
            with session(mode) as running:
                running.traffic.prices = Prices(own={MODEL: Rates(input=Decimal(3), output=Decimal(3))})
                with running.trial():
                    ask(client)
                usage = running.calls[0].usage
            assert usage is not None
            assert usage.cost == Decimal(3) * (usage.total_tokens or 0) / 1_000_000 > 0
            assert usage.spent == (0 if mode == "replay" else usage.cost)


def test_two_cases_that_ask_the_same_share_an_answer(session: Any, client: openai.OpenAI, server: Server) -> None:
    with session("read-write") as running:
        for case in ("c1", "c2"):
            with running.trial(case):
                ask(client)
        (kept,) = running.kept()
    assert kept.case_id == "c1"
    assert len(server.calls) == 1


@pytest.mark.usefixtures("impatient")
def test_faults_at_random_leave_a_complete_record(session: Any) -> None:
    shares = Faults(shares={rate_limited(retry_after=0.0): 0.2, reset(): 0.1}, seed=5)
    with (
        serve(lambda call: f"you said {call.text}", faults=shares) as server,
        openai.OpenAI(base_url=server.url, api_key="none", max_retries=8, timeout=10) as client,
        session("read-write") as running,
    ):
        for number in range(20):
            with running.trial(f"c{number}"):
                ask(client, str(number))
        kept = running.kept()
    assert sorted(json.loads(one.request)["messages"][0]["content"] for one in kept) == sorted(map(str, range(20)))
    assert {one.occurrence for one in kept} == {1}
