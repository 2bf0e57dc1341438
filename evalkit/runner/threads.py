"""A pool of daemon threads for bodies and scorers that are plain functions.

`concurrent.futures` joins its threads when the interpreter exits, so one body that hangs would hang the whole
session after its timeout had long been reported. These threads are daemons, and one that was given up on is
replaced.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable
from typing import Any

_Work = tuple[Callable[[], Any], asyncio.Future[Any], contextvars.Context]


class Threads:
    """At most `size` threads that call functions for an event loop; started when they are needed."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._idle = 0

    async def call(self, function: Callable[[], Any]) -> Any:
        """What `function()` returns, called in a thread with a copy of the caller's context.

        When the caller is cancelled (a timeout), the thread goes on with what it does, as Python cannot stop
        it; the pool counts it as lost and may start another in its place.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._work.put((function, future, contextvars.copy_context()))
        self._ensure_thread()
        try:
            return await future
        except asyncio.CancelledError:
            with self._lock:
                self.size += 1
            raise

    def close(self) -> None:
        """Let the threads end when they are done with what they do."""
        with self._lock:
            started = self._started
        for _ in range(started):
            self._work.put(None)

    def _ensure_thread(self) -> None:
        with self._lock:
            if self._idle >= self._work.qsize() or self._started >= self.size:
                return
            self._started += 1
        threading.Thread(target=self._serve, name=f"evalkit-{self._started}", daemon=True).start()

    def _serve(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            work = self._work.get()
            with self._lock:
                self._idle -= 1
            if work is None:
                return
            function, future, context = work
            if future.cancelled():
                continue
            try:
                result, error = context.run(function), None
            except BaseException as caught:
                # Everything is handed to the caller: pytest's skip and fail are no Exceptions, and a body's
                # SystemExit must not end a thread of ours unseen.
                result, error = None, caught
            try:
                future.get_loop().call_soon_threadsafe(_settle, future, result, error)
            except RuntimeError:
                return  # the loop was closed while the body was still at it; nobody waits any more


class Inline:
    """The same, without threads: a function is called where it stands, so that a debugger can be used in it."""

    async def call(self, function: Callable[[], Any]) -> Any:
        """What `function()` returns."""
        return function()


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    elif isinstance(error, StopIteration):
        future.set_exception(RuntimeError(f"the function raised {error!r}"))  # a future cannot carry it
    else:
        future.set_exception(error)
