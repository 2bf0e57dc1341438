"""A server on this machine that speaks the OpenAI API and says what a script tells it to.

It stands in for a provider in tests and examples. What it says is a script's or a recording's, never a model's.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from aiohttp import web

from evalkit.testing import wire
from evalkit.testing.answers import Answer, Fault
from evalkit.testing.recordings import Recording, Recordings
from evalkit.testing.script import Actor, Call, Faults, Script

LOOPBACK = "127.0.0.1"
_SSE = "text/event-stream; charset=utf-8"
_JSON = "application/json"


@dataclasses.dataclass(frozen=True, slots=True)
class _Interface:
    body: Callable[[Call, Answer], dict[str, Any]]
    events: Callable[[Call, Answer], Iterator[str]] | None


_INTERFACES = {
    "chat/completions": _Interface(wire.chat_body, wire.chat_events),
    "responses": _Interface(wire.responses_body, wire.responses_events),
    "embeddings": _Interface(lambda call, _: wire.embeddings_body(call), None),
}


class Server:
    """A provider on this machine; `serve` starts one.

    `url` is what a client takes as its base URL, and ends in `/v1`. `calls` are the requests that came in so far, in
    that order; they include those that were answered with a fault. `in_flight_at_most` is how many were open at once.
    """

    def __init__(
        self,
        script: Script | Recordings,
        *,
        faults: Faults | None = None,
        latency: float = 0.0,
        token_latency: float = 0.0,
        port: int = 0,
    ) -> None:
        self._recordings = script if isinstance(script, Recordings) else None
        self._actor = Actor("" if isinstance(script, Recordings) else script, faults)
        self._latency = latency
        self._token_latency = token_latency
        self._port = port
        self._calls: list[Call] = []
        self._open = 0
        self.in_flight_at_most = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The base URL, such as `http://127.0.0.1:40123/v1`. Raises `RuntimeError` before `start`."""
        if self._thread is None:
            raise RuntimeError("the server has not been started")
        return f"http://{LOOPBACK}:{self._port}/v1"

    @property
    def calls(self) -> tuple[Call, ...]:
        """What was asked so far."""
        return tuple(self._calls)

    def start(self) -> Server:
        """Begin to listen, on loopback only, in a thread of its own. Raises `OSError` where the port is taken."""
        started = threading.Event()
        failure: list[BaseException] = []

        def serve() -> None:
            loop = self._loop = asyncio.new_event_loop()
            try:
                loop.run_until_complete(self._listen())
            except BaseException as error:  # raised again in the caller's thread, below
                failure.append(error)
            started.set()
            if not failure:
                loop.run_forever()
            loop.run_until_complete(self._stop_listening())
            loop.close()

        self._thread = threading.Thread(target=serve, name="evalkit-testing-server", daemon=True)
        self._thread.start()
        started.wait()
        if failure:
            self._thread.join()
            self._thread = None
            raise failure[0]
        return self

    def close(self) -> None:
        """Stop listening and break off what is open. A second call does nothing."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        self._thread = self._loop = None

    def __enter__(self) -> Server:
        return self if self._thread is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def _listen(self) -> None:
        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self._port, backlog=512)
        await site.start()
        server: Any = site._server
        self._port = server.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.read() or b"{}")
        except ValueError:
            return _plain(400, {"error": {"message": "the body is no JSON", "type": "invalid_request_error"}})
        call = Call(
            number=len(self._calls) + 1,
            method=request.method,
            path=request.path,
            body=body if isinstance(body, dict) else {},
            headers={name.lower(): value for name, value in request.headers.items()},
        )
        self._calls.append(call)
        self._open += 1
        self.in_flight_at_most = max(self.in_flight_at_most, self._open)
        try:
            if self._recordings is not None:
                return await self._play(request, self._recordings.find(call.method, call.path, body))
            return await self._answer(request, call)
        finally:
            self._open -= 1

    async def _play(self, request: web.Request, recording: Recording | None) -> web.StreamResponse:
        if recording is None:
            message = f"nothing was recorded for {request.method} {request.path} with this body"
            return _plain(404, {"error": {"message": message, "type": "not_recorded", "code": "not_recorded"}})
        await asyncio.sleep(self._latency)
        headers = {"Content-Type": recording.content_type}
        return web.Response(body=recording.response, status=recording.status, headers=headers)

    async def _answer(self, request: web.Request, call: Call) -> web.StreamResponse:
        name = next((name for name in _INTERFACES if call.path.endswith(f"/{name}")), None)
        if name is None or call.method != "POST":
            message = f"This server knows {', '.join(_INTERFACES)}; not {call.method} {call.path}"
            return _plain(404, {"error": {"message": message, "type": "invalid_request_error", "code": "unknown_url"}})
        interface = _INTERFACES[name]
        try:
            # An embedding is made from the text alone; its script only says what goes wrong.
            given = await self._actor.act(call)
        except Exception as error:  # a script's mistake is told to the test that wrote it, not swallowed
            message = f"the script raised {type(error).__name__}: {error}"
            return _plain(400, {"error": {"message": message, "type": "script_error", "code": "script_error"}})
        answer = given if isinstance(given, Answer) else Answer(text="one two three four five six")
        await asyncio.sleep(self._latency if answer.latency is None else answer.latency)
        if isinstance(given, Fault) and given.kind != "truncated":
            return await _fail(request, given)
        cut = given.after if isinstance(given, Fault) else None
        if call.stream and interface.events is not None:
            return await self._stream(request, list(interface.events(call, answer)), answer, cut)
        whole = json.dumps(interface.body(call, answer), ensure_ascii=False).encode("utf-8", "surrogatepass")
        if cut is None:
            return web.Response(body=whole, content_type=_JSON)
        return await _cut_short(request, whole, cut)

    async def _stream(
        self, request: web.Request, events: list[str], answer: Answer, cut: int | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": _SSE, "Cache-Control": "no-cache"})
        await response.prepare(request)
        pause = self._token_latency if answer.token_latency is None else answer.token_latency
        for place, event in enumerate(events):
            if cut is not None and (place >= cut or place == len(events) - 1):  # never the last one
                _break(request)
                return response
            if place and pause:
                await asyncio.sleep(pause)
            await response.write(event.encode("utf-8", "surrogatepass"))
        await response.write_eof()
        return response


async def _fail(request: web.Request, fault: Fault) -> web.StreamResponse:
    if fault.kind == "hang":
        await asyncio.sleep(fault.seconds)
    if fault.kind in ("hang", "reset"):
        _break(request)
        return web.Response()
    if fault.kind == "garbage":
        return web.Response(text="<html>upstream said something else", content_type=_JSON)
    if fault.kind == "error_in_200":
        return _plain(200, wire.error_body(fault))
    wait = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    return _plain(fault.status, wire.error_body(fault), wait)


async def _cut_short(request: web.Request, whole: bytes, after: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": _JSON, "Content-Length": str(len(whole))})
    await response.prepare(request)
    await response.write(whole[: min(after, len(whole) - 1)])
    _break(request)
    return response


def _plain(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"),
        status=status,
        headers={"Content-Type": _JSON, **(headers or {})},
    )


def _break(request: web.Request) -> None:
    """Reset the connection, as a proxy that dies does: the peer sees no orderly end."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def serve(
    script: Script | Recordings = "",
    *,
    faults: Faults | None = None,
    latency: float = 0.0,
    token_latency: float = 0.0,
    port: int = 0,
) -> Server:
    """A provider on this machine that is listening already; its `url` is what a client takes as its base URL.

    Use it as a context manager: `with serve("Paris.") as server: client = OpenAI(base_url=server.url, api_key="none")`.
    `script` is a text or an `Answer` for every call, a list of them in turn (the last is repeated), a function of the
    `Call`, plain or async, or what `read_recordings` gave. `faults` go wrong at random in its place. `latency` is in
    seconds before each answer, `token_latency` between two pieces of a stream. `port` 0 takes a free one.
    """
    return Server(script, faults=faults, latency=latency, token_latency=token_latency, port=port).start()
