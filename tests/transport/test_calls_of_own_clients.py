"""Whatever client a case brings: its calls are that case's, are seen as they are, and nothing changes outside."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import openai
import pytest

from evalkit.testing import Server, failing, hanging, rate_limited, reset, serve
from evalkit.tracing import Session as Tracing
from evalkit.tracing import current
from evalkit.transport.wrap import install, uninstall

MODEL = "scripted-a"


def body(text: str, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **more}


def asked_in(span: Any) -> str:
    return str(span.attributes["gen_ai.input.messages"][0]["parts"][0]["content"])


@pytest.fixture
def tracing() -> Iterator[None]:
    """What a session does beside the transport: trials are carried into threads."""
    with Tracing() as running:
        running.activate()
        yield


class Plain(BaseHTTPRequestHandler):
    """A server of some other kind: `/zipped` answers in gzip, `/moved` elsewhere, everything else says its path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        said = json.dumps({"path": self.path, "host": self.headers["host"]}).encode()
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("location", "/there")
            said = b""
        else:
            self.send_response(200)
        if self.path.endswith("zipped") or self.path.endswith("completions"):
            said = gzip.compress(b"[" + b", ".join([said] * 50) + b"]")
            self.send_header("content-encoding", "gzip")
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
        type(self).seen.append(self.path)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        pass

    seen: list[str] = []  # noqa: RUF012 - emptied by the fixture


@pytest.fixture
def plain() -> Iterator[str]:
    Plain.seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Plain) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_64_cases_at_once_each_have_their_own_calls(session: Any, server: Server) -> None:
    async def case(running: Any, client: openai.AsyncOpenAI, name: str) -> None:
        with running.trial(name):
            first = client.chat.completions.create(**body(f"{name} first"))
            second = client.chat.completions.create(**body(f"{name} second"))
            await asyncio.gather(first, second)
            async with asyncio.TaskGroup() as group:
                group.create_task(client.chat.completions.create(**body(f"{name} third")))

    async def everything(running: Any) -> None:
        async with openai.AsyncOpenAI(base_url=server.url, api_key="none") as client:
            await asyncio.gather(*(case(running, client, f"c{number}") for number in range(64)))

    with session("read-write") as running:
        asyncio.run(everything(running))
        kept = running.kept()
    assert len(server.calls) == len(kept) == 64 * 3
    assert Counter(one.case_id for one in kept) == {f"c{number}": 3 for number in range(64)}
    for trace in running.traces:
        name = trace.root.name
        calls = [span for span in trace.spans if span.kind == "llm"]
        assert sorted(asked_in(span) for span in calls) == [f"{name} first", f"{name} second", f"{name} third"]
        assert {span.parent_id for span in calls} == {trace.root.span_id}


def test_a_client_that_speaks_through_aiohttp_is_seen_too(session: Any, server: Server) -> None:
    # The bridge that comes with openai 3; with openai 2 it is a package of its own.
    async def ask(text: str) -> None:
        bridge = openai.DefaultAioHttpClient()
        async with openai.AsyncOpenAI(base_url=server.url, api_key="none", http_client=bridge) as client:
            await client.chat.completions.create(**body(text))
            stream = await client.chat.completions.create(**body("streamed", stream=True))
            assert [event async for event in stream]

    with session("read-write") as running:
        with running.trial("one"):
            asyncio.run(ask("hello"))
        assert len(running.kept()) == 2
    asyncio.run(ask("outside"))
    [trace] = running.traces
    calls = [span for span in trace.spans if span.kind == "llm"]
    assert [asked_in(span) for span in calls] == ["hello", "streamed"]
    assert calls[0].usage is not None
    with session("replay") as again, again.trial("one"):
        asyncio.run(ask("hello"))
    assert len(server.calls) == 4


@pytest.mark.usefixtures("tracing")
def test_threads_of_a_case_are_the_case(session: Any, server: Server) -> None:
    with openai.OpenAI(base_url=server.url, api_key="none") as client, session("read-write") as running:

        def ask(text: str) -> None:
            client.chat.completions.create(**body(text))

        async def in_executor() -> None:
            await asyncio.gather(
                asyncio.get_running_loop().run_in_executor(None, ask, "executor"), asyncio.to_thread(ask, "to_thread")
            )

        with running.trial("one"):
            thread = threading.Thread(target=ask, args=("thread",))
            thread.start()
            thread.join()
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(ask, ["pool 1", "pool 2"]))
            asyncio.run(in_executor())
        with running.trial("two"):
            ask("alone")
    seen = {trace.root.name: sorted(asked_in(span) for span in trace.spans[1:]) for trace in running.traces}
    assert seen == {"one": ["executor", "pool 1", "pool 2", "thread", "to_thread"], "two": ["alone"]}


def test_outside_of_trials_nothing_is_seen(session: Any, server: Server, http: Any) -> None:
    with session("read-write") as running:
        assert current() is None
        assert http.post(f"{server.url}/chat/completions", json=body("hello")).status_code == 200
        with running.trial():
            pass
        assert running.kept() == []
    assert running.calls == []
    assert len(server.calls) == 1


def test_everything_is_as_it_was_afterwards(session: Any, http: Any) -> None:
    def methods() -> tuple[Any, Any]:
        return http.HTTPTransport.handle_request, http.AsyncHTTPTransport.handle_async_request

    before = methods()
    with session("off") as outer:
        during = methods()
        with session("off"):
            assert methods() == during
        assert methods() == during
        assert during != before
        uninstall(outer.traffic)
        uninstall(outer.traffic)
        assert methods() == before


def test_a_wrap_that_somebody_put_over_ours_stays(session: Any, server: Server, http: Any) -> None:
    before, seen = http.HTTPTransport.handle_request, []
    try:
        with session("off") as running:
            ours = http.HTTPTransport.handle_request

            def theirs(self: Any, request: Any) -> Any:
                seen.append(request.url.path)
                return ours(self, request)

            http.HTTPTransport.handle_request = theirs
            with running.trial():
                http.post(f"{server.url}/chat/completions", json=body("hello"))
        assert len(running.calls) == 1
        assert http.HTTPTransport.handle_request is theirs
        http.post(f"{server.url}/chat/completions", json=body("hello"))
        assert len(seen) == 2
        with session("off") as again, again.trial():
            http.post(f"{server.url}/chat/completions", json=body("hello"))
        assert len(again.calls) == 1, "ours is still below theirs"
        http.HTTPTransport.handle_request = ours
        install(again.traffic)
        uninstall(again.traffic)
        assert http.HTTPTransport.handle_request is before
    finally:
        http.HTTPTransport.handle_request = before


def test_a_module_that_is_imported_during_a_trial_is_watched_too() -> None:
    code = """
import sys, warnings
from evalkit.limits import Limiter
from evalkit.prices import Prices
from evalkit.testing import serve
from evalkit.tracing import Scope, attached
from evalkit.transport.handlers import Traffic
from evalkit.transport.wrap import install, uninstall
assert not {"httpx", "httpx2", "openai"} & set(sys.modules), "nothing is imported that is not needed"
traffic = Traffic(cache=None, limiter=Limiter(), prices=Prices())
install(traffic)
scope = Scope(case_id="c1")
with serve("hello") as server, attached(scope):
    import openai
    with openai.OpenAI(base_url=server.url, api_key="none") as client:
        client.chat.completions.create(model="scripted-a", messages=[])
print([span.kind for span in scope.end().spans])
finders = len(sys.meta_path)
uninstall(traffic)
module = sys.modules.get("httpx2") or sys.modules["httpx"]
assert module.HTTPTransport.handle_request.__module__.endswith("_transports.default")
assert not hasattr(module.HTTPTransport.handle_request, "__wrapped__")
assert type(module.__spec__.loader).__name__ == "SourceFileLoader"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "['case', 'llm']", done.stderr


def test_an_answer_in_gzip_is_read_recorded_and_replayed(session: Any, plain: str, http: Any) -> None:
    answers = []
    for mode in ("read-write", "replay"):
        with session(mode) as running, running.trial():
            answers.append(http.post(f"{plain}/v1/chat/completions", json=body("hi")))
    live, replayed = answers
    assert live.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in replayed.headers
    assert live.content == replayed.content
    assert len(Plain.seen) == 1


def test_an_answer_in_gzip_that_is_streamed_raw_is_recorded_plain(session: Any, plain: str, http: Any) -> None:
    with session("read-write") as running, running.trial(), http.Client() as client:
        with client.stream("POST", f"{plain}/v1/chat/completions", json=body("hi")) as response:
            raw = b"".join(response.iter_raw())
        (kept,) = running.kept()
    assert kept.body.encode() == gzip.decompress(raw)


def test_calls_to_this_machine_that_are_not_to_a_model_are_seen_and_never_recorded(
    session: Any, plain: str, http: Any
) -> None:
    for _ in range(2):
        with session("read-write") as running:
            with running.trial():
                assert http.get(f"{plain}/answer?q=1").json()["path"] == "/answer?q=1"
            assert running.kept() == []
        (span,) = running.calls
        assert (span.kind, span.name) == ("http", "GET 127.0.0.1/answer")
    assert len(Plain.seen) == 2
    with session("replay") as running, running.trial() as scope:
        http.get(f"{plain}/answer?q=1")
    assert scope.missed == {}


def test_calls_elsewhere_are_recorded_whatever_they_are(session: Any, plain: str, http: Any) -> None:
    # A name that is not this machine's, sent here by way of a proxy.
    proxy = {"proxy": plain, "trust_env": False}
    for mode in ("read-write", "replay"):
        with session(mode) as running, running.trial(), http.Client(**proxy) as client:
            assert client.get("http://search.example.com/find?q=1").json()["host"] == "search.example.com"
    assert len(Plain.seen) == 1


def test_redirects_are_followed_in_replay_as_they_were(session: Any, plain: str, http: Any) -> None:
    with session("read-write") as running, running.trial(), http.Client(follow_redirects=True) as client:
        assert client.get(f"{plain}/moved").json()["path"] == "/there"
    assert [span.name for span in running.calls] == ["GET 127.0.0.1/moved", "GET 127.0.0.1/there"]


def test_errors_are_errors_as_they_would_be_without_us(session: Any, http: Any) -> None:
    url = "http://127.0.0.1:9/v1/chat/completions"
    with session("read-write") as running, running.trial(), pytest.raises(http.ConnectError):
        http.post(url, json=body("hi"))
    (span,) = running.calls
    assert span.status == "error"
    assert span.error.startswith("ConnectError")
    with serve([reset(), failing(500), hanging()]) as server, session("read-write") as running:
        url = f"{server.url}/chat/completions"
        with running.trial(), pytest.raises(http.TransportError):
            http.post(url, json=body("hi"))
        with running.trial():
            assert http.post(url, json=body("hi")).status_code == 500
        with running.trial(), pytest.raises(http.ReadTimeout):
            http.post(url, json=body("hi"), timeout=0.1)
        assert running.kept() == []
    assert [span.status for span in running.calls] == ["error"] * 3
    assert running.calls[1].error.startswith("HTTP 500")


def test_a_call_that_is_cancelled_gives_its_place_back(session: Any, http: Any) -> None:
    async def cancelled(url: str) -> None:
        async with http.AsyncClient() as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.post(url, json=body("hi"))

    with serve(hanging()) as server, session("read-write") as running:
        with running.trial():
            asyncio.run(cancelled(f"{server.url}/chat/completions"))
        limiter = running.traffic.limiter
        assert {limiter.in_flight(key) for key in limiter._lanes} == {0}
        assert running.kept() == []
    assert running.calls[0].status == "error"


def test_a_stream_that_is_forgotten_gives_its_place_back(session: Any, server: Server, http: Any) -> None:
    with session("read-write") as running, running.trial():
        client = http.Client()
        request = client.build_request("POST", f"{server.url}/chat/completions", json=body("hi", stream=True))
        response = client.send(request, stream=True)
        limiter = running.traffic.limiter
        assert [limiter.in_flight(key) for key in limiter._lanes] == [1]
        response.stream = None
        assert [limiter.in_flight(key) for key in limiter._lanes] == [0]
        client.close()
        assert running.kept() == []


def test_calls_that_are_turned_away_make_the_others_fewer(session: Any, http: Any) -> None:
    with serve(rate_limited(retry_after=0.0)) as server, session("off") as running:
        with running.trial():
            for _ in range(12):
                assert http.post(f"{server.url}/chat/completions", json=body("hi")).status_code == 429
        limiter = running.traffic.limiter
        assert all(limiter.concurrency(key) < float("inf") for key in limiter._lanes)


def test_a_request_that_is_too_large_is_sent_and_not_looked_at(
    session: Any, plain: str, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalkit.transport.handlers._LARGEST_REQUEST", 100)
    with session("read-write") as running:
        with running.trial():
            http.post(f"{plain}/v1/chat/completions", json=body("x" * 200))
        assert running.kept() == []
    assert len(Plain.seen) == 1


def test_a_body_that_is_made_piece_by_piece_is_sent_whole(session: Any, server: Server, http: Any) -> None:
    text = json.dumps(body("hello")).encode()
    with session("read-write") as running:
        with running.trial():
            pieces = (text[start : start + 7] for start in range(0, len(text), 7))
            answer = http.post(
                f"{server.url}/chat/completions", content=pieces, headers={"content-type": "application/json"}
            )
        (kept,) = running.kept()
    assert answer.json()["choices"][0]["message"]["content"] == "you said hello"
    assert json.loads(kept.request) == body("hello")


def test_a_client_sends_the_same_bytes_with_us_and_without(session: Any, server: Server) -> None:
    def ask() -> dict[str, str]:
        with openai.OpenAI(base_url=server.url, api_key="none") as client:
            client.chat.completions.create(**body("hi"))
        return dict(server.calls[-1].headers)

    without = ask()
    with session("read-write") as running, running.trial():
        assert ask() == without
