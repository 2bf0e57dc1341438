"""Spans of the user's own: `with evalkit.span(...)` and `@evalkit.trace`; outside a trial both do nothing."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from evalkit.canonical import jsonable
from evalkit.score import Score
from evalkit.tracing import names
from evalkit.tracing.given import Given
from evalkit.tracing.scope import Scope, current, entered_scorer, left_scorer

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

OwnKind = Literal["chain", "tool", "agent", "retrieval"]
"""What a span of the user's own can stand for; `chain` is anything."""

_F = TypeVar("_F", bound=Callable[..., Any])
_OPERATIONS = {"tool": "execute_tool", "agent": "invoke_agent", "retrieval": "retrieval"}


class OwnSpan:
    """A span while it is open."""

    __slots__ = ("_given", "_kind", "_name", "_scope", "_span", "_token")

    def __init__(self, scope: Scope | None, name: str, kind: OwnKind | str, attributes: dict[str, Any]) -> None:
        self._scope = scope
        self._name = name
        self._kind = kind
        self._given: Given = attributes
        self._span: Span | None = None
        self._token: Token[Context] | None = None

    @property
    def is_recording(self) -> bool:
        """Whether anything is kept of it."""
        return self._span is not None

    def set(self, **attributes: Any) -> None:
        """Add attributes: text, numbers, booleans; anything else is kept as JSON."""
        if self._span is not None:
            self._given |= {name: jsonable(value) for name, value in attributes.items()}

    def begin(self) -> None:
        """Open the span, without making it the current one."""
        tree = None if self._scope is None else self._scope.trace()
        if tree is not None:
            given = {names.KIND: self._kind, **_named(self._kind, self._name)}
            for name, value in self._given.items():
                given[name] = jsonable(value)
            self._given = given
            self._span = tree.start(self._name, self._given)

    def finish(self, error: BaseException | None) -> None:
        """Close the span, with the status `error` where there is one."""
        span, self._span = self._span, None
        if span is None:
            return
        if error is not None and not isinstance(error, GeneratorExit):
            self._given[names.ERROR_TYPE] = type(error).__qualname__
            said = f"{type(error).__qualname__}: {error}" if str(error) else type(error).__qualname__
            _trees().failed(span, said)
        span.end()

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Within the block, the span is the current one."""
        if self._span is None:
            yield
            return
        token = _trees().enter(self._span)
        try:
            yield
        finally:
            _trees().leave(token)

    def __enter__(self) -> Self:
        self.begin()
        if self._span is not None:
            self._token = _trees().enter(self._span)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._token is not None:
            _trees().leave(self._token)
            self._token = None
        self.finish(error)

    def judged(self, scores: Sequence[Score]) -> None:
        """Add what a scorer gave, the first score of it."""
        if self._span is not None and scores:
            first = scores[0]
            given = {names.SCORE_NAME: first.name, names.SCORE_VALUE: first.value, names.SCORE_LABEL: first.label}
            self._given |= {name: value for name, value in given.items() if value is not None}

    def keep(self, name: str, value: Any) -> None:
        """Add an attribute that holds what people wrote, where traces keep that."""
        if self._span is not None and self._scope is not None and self._scope.capture == "content":
            self._given[name] = jsonable(value)


@functools.cache
def _trees() -> ModuleType:
    # Imports OpenTelemetry, and so not before there is a span.
    from evalkit.tracing import tree

    return tree


def _named(kind: str, name: str) -> dict[str, Any]:
    operation = _OPERATIONS.get(kind)
    if operation is None:
        return {}
    given: dict[str, Any] = {names.OPERATION: operation}
    if kind == "tool":
        given[names.TOOL_NAME] = name
    elif kind == "agent":
        given[names.AGENT_NAME] = name
    return given


class _Nothing(OwnSpan):
    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(None, "", "chain", {})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


_NOTHING = _Nothing()


def span(name: str, /, *, kind: OwnKind = "chain", **attributes: Any) -> OwnSpan:
    """A span around a block, within a trial: `with evalkit.span("look it up", query=text) as span:`.

    Calls to models within the block are below it. `kind` says what it stands for. An exception that leaves the block
    gives it the status `error`. Outside a trial nothing is kept, and it costs next to nothing.
    """
    scope = current()
    return _NOTHING if scope is None else OwnSpan(scope, name, kind, attributes)


class Judging:
    """Within the block, calls are the scorer's own; where the trial is traced, the scorer has a span around them."""

    __slots__ = ("_name", "_span", "_token")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> OwnSpan:
        self._token = entered_scorer(self._name)
        scope = current()
        traced = scope is not None and scope.tree is not None
        self._span = OwnSpan(scope, self._name, "scorer", {names.SCORER: self._name}) if traced else _NOTHING
        return self._span.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._span.__exit__(kind, error, where)
        left_scorer(self._token)


@overload
def trace(function: _F, /) -> _F: ...
@overload
def trace(*, name: str | None = None, kind: OwnKind = "chain") -> Callable[[_F], _F]: ...


def trace(function: Any = None, /, *, name: str | None = None, kind: OwnKind = "chain") -> Any:
    """Make each call of a function a span, within a trial; written `@evalkit.trace` or `@evalkit.trace(kind="tool")`.

    `name` is the function's own unless given. It may be a plain function, a coroutine function or a generator of either
    sort, whose span is open from its first item to its last. With `kind="tool"` the arguments and the result are kept,
    unless traces keep metadata only.
    """
    if function is None:
        return functools.partial(_traced, name=name, kind=kind)
    return _traced(function, name=name, kind=kind)


def _traced(function: Callable[..., Any], *, name: str | None, kind: OwnKind) -> Any:
    shown = name or str(getattr(function, "__name__", type(function).__name__))
    if inspect.isasyncgenfunction(function):
        made: Any = _async_generator(function, shown, kind)
    elif inspect.isgeneratorfunction(function):
        made = _generator(function, shown, kind)
    elif inspect.iscoroutinefunction(function):
        made = _coroutine(function, shown, kind)
    else:
        made = _plain(function, shown, kind)
    return functools.wraps(function)(made)


def _plain(function: Callable[..., Any], name: str, kind: OwnKind) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if current() is None:
            return function(*args, **kwargs)
        with span(name, kind=kind) as opened:
            _arguments(opened, kind, function, args, kwargs)
            result = function(*args, **kwargs)
            _result(opened, kind, result)
            return result

    return call


def _coroutine(function: Callable[..., Any], name: str, kind: OwnKind) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        if current() is None:
            return await function(*args, **kwargs)
        with span(name, kind=kind) as opened:
            _arguments(opened, kind, function, args, kwargs)
            result = await function(*args, **kwargs)
            _result(opened, kind, result)
            return result

    return call


def _generator(function: Callable[..., Any], name: str, kind: OwnKind) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        inner = function(*args, **kwargs)
        opened = span(name, kind=kind)
        with _stretched(opened):
            _arguments(opened, kind, function, args, kwargs)
            step: Callable[[], Any] = functools.partial(next, inner)
            while True:
                try:
                    with opened.inside():
                        item = step()
                except StopIteration as stop:
                    return stop.value
                try:
                    sent = yield item
                except GeneratorExit:
                    inner.close()
                    raise
                except BaseException as error:  # thrown in by the caller, and the generator's to deal with
                    step = functools.partial(inner.throw, error)
                else:
                    step = functools.partial(inner.send, sent)

    return call


def _async_generator(function: Callable[..., Any], name: str, kind: OwnKind) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        inner = function(*args, **kwargs)
        opened = span(name, kind=kind)
        with _stretched(opened):
            _arguments(opened, kind, function, args, kwargs)
            step: Callable[[], Any] = functools.partial(anext, inner)
            while True:
                try:
                    with opened.inside():
                        item = await step()
                except StopAsyncIteration:
                    return
                try:
                    sent = yield item
                except GeneratorExit:
                    await inner.aclose()
                    raise
                except BaseException as error:  # as in _generator
                    step = functools.partial(inner.athrow, error)
                else:
                    step = functools.partial(inner.asend, sent)

    return call


@contextlib.contextmanager
def _stretched(opened: OwnSpan) -> Iterator[None]:
    # A span that is current only while its generator runs, and not in whoever takes the items.
    opened.begin()
    try:
        yield
    except BaseException as error:
        opened.finish(error)
        raise
    opened.finish(None)


def _arguments(opened: OwnSpan, kind: str, function: Any, args: Any, kwargs: Any) -> None:
    if kind != "tool" or not opened.is_recording:
        return
    try:
        bound = dict(inspect.signature(function).bind(*args, **kwargs).arguments)
    except (TypeError, ValueError):  # a wrong call, which the function itself will say
        return
    bound.pop("self", None)
    opened.keep(names.TOOL_ARGUMENTS, bound)


def _result(opened: OwnSpan, kind: str, result: Any) -> None:
    if kind == "tool":
        opened.keep(names.TOOL_RESULT, result)
