"""Streams of answers: one that is watched while it is read, and one that is given from a record."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

Ended = Callable[[bytes, bool, BaseException | None], None]
"""Called once with the bytes that were read, whether that was all there was, and what broke it off."""

_LARGEST = 32 * 2**20
"""Bytes of an answer that are kept while it is read; of a larger one nothing is recorded."""

_EVENT_END = re.compile(rb"(?<=\n)\r?\n|(?<=\r)\r")


class Watched:
    """A stream that passes on what it is given, and says at its end what that was.

    `first` is called when its first part is here, `dropped` where it is thrown away without having been closed.
    """

    def __init__(
        self,
        inner: Any,
        ended: Ended,
        *,
        first: Callable[[], None] | None = None,
        dropped: Callable[[], None] | None = None,
    ) -> None:
        self._inner = inner
        self._ended: Ended | None = ended
        self._first = first
        self._dropped = dropped
        self._parts: list[bytes] = []
        self._size = 0

    def __del__(self) -> None:
        if self._ended is not None and self._dropped is not None:
            self._dropped()

    def _take(self, part: bytes) -> None:
        if self._first is not None:
            self._first()
            self._first = None
        self._size += len(part)
        if self._size <= _LARGEST:
            self._parts.append(part)

    def _end(self, *, whole: bool, error: BaseException | None = None) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            parts, self._parts = self._parts, []
            ended(b"".join(parts), whole and self._size <= _LARGEST, error)


class WatchedSync(Watched):
    """For a client that waits."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in self._inner:
                self._take(part)
                yield part
        except GeneratorExit:
            raise
        except BaseException as error:
            self._end(whole=False, error=error)
            raise
        self._end(whole=True)

    def close(self) -> None:
        """Close the stream; what was read so far is all there is."""
        try:
            self._inner.close()
        finally:
            self._end(whole=False)


class WatchedAsync(Watched):
    """For a client in an event loop."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._inner:
                self._take(part)
                yield part
        except GeneratorExit:
            raise
        except BaseException as error:
            self._end(whole=False, error=error)
            raise
        self._end(whole=True)

    async def aclose(self) -> None:
        """Close the stream; what was read so far is all there is."""
        try:
            await self._inner.aclose()
        finally:
            self._end(whole=False)


class Given:
    """A stream of parts that are there already, for both kinds of client."""

    def __init__(self, parts: Sequence[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part

    def close(self) -> None:
        """There is nothing to close."""

    async def aclose(self) -> None:
        """There is nothing to close."""


@functools.cache
def of_module(module: Any, kind: type[Any]) -> type[Any]:
    """`kind` as a stream of httpx or httpx2, which take only streams that are their own."""
    bases: dict[type[Any], tuple[type[Any], ...]] = {
        WatchedSync: (module.SyncByteStream,),
        WatchedAsync: (module.AsyncByteStream,),
        Given: (module.SyncByteStream, module.AsyncByteStream),
    }
    return type(kind.__name__, (kind, *bases[kind]), {})


def events(body: bytes) -> list[bytes]:
    """The body of a stream cut after each of its events: at empty lines, else at the end of each line."""
    cuts = [match.end() for match in _EVENT_END.finditer(body)]
    if not cuts:
        return body.splitlines(keepends=True)
    edges = [0, *cuts]
    if edges[-1] != len(body):
        edges.append(len(body))
    return [body[start:end] for start, end in itertools.pairwise(edges)]
