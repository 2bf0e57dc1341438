"""A model that is a function: a local one, a framework's, or a fake."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from evalkit.canonical import digest
from evalkit.errors import ConfigError
from evalkit.models.files import NAME
from evalkit.models.reply import Reply
from evalkit.models.request import Messages, messages_of
from evalkit.tracing.scope import current
from evalkit.versions import Version

if TYPE_CHECKING:
    from pydantic import BaseModel

    S = TypeVar("S", bound=BaseModel)


class _Callable:
    __slots__ = ("function", "name", "version")

    def __init__(self, name: str, function: Callable[..., Any], version: Version) -> None:
        self.name = name
        self.function = function
        self.version = version

    def check(self, *, replay: bool = False) -> None:
        """There is nothing that it could lack."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, version={self.version.body['version']!r})"

    def _begin(self) -> None:
        scope = current()
        if scope is not None:
            scope.use(self.version)

    def _span(self) -> contextlib.AbstractContextManager[Any]:
        if current() is None:
            return contextlib.nullcontext()
        from evalkit.tracing import span

        return span(self.name, model=self.name)

    def _arguments(self, messages: Messages, given: Mapping[str, Any]) -> dict[str, Any]:
        self._begin()
        return {"messages": messages_of(messages), **{key: value for key, value in given.items() if value is not None}}

    def _answer(self, given: Any, schema: type[BaseModel] | None) -> Any:
        if schema is not None and not isinstance(given, schema):
            read = schema.model_validate_json if isinstance(given, str) else schema.model_validate
            return read(given)
        return Reply(given) if isinstance(given, str) and not isinstance(given, Reply) else given


class CallableModel(_Callable):
    """A function as a model that is asked by plain functions; `callable_model` makes one.

    Called itself, it is the function. An `async` function is run to its end in a loop of its own.
    """

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns."""
        self._begin()
        with self._span():
            given = self.function(*args, **kwargs)
            return asyncio.run(_awaited(given)) if inspect.isawaitable(given) else given

    @overload
    def chat(self, messages: Messages, *, schema: type[S], **overrides: Any) -> S: ...

    @overload
    def chat(self, messages: Messages, *, schema: None = None, **overrides: Any) -> Any: ...

    def chat(
        self,
        messages: Messages,
        *,
        schema: type[Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        **overrides: Any,
    ) -> Any:
        """What the function says to `messages`, a list of dicts whatever was given. A text becomes a `Reply`.

        `tools` and `overrides` are handed on where they are given; with `schema`, what it returns is validated.
        """
        arguments = self._arguments(messages, {"tools": tools, **overrides})
        asked = arguments.pop("messages")
        with self._span():
            given = self.function(asked, **arguments)
            given = asyncio.run(_awaited(given)) if inspect.isawaitable(given) else given
        return self._answer(given, schema)

    def to_async(self) -> AsyncCallableModel:
        """The same model for `async` functions."""
        return AsyncCallableModel(self.name, self.function, self.version)

    def to_sync(self) -> Self:
        """The model itself; for symmetry."""
        return self


class AsyncCallableModel(_Callable):
    """A function as a model that is asked by `async` functions. A plain function is called in a thread."""

    __slots__ = ()

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns."""
        self._begin()
        with self._span():
            return await self._called(*args, **kwargs)

    @overload
    async def chat(self, messages: Messages, *, schema: type[S], **overrides: Any) -> S: ...

    @overload
    async def chat(self, messages: Messages, *, schema: None = None, **overrides: Any) -> Any: ...

    async def chat(
        self,
        messages: Messages,
        *,
        schema: type[Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        **overrides: Any,
    ) -> Any:
        """What the function says to `messages`; see `CallableModel.chat`."""
        arguments = self._arguments(messages, {"tools": tools, **overrides})
        asked = arguments.pop("messages")
        with self._span():
            given = await self._called(asked, **arguments)
        return self._answer(given, schema)

    def to_async(self) -> Self:
        """The model itself; for symmetry."""
        return self

    def to_sync(self) -> CallableModel:
        """The same model for plain functions."""
        return CallableModel(self.name, self.function, self.version)

    async def _called(self, *args: Any, **kwargs: Any) -> Any:
        if inspect.iscoroutinefunction(self.function):
            return await self.function(*args, **kwargs)
        given = await asyncio.to_thread(self.function, *args, **kwargs)
        return await given if inspect.isawaitable(given) else given


async def _awaited(given: Any) -> Any:
    return await given


def callable_model(name: str, function: Callable[..., Any], *, version: str) -> CallableModel:
    """A function as a model, under the version that you give it: change that whenever its answers may change.

    `chat(messages)` calls `function(messages, **overrides)`, and calling the model calls the function as it is. It may
    be `async`. Raises `ConfigError` for a name or a version that is none.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError(f"{name!r:.60} is no name of a model.", hint="It is letters, digits, - _ and dots.")
    if not callable(function):
        raise ConfigError(f"The model {name} is {function!r:.60}, which cannot be called.")
    if not isinstance(version, str) or not version.strip():
        raise ConfigError(
            f"The version of the model {name} is {version!r:.40}, not a text.",
            why="A function has no content to tell one version from another by.",
            hint='Write version="1", and another whenever its answers may change.',
        )
    body = {"callable": True, "version": version}
    return CallableModel(name, function, Version(kind="model", name=name, digest=digest(body), body=body))
