"""The clients of `openai` that calls go through: one for each endpoint and key, and each event loop."""

from __future__ import annotations

import asyncio
import atexit
import threading
import weakref
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from evalkit.models.spec import Spec

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

_NO_KEY = "no-key"
_Place = tuple[str, str]

_LOCK = threading.Lock()
_SYNC: dict[_Place, OpenAI] = {}
_ASYNC: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Place, tuple[AsyncOpenAI, AsyncGenerator[None]]]] = (
    weakref.WeakKeyDictionary()
)


def sync_client(spec: Spec, *, keyless: bool = False) -> OpenAI:
    """The client for `spec`, for threads; made once. Raises `ConfigError` where its key is missing."""
    place = _place(spec, keyless)
    with _LOCK:
        client = _SYNC.get(place)
        if client is None:
            from openai import OpenAI

            if not _SYNC:
                atexit.register(_close_all)
            client = _SYNC[place] = OpenAI(base_url=place[0], api_key=place[1], max_retries=0)
        return client


async def async_client(spec: Spec, *, keyless: bool = False) -> AsyncOpenAI:
    """The client for `spec`, for the running event loop; made once, and closed when the loop is shut down.

    A connection belongs to the loop it was opened in, so each loop has its own. Raises `ConfigError` where the key is
    missing.
    """
    place = _place(spec, keyless)
    loop = asyncio.get_running_loop()
    with _LOCK:
        clients = _ASYNC.setdefault(loop, {})
    if place not in clients:
        from openai import AsyncOpenAI

        client = AsyncOpenAI(base_url=place[0], api_key=place[1], max_retries=0)
        holder = _held(client, loop)
        clients[place] = client, holder  # before the first await, so that a task beside this one finds it
        await anext(holder)
    return clients[place][0]


async def _held(client: AsyncOpenAI, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None]:
    # An event loop that is shut down closes the asynchronous generators begun in it (asyncio.run does, and so do
    # pytest-asyncio and evalkit's own engine): that is the one moment when the client can still close its connections.
    try:
        yield
    finally:
        with _LOCK:
            _ASYNC.pop(loop, None)
        await client.close()


def _place(spec: Spec, keyless: bool) -> _Place:
    if spec.api_key is None:
        return spec.url, _NO_KEY
    key = spec.api_key.find() if keyless else spec.api_key.require(spec.name)
    return spec.url, key or _NO_KEY


def _close_all() -> None:
    for client in _SYNC.values():
        client.close()
    _SYNC.clear()
