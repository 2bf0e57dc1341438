"""Everything that goes wrong with a provider: tried again where that may help, told apart, and never half an answer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time

import pytest
from pydantic import BaseModel

from evalkit.errors import ConfigError, ModelError, ModelRefused, ModelUnavailable
from evalkit.models import AsyncModel, Model, Spec, faults
from evalkit.models.assembly import ChatAssembly, ResponsesAssembly
from evalkit.models.budget import _DRAW, Budget
from evalkit.models.faults import Broken, retry_after
from evalkit.testing import Answer, error_in_200, failing, garbage, hanging, rate_limited, reset, truncated

PASSING = {
    "429": rate_limited(),
    "429 with Retry-After": rate_limited(retry_after=0.05),
    "500": failing(500),
    "503": failing(503),
    "408": failing(408),
    "timeout": hanging(30),
    "reset": reset(),
    "garbage": garbage(),
    "cut off": truncated(),
    "error in a 200": error_in_200(),
}


def patience(fault):
    """Seconds for an attempt: few where nothing comes, many where a busy machine may need them."""
    return 0.5 if fault == "timeout" else 15.0


LASTING = {
    "400": (failing(400), "the call itself has to change"),
    "401": (failing(401), "no key"),
    "403": (failing(403), "no key"),
    "404": (failing(404), "the URL mostly ends in /v1"),
    "no quota": (failing(429, code="insufficient_quota"), "no quota left"),
    "content filter": (failing(400, code="content_filter"), "content filter"),
}


@pytest.mark.parametrize("fault", PASSING)
def test_what_may_pass_is_tried_again(ask, interface, provider, in_a_hurry, fault):
    server = provider([PASSING[fault], PASSING[fault], "a whole answer"])
    reply = ask(ask.model(server.url, timeout=60, attempt_timeout=patience(fault)), interface, "x")
    assert (reply, reply.attempts, len(server.calls)) == ("a whole answer", 3, 3)


@pytest.mark.parametrize("fault", PASSING)
def test_what_does_not_pass_is_a_typed_error_that_says_it_all(ask, provider, in_a_hurry, fault):
    server = provider(PASSING[fault])
    with pytest.raises(ModelUnavailable) as caught:
        ask(
            ask.model(server.url, provider="acme", attempts=3, timeout=60, attempt_timeout=patience(fault)), "chat", "x"
        )
    error = caught.value
    assert len(server.calls) == len(error.attempts) == 3
    assert (error.provider, error.model) == ("acme", "scripted-1")
    lines = str(error).splitlines()
    assert lines[0].startswith("solver (scripted-1 at 127.0.0.1:")
    assert "gave no whole answer in 3 attempts: " in lines[0]
    assert error.attempts[-1] in lines[0]
    assert lines[1].startswith("Before that: ")
    assert error.hint == lines[-1]
    assert error.exit_code == 2


@pytest.mark.parametrize("fault", LASTING)
def test_what_cannot_pass_is_asked_once(ask, interface, provider, fault):
    answer, hint = LASTING[fault]
    server = provider(answer)
    with pytest.raises(ModelRefused) as caught:
        ask(ask.model(server.url), interface, "x")
    assert len(server.calls) == 1
    assert hint in str(caught.value)


def test_an_answer_that_the_content_filter_stopped_is_no_answer(ask, interface, provider):
    server = provider(Answer(text="It began well, and", finish_reason="content_filter"))
    with pytest.raises(ModelRefused, match="content filter"):
        ask(ask.model(server.url), interface, "x")
    assert len(server.calls) == 1


def test_an_answer_cut_by_its_own_limit_is_an_answer(ask, interface, provider):
    reply = ask(ask.model(provider(Answer(text="one two", finish_reason="length")).url), interface, "x")
    assert (reply, reply.finish_reason) == ("one two", "length")


@pytest.mark.parametrize("fault", PASSING)
def test_a_stream_that_fails_before_its_first_piece_is_asked_again(ask, interface, provider, in_a_hurry, fault):
    first = truncated(after=0) if fault == "cut off" else PASSING[fault]
    server = provider([first, "one two three"])
    pieces, reply = ask.pieces(ask.model(server.url, timeout=60, attempt_timeout=patience(fault)), interface, "x")
    assert ("".join(pieces), reply, reply.attempts) == ("one two three", "one two three", 2)


def test_a_stream_that_breaks_off_is_no_answer_and_is_not_begun_again(ask, provider):
    server = provider([truncated(after=3), "one two three"])
    with pytest.raises(ModelUnavailable, match="broke off in the middle"):
        ask.pieces(ask.model(server.url), "chat", "x")
    assert len(server.calls) == 1


class Event:
    """An event of a stream, as the client gives it."""

    def __init__(self, **said):
        self.__dict__.update(said)


def test_a_stream_that_ends_without_saying_why_was_cut_off():
    delta = Event(content="half an ans", tool_calls=None)
    for assembly, event in (
        (ChatAssembly(), Event(choices=[Event(index=0, delta=delta, finish_reason=None)], usage=None)),
        (ResponsesAssembly(), Event(type="response.output_text.delta", delta="half an ans")),
    ):
        assert assembly.take(event) == "half an ans"
        with pytest.raises(Broken, match="broke off after 11 characters"):
            assembly.whole(attempts=1)


def test_a_server_that_is_not_there_is_a_connection_that_failed(ask, in_a_hurry):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(ModelUnavailable, match="the connection failed") as caught:
        ask(ask.model(url, attempts=2), "chat", "x")
    assert "base URL" in str(caught.value)


def test_a_body_without_a_message_is_garbage(ask, in_a_hurry, trickle):
    url = trickle(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n{"choices":[]}')
    with pytest.raises(ModelUnavailable, match="an answer without a message"):
        ask(ask.model(url, attempts=1), "chat", "x")


@pytest.fixture
def trickle():
    """A server that sends the given bytes and then, every tenth of a second, another blank."""
    stop = threading.Event()
    sockets = []
    threads = []

    def start(data, drips=0):
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(65536)
                        connection.sendall(data)
                        for _ in range(drips):
                            if stop.wait(0.1):
                                return
                            connection.sendall(b" ")

        threads.append(threading.Thread(target=serve, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}/v1"

    yield start
    stop.set()
    for listening in sockets:
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
    for thread in threads:
        thread.join(5)


def test_an_answer_that_only_trickles_is_given_up_in_time(trickle):
    # Each byte comes in time, so that no timeout of the client's would ever end it.
    url = trickle(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n", drips=100)
    model = AsyncModel("m", base_url=url, timeout=0.8, attempt_timeout=0.35, attempts=2)
    began = time.monotonic()
    with pytest.raises(ModelUnavailable, match="no answer in time"):
        asyncio.run(model.chat("x"))
    assert time.monotonic() - began < 5


def test_a_call_that_is_cancelled_is_not_made_again(provider):
    server = provider(hanging(30))

    async def main():
        task = asyncio.create_task(AsyncModel("m", base_url=server.url).chat("x"))
        while not server.calls:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert len(server.calls) == 1


def test_an_error_of_evalkits_own_comes_through_as_it_is(ask, provider, monkeypatch):
    raised = ConfigError("of ours")

    def read(*_):
        raise raised

    monkeypatch.setattr("evalkit.models.sync_model.body_of", read)
    monkeypatch.setattr("evalkit.models.async_model.body_of", read)
    with pytest.raises(ConfigError, match="of ours"):
        ask(ask.model(provider("x").url), "chat", "x")


def test_an_error_that_is_being_handled_is_not_taken_for_the_one_that_came(ask, provider, in_a_hurry):
    model = ask.model(provider([failing(404), failing(500), "fine"]).url)
    try:
        ask(model, "chat", "x")
    except ModelError:
        assert ask(model, "chat", "x") == "fine"


class Times:
    """A clock that only the test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def spec(**said):
    return Spec(name="solver", model="m", **said)


@pytest.fixture(params=[0.0, 0.5, 1.0])
def draw(request):
    """What chance says."""
    token = _DRAW.set(lambda: request.param)
    yield request.param
    _DRAW.reset(token)


def broken(kind, **said):
    return Broken(faults.Fault(kind=kind, said=kind, **said))


def test_pauses_double_and_are_drawn_from_their_upper_half(draw):
    times = Times()
    budget = Budget(spec(attempts=6), clock=times)
    pauses = []
    for _ in range(5):
        budget.begin()
        pauses.append(budget.failed(broken("server")))
    assert pauses == pytest.approx([top * (0.5 + 0.5 * draw) for top in (0.5, 1, 2, 4, 8)])


def test_retry_after_is_waited_for_in_full_up_to_a_minute(draw):
    budget = Budget(spec(), clock=Times())
    budget.begin()
    for asked, least in ((2.0, 2.0), (300.0, 60.0), (0.0, 0.0)):
        pause = budget.failed(broken("rate", retry_after=asked))
        assert least <= pause <= least * 1.1 + 0.05


def test_faults_of_another_kind_begin_with_short_pauses_again():
    token = _DRAW.set(lambda: 1.0)
    budget = Budget(spec(attempts=9), clock=Times())
    budget.begin()
    pauses = [budget.failed(broken(kind)) for kind in ("rate", "rate", "connection", "rate")]
    _DRAW.reset(token)
    assert pauses == [0.5, 1.0, 0.25, 2.0]


def test_no_pause_goes_beyond_the_time_of_the_call():
    times = Times()
    budget = Budget(spec(timeout=10), clock=times)
    budget.begin()
    times.now += 9.9
    with pytest.raises(ModelUnavailable, match=r"beyond the 10 s that a call has"):
        budget.failed(broken("rate", retry_after=5.0))


def test_an_attempt_has_half_of_the_time_unless_the_user_says_otherwise():
    assert Budget(spec(timeout=10), clock=Times()).begin() is not None
    for given, left in (
        ({"timeout": 10}, 5),
        ({"timeout": 10, "attempt_timeout": 3}, 3),
        ({"timeout": 2, "attempt_timeout": 9}, 2),
    ):
        budget = Budget(spec(**given), clock=Times())
        budget.begin()
        assert budget.left == left


def test_the_clock_stands_still_while_the_call_waits_its_turn():
    times, seen = Times(), []
    budget = Budget(spec(timeout=10, attempt_timeout=4), clock=times)
    budget.begin(seen.append)
    times.now += 1
    budget.pause()
    times.now += 1000
    budget.resume()
    assert budget.left == pytest.approx(3)
    times.now += 3.5
    with pytest.raises(TimeoutError):
        budget.check()
    assert seen == [4, None, pytest.approx(3)]
    assert budget.failed(TimeoutError()) > 0  # there is time left for another attempt
    assert (budget.begin().attempt, budget.left) == (2, 4)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(headers, seconds):
    assert retry_after(headers, now=1795348800.0) == seconds


class Answered(BaseModel):
    """What is asked for below."""

    n: int


def test_many_calls_at_once_through_many_faults_each_get_their_own_answer(provider, in_a_hurry):
    from evalkit.testing import Faults

    faulty = Faults(shares={rate_limited(): 0.1, reset(): 0.1, failing(503): 0.1, garbage(): 0.05}, seed=3)
    server = provider(lambda call: Answer(text={"n": int(call.text)}), faults=faulty)
    model = Model("m", base_url=server.url, attempts=12, timeout=60).to_async()

    async def main():
        return await asyncio.gather(*[model.chat(str(number), schema=Answered) for number in range(120)])

    assert [one.n for one in asyncio.run(main())] == list(range(120))
