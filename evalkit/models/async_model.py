"""A model that is asked by `async` functions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from evalkit.calling import announced
from evalkit.models.assembly import (
    Assembly,
    ChatAssembly,
    ResponsesAssembly,
    body_of,
    read_chat,
    read_responses,
    read_vectors,
)
from evalkit.models.base import Configured
from evalkit.models.budget import Budget
from evalkit.models.clients import async_client, response_type
from evalkit.models.reply import Reply
from evalkit.models.request import Messages, Request, instance
from evalkit.transport.wrap import replaying

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from pydantic import BaseModel

    from evalkit.models.sync_model import Model

    S = TypeVar("S", bound=BaseModel)

T = TypeVar("T")


class AsyncStream(AsyncIterator[str]):
    """The text of an answer, piece by piece as it comes. `reply` is the whole of it once it has ended.

    Nothing is asked before the first piece is. Raises `ModelUnavailable` where the answer breaks off: what was handed
    on by then is no answer.
    """

    def __init__(self, pieces: Callable[[AsyncStream], AsyncIterator[str]]) -> None:
        self._pieces = pieces(self)
        self._reply: Reply | None = None

    async def __anext__(self) -> str:
        return await anext(self._pieces)

    @property
    def reply(self) -> Reply:
        """The whole answer. Raises `RuntimeError` before the stream has ended."""
        if self._reply is None:
            raise RuntimeError("the stream has not ended; read it to its end first")
        return self._reply

    async def text(self) -> Reply:
        """Read what is left, and give the whole answer."""
        async for _ in self:
            pass
        return self.reply


class AsyncModel(Configured):
    """A named configuration of a model, asked with `await`; its arguments are those of `Configured`."""

    __slots__ = ()

    @overload
    async def chat(
        self,
        messages: Messages,
        *,
        schema: type[S],
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: Literal[False] = False,
        **overrides: Any,
    ) -> S: ...

    @overload
    async def chat(
        self,
        messages: Messages,
        *,
        schema: None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: Literal[True],
        **overrides: Any,
    ) -> AsyncStream: ...

    @overload
    async def chat(
        self,
        messages: Messages,
        *,
        schema: None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: Literal[False] = False,
        **overrides: Any,
    ) -> Reply: ...

    async def chat(
        self,
        messages: Messages,
        *,
        schema: type[Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: bool = False,
        **overrides: Any,
    ) -> Any:
        """The answer to `messages`: a text, messages, or a rendered prompt, through the chat API.

        It is a `Reply`, which is its text with what came along; with `schema`, a pydantic model, an instance of it;
        with `stream=True` an `AsyncStream`. `tools` are as the API takes them, and the calls are in `Reply.tool_calls`.
        `overrides` are parameters for this call, such as `temperature=1`; `None` leaves one out.

        A call that fails in a way that may pass is made again (see `attempts`). Raises `ModelUnavailable` when that
        did not help, `ModelRefused` where it could not, `AnswerInvalid` for an answer that is no instance of `schema`.
        """
        request = self._chat(messages, schema, tools, stream, overrides)
        if stream:
            return await self._stream(request, ChatAssembly)
        return await self._answer(request, read_chat)

    @overload
    async def responses(
        self,
        messages: Messages,
        *,
        schema: type[S],
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: Literal[False] = False,
        **overrides: Any,
    ) -> S: ...

    @overload
    async def responses(
        self,
        messages: Messages,
        *,
        schema: None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: Literal[True],
        **overrides: Any,
    ) -> AsyncStream: ...

    @overload
    async def responses(
        self,
        messages: Messages,
        *,
        schema: None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: Literal[False] = False,
        **overrides: Any,
    ) -> Reply: ...

    async def responses(
        self,
        messages: Messages,
        *,
        schema: type[Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: bool = False,
        **overrides: Any,
    ) -> Any:
        """The same as `chat`, through the Responses API. Tools and response formats may be written as for either."""
        request = self._responses(messages, schema, tools, stream, overrides)
        if stream:
            return await self._stream(request, ResponsesAssembly)
        return await self._answer(request, read_responses)

    @overload
    async def embed(self, texts: str, **overrides: Any) -> list[float]: ...

    @overload
    async def embed(self, texts: Sequence[str], **overrides: Any) -> list[list[float]]: ...

    async def embed(self, texts: str | Sequence[str], **overrides: Any) -> list[float] | list[list[float]]:
        """The vector of a text, or those of several in their order."""
        several = [texts] if isinstance(texts, str) else list(texts)
        request = self._embed(several, overrides)
        vectors = await self._ask(request, lambda body, attempts: read_vectors(body, wanted=len(several)))  # noqa: ARG005
        return vectors[0] if isinstance(texts, str) else vectors

    def to_async(self) -> AsyncModel:
        """The model itself; for symmetry."""
        return self

    def to_sync(self) -> Model:
        """The same model for plain functions."""
        from evalkit.models.sync_model import Model

        return Model.of(self.spec)

    async def _answer(self, request: Request, read: Callable[..., Reply]) -> Any:
        reply = await self._ask(request, lambda body, attempts: read(body, attempts=attempts))
        return reply if request.schema is None else instance(reply, request.schema, self.spec)

    async def _ask(self, request: Request, read: Callable[[Mapping[str, Any], int], T]) -> T:
        budget = Budget(self.spec)
        while True:
            try:
                async with async_client(self.spec, keyless=replaying()) as client, asyncio.timeout(None) as timer:
                    with announced(budget.begin(_resetting(timer))):
                        answer: Any = await client.post(
                            request.path,
                            cast_to=response_type(),
                            body=request.body,
                            options={"timeout": budget.left},
                        )
                return read(body_of(answer.text), budget.attempt)
            except Exception as error:  # sorted out by the budget, which raises what cannot be helped
                pause = budget.failed(error)
            await asyncio.sleep(pause)

    async def _stream(self, request: Request, kind: Callable[[], Assembly]) -> AsyncStream:
        async def pieces(stream: AsyncStream) -> AsyncIterator[str]:
            budget = Budget(self.spec)
            while True:
                begun, assembly = False, kind()
                try:
                    async with async_client(self.spec, keyless=replaying()) as client:
                        with announced(budget.begin()):
                            events = await _streaming(client, request)(**request.stream(budget.left))
                        async with contextlib.aclosing(_Events(events)) as opened:
                            async for event in opened.events:
                                budget.check()
                                text = assembly.take(event)
                                if text:
                                    begun = True
                                    yield text
                    stream._reply = assembly.whole(attempts=budget.attempt)
                except Exception as error:  # as in _ask
                    pause = budget.failed(error, begun=begun)
                else:
                    return
                await asyncio.sleep(pause)

        return AsyncStream(pieces)


def _resetting(timer: asyncio.Timeout) -> Callable[[float | None], None]:
    loop = asyncio.get_running_loop()

    def reset(left: float | None) -> None:
        if not timer.expired():
            timer.reschedule(None if left is None else loop.time() + left)

    return reset


class _Events:
    """A stream of openai's, which closes under another name than others."""

    def __init__(self, events: Any) -> None:
        self.events = events

    async def aclose(self) -> None:
        await self.events.close()


def _streaming(client: AsyncOpenAI, request: Request) -> Callable[..., Any]:
    return client.chat.completions.create if request.interface == "chat" else client.responses.create
