"""The clients of `openai` that calls go through, for each endpoint and key, and each event loop.

Asynchronous ones speak through aiohttp, by the bridge that openai has for it: a call takes about half the CPU.

httpx's pool of connections looks at every connection it has for every call, which costs with many calls at once.
Several small pools take its place: a client for each two calls that are in flight.

Importing openai takes about a second. A session that has a model does it before its first trial, whose latency would
have it otherwise.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import importlib
import threading
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.request import getproxies

from evalkit.models.spec import Spec

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

C = TypeVar("C")
_Place = tuple[str, str]

_NO_KEY = "no-key"
_CALLS_A_CLIENT = 2
_MOST_CLIENTS = 64
_MANY = 500
_LIBRARIES = ("httpx", "httpx2")


class Clients(Generic[C]):
    """As many clients as it takes, none with more than `calls` at once; the one with the fewest is next."""

    def __init__(self, make: Callable[[], C], *, calls: int = _CALLS_A_CLIENT) -> None:
        self._make = make
        self._calls = calls
        self._lock = threading.Lock()
        self._busy: list[int] = []
        self.all: list[C] = []

    @contextlib.contextmanager
    def one(self) -> Iterator[C]:
        """A client for one call."""
        with self._lock:
            least = min(range(len(self._busy)), key=self._busy.__getitem__, default=-1)
            if least < 0 or (self._busy[least] >= self._calls and len(self.all) < _MOST_CLIENTS):
                self.all.append(self._make())
                self._busy.append(0)
                least = len(self._busy) - 1
            self._busy[least] += 1
            client = self.all[least]
        try:
            yield client
        finally:
            with self._lock:
                self._busy[least] -= 1


_NOWHERE = "http://127.0.0.1/v1"
_EXPECTED = threading.Event()

_LOCK = threading.Lock()
_SYNC: dict[_Place, Clients[OpenAI]] = {}
_ASYNC: weakref.WeakKeyDictionary[
    asyncio.AbstractEventLoop, dict[_Place, tuple[Clients[AsyncOpenAI], AsyncGenerator[None]]]
] = weakref.WeakKeyDictionary()


@contextlib.contextmanager
def sync_client(spec: Spec, *, keyless: bool = False) -> Iterator[OpenAI]:
    """A client for one call of `spec`, in a thread. Raises `ConfigError` where its key is missing.

    With `keyless`, a key that is missing is done without.
    """
    place = _place(spec, keyless)
    with _LOCK:
        clients = _SYNC.get(place)
        if clients is None:
            if not _SYNC:
                atexit.register(_close_all)
            clients = _SYNC[place] = Clients(lambda: _sync(place))
    with clients.one() as client:
        yield client


@contextlib.asynccontextmanager
async def async_client(spec: Spec, *, keyless: bool = False) -> AsyncIterator[AsyncOpenAI]:
    """A client for one call of `spec` in the running event loop, which closes it when it is shut down.

    A connection belongs to the loop it was opened in, so each loop has its own. Otherwise as `sync_client`.
    """
    place = _place(spec, keyless)
    loop = asyncio.get_running_loop()
    with _LOCK:
        of_loop = _ASYNC.setdefault(loop, {})
    if place not in of_loop:
        made: Clients[AsyncOpenAI] = Clients(
            lambda: _async(place), calls=_CALLS_A_CLIENT if through_aiohttp() is None else _MANY
        )
        holder = _held(made, loop)
        of_loop[place] = made, holder  # before the first await, so that a task beside this one finds it
        await anext(holder)
    with of_loop[place][0].one() as client:
        yield client


async def _held(clients: Clients[AsyncOpenAI], loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None]:
    # An event loop that is shut down closes the asynchronous generators begun in it (asyncio.run does, and so do
    # pytest-asyncio and evalkit's own engine): that is the one moment when the clients can still close their
    # connections.
    try:
        yield
    finally:
        with _LOCK:
            _ASYNC.pop(loop, None)
        for client in clients.all:
            await client.close()


def _sync(place: _Place) -> OpenAI:
    from openai import DefaultHttpxClient, OpenAI

    http_client = DefaultHttpxClient(verify=_tls(_library(DefaultHttpxClient)))
    return OpenAI(base_url=place[0], api_key=place[1], max_retries=0, http_client=http_client)


def _async(place: _Place) -> AsyncOpenAI:
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    kind = through_aiohttp() or DefaultAsyncHttpxClient
    http_client = kind(verify=_tls(_library(kind)))
    return AsyncOpenAI(base_url=place[0], api_key=place[1], max_retries=0, http_client=http_client)


@cache
def through_aiohttp() -> type[Any] | None:
    """The client that speaks through aiohttp, `None` where this openai has none, or a proxy is to be spoken through."""
    import openai

    kind: type[Any] | None = getattr(openai, "DefaultAioHttpClient", None)
    # httpx knows more kinds of proxies. Where the bridge is missing, a bare client of httpx stands in its place.
    if kind is None or getproxies() or kind.__mro__[1].__module__.partition(".")[0] in _LIBRARIES:
        return None
    return kind


def expect() -> None:
    """Take note that there is a model, so that the next session gets ready to ask it."""
    _EXPECTED.set()


def get_ready() -> None:
    """Import what the first call would have to wait for, where there is a model that could be asked.

    No connection is made. A second time does nothing.
    """
    if _EXPECTED.is_set():
        _read_all()


@cache
def _read_all() -> None:
    response_type()
    through_aiohttp()
    with _sync((_NOWHERE, _NO_KEY)) as client:
        _ = client.chat.completions, client.responses, client.embeddings  # each is imported when it is asked for


@cache
def response_type() -> type[Any]:
    """The class of a response as it came, of `httpx` or `httpx2`; the client gives one where it is asked for it."""
    from openai import DefaultHttpxClient

    found: type[Any] = importlib.import_module(_library(DefaultHttpxClient)).Response
    return found


def _library(client: type[Any]) -> str:
    """`httpx` or `httpx2`, whichever this version of openai speaks through."""
    return next(name for base in client.__mro__ if (name := base.__module__.partition(".")[0]) in _LIBRARIES)


@cache
def _tls(library: str) -> Any:
    # Reading the certificates takes longer than all else that is done for a client; they are the same for each.
    return importlib.import_module(library).create_ssl_context()


def _place(spec: Spec, keyless: bool) -> _Place:
    if spec.api_key is None:
        return spec.url, _NO_KEY
    key = spec.api_key.find() if keyless else spec.api_key.require(spec.name)
    return spec.url, key or _NO_KEY


def _close_all() -> None:
    for clients in _SYNC.values():
        for client in clients.all:
            client.close()
    _SYNC.clear()
