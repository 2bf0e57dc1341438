"""The event loop that bodies run in, advanced by whoever waits for one of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

from evalkit.runner.threads import Threads

T = TypeVar("T")


class Engine:
    """An event loop that runs only while somebody waits, in the thread of the one who waits.

    pytest's hooks are plain functions that must run one after another in the main thread; between two of them
    `pump()` lets every body in flight go on. Nothing else runs in the loop, and it never becomes the loop of
    the thread, so that code which starts a loop of its own still can.
    """

    def __init__(self, *, max_threads: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.threads = Threads(max_threads)
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(
        self,
        work: Coroutine[Any, Any, T],
        on_done: Callable[[asyncio.Task[T]], None],
        *,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """Begin `work` in `context`; `on_done` is called with its task, inside `pump`, when it has ended."""
        task = self.loop.create_task(work, context=context)
        self._tasks.add(task)

        def done(ended: asyncio.Task[T]) -> None:
            self._tasks.discard(ended)
            on_done(ended)
            self.loop.stop()

        task.add_done_callback(done)
        return task

    def pump(self) -> None:
        """Let everything in flight go on until at least one piece of it has ended. Does nothing when idle."""
        if self._tasks:
            self._turn()

    def wake(self) -> None:
        """Have `pump` return, from any thread, though nothing may have ended."""
        with contextlib.suppress(RuntimeError):  # it is closed, and nobody waits
            self.loop.call_soon_threadsafe(self.loop.stop)

    def poll(self) -> None:
        """Let everything in flight take one step, without waiting for anything."""
        if self._tasks:
            self.loop.call_soon(self.loop.stop)
            self._turn()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns; everything in flight goes on meanwhile."""
        task = self.loop.create_task(work)
        while not task.done():
            # A body that ends meanwhile stops the loop; that is its business, not ours, so go on.
            task.add_done_callback(self._stop)
            self._turn()
            task.remove_done_callback(self._stop)
        return task.result()

    def cancel(self) -> None:
        """Cancel everything in flight and wait until it is gone."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            self.run(_gone(tasks))

    def close(self) -> None:
        """Cancel what is in flight, close asynchronous generators, and end the loop and its threads."""
        if self.loop.is_closed():
            return
        self.cancel()
        self.threads.close()
        self.run(self.loop.shutdown_asyncgens())
        self.loop.close()

    def _turn(self) -> None:
        # Another library may have left a loop of its own marked as running in this thread, as Playwright's sync API
        # does between two calls; ours runs inside that one's pause, and puts the mark back.
        other = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        try:
            self.loop.run_forever()
        finally:
            asyncio._set_running_loop(other)

    def _stop(self, _: asyncio.Task[Any]) -> None:
        self.loop.stop()


async def _gone(tasks: list[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
