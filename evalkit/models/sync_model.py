"""A model that is asked by plain functions, which wait for the answer."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from evalkit.models.clients import response_type, sync_client
from evalkit.models.reply import Reply
from evalkit.models.request import Messages, Request, instance
from evalkit.transport.wrap import replaying

if TYPE_CHECKING:
    from openai import OpenAI
    from pydantic import BaseModel

    from evalkit.models.async_model import AsyncModel

    S = TypeVar("S", bound=BaseModel)

T = TypeVar("T")


class Stream(Iterator[str]):
    """The text of an answer, piece by piece as it comes. `reply` is the whole of it once it has ended.

    Nothing is asked before the first piece is. Raises `ModelUnavailable` where the answer breaks off: what was handed
    on by then is no answer.
    """

    def __init__(self, pieces: Callable[[Stream], Iterator[str]]) -> None:
        self._pieces = pieces(self)
        self._reply: Reply | None = None

    def __next__(self) -> str:
        return next(self._pieces)

    @property
    def reply(self) -> Reply:
        """The whole answer. Raises `RuntimeError` before the stream has ended."""
        if self._reply is None:
            raise RuntimeError("the stream has not ended; read it to its end first")
        return self._reply

    def text(self) -> Reply:
        """Read what is left, and give the whole answer."""
        for _ in self:
            pass
        return self.reply


class Model(Configured):
    """A named configuration of a model, asked by plain functions; its arguments are those of `Configured`."""

    __slots__ = ()

    @overload
    def chat(
        self,
        messages: Messages,
        *,
        schema: type[S],
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: Literal[False] = False,
        **overrides: Any,
    ) -> S: ...

    @overload
    def chat(
        self,
        messages: Messages,
        *,
        schema: None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: Literal[True],
        **overrides: Any,
    ) -> Stream: ...

    @overload
    def chat(
        self,
        messages: Messages,
        *,
        schema: None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: Literal[False] = False,
        **overrides: Any,
    ) -> Reply: ...

    def chat(
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
        with `stream=True` a `Stream`. `tools` are as the API takes them, and the calls are in `Reply.tool_calls`.
        `overrides` are parameters for this call, such as `temperature=1`; `None` leaves one out.

        A call that fails in a way that may pass is made again (see `attempts`). Raises `ModelUnavailable` when that
        did not help, `ModelRefused` where it could not, `AnswerInvalid` for an answer that is no instance of `schema`.
        """
        request = self._chat(messages, schema, tools, stream, overrides)
        if stream:
            return self._stream(request, ChatAssembly)
        return self._answer(request, read_chat)

    @overload
    def responses(
        self,
        messages: Messages,
        *,
        schema: type[S],
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: Literal[False] = False,
        **overrides: Any,
    ) -> S: ...

    @overload
    def responses(
        self,
        messages: Messages,
        *,
        schema: None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: Literal[True],
        **overrides: Any,
    ) -> Stream: ...

    @overload
    def responses(
        self,
        messages: Messages,
        *,
        schema: None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        stream: Literal[False] = False,
        **overrides: Any,
    ) -> Reply: ...

    def responses(
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
            return self._stream(request, ResponsesAssembly)
        return self._answer(request, read_responses)

    @overload
    def embed(self, texts: str, **overrides: Any) -> list[float]: ...

    @overload
    def embed(self, texts: Sequence[str], **overrides: Any) -> list[list[float]]: ...

    def embed(self, texts: str | Sequence[str], **overrides: Any) -> list[float] | list[list[float]]:
        """The vector of a text, or those of several in their order."""
        several = [texts] if isinstance(texts, str) else list(texts)
        request = self._embed(several, overrides)
        vectors = self._ask(request, lambda body, attempts: read_vectors(body, wanted=len(several)))  # noqa: ARG005
        return vectors[0] if isinstance(texts, str) else vectors

    def to_async(self) -> AsyncModel:
        """The same model for `async` functions."""
        from evalkit.models.async_model import AsyncModel

        return AsyncModel.of(self.spec)

    def to_sync(self) -> Model:
        """The model itself; for symmetry."""
        return self

    def _answer(self, request: Request, read: Callable[..., Reply]) -> Any:
        reply = self._ask(request, lambda body, attempts: read(body, attempts=attempts))
        return reply if request.schema is None else instance(reply, request.schema, self.spec)

    def _ask(self, request: Request, read: Callable[[Mapping[str, Any], int], T]) -> T:
        budget = Budget(self.spec)
        while True:
            try:
                with sync_client(self.spec, keyless=replaying()) as client, announced(budget.begin()):
                    answer: Any = client.post(
                        request.path,
                        cast_to=response_type(),
                        body=request.body,
                        options={"timeout": budget.left},
                    )
                return read(body_of(answer.text), budget.attempt)
            except Exception as error:  # sorted out by the budget, which raises what cannot be helped
                pause = budget.failed(error)
            time.sleep(pause)

    def _stream(self, request: Request, kind: Callable[[], Assembly]) -> Stream:
        def pieces(stream: Stream) -> Iterator[str]:
            budget = Budget(self.spec)
            while True:
                begun, assembly = False, kind()
                try:
                    with sync_client(self.spec, keyless=replaying()) as client:
                        with announced(budget.begin()):
                            events = _streaming(client, request)(**request.stream(budget.left))
                        with contextlib.closing(events):
                            for event in events:
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
                time.sleep(pause)

        return Stream(pieces)


def _streaming(client: OpenAI, request: Request) -> Callable[..., Any]:
    return client.chat.completions.create if request.interface == "chat" else client.responses.create
