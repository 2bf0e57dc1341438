"""What happens to one request inside a trial: span, then cache, then limiter, then the network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from evalkit.limits import Limiter
from evalkit.prices import Prices
from evalkit.tracing.scope import Scope
from evalkit.transport.cache import Cache
from evalkit.transport.passage import Passage

_LARGEST_REQUEST = 32 * 2**20
"""Bytes of a request that are read; a larger one is sent as it is, and neither recorded nor described."""


class Traffic:
    """All requests of one session's trials.

    `cache` is `None` where nothing is recorded and nothing replayed. Everything may be called from any thread.
    """

    def __init__(self, *, cache: Cache | None, limiter: Limiter, prices: Prices) -> None:
        self.cache = cache
        self.limiter = limiter
        self.prices = prices

    def handle(self, scope: Scope, module: ModuleType, request: Any, send: Callable[[Any], Any]) -> Any:
        """The response to a request that is made in a thread."""
        body = request.read() if _is_small(request) else None
        passage = Passage(self, scope, module, request, body)
        try:
            response = passage.recorded()
            if response is None:
                with passage.waiting() as slot:
                    if slot is not None:
                        slot.wait()
                response = passage.watched(send(request))
        except BaseException as error:
            passage.failed(error)
            raise
        return response

    async def handle_async(
        self, scope: Scope, module: ModuleType, request: Any, send: Callable[[Any], Awaitable[Any]]
    ) -> Any:
        """The response to a request that is made in an event loop."""
        body = await request.aread() if _is_small(request) else None
        passage = Passage(self, scope, module, request, body)
        try:
            response = passage.recorded()
            if response is None:
                with passage.waiting() as slot:
                    if slot is not None:
                        await slot.turn()
                response = passage.watched(await send(request))
        except BaseException as error:
            passage.failed(error)
            raise
        return response


def _is_small(request: Any) -> bool:
    length = request.headers.get("content-length", "0")
    return not length.isdigit() or int(length) <= _LARGEST_REQUEST
