"""Async fixtures for the items of suites, in the event loop that their bodies run in."""

from __future__ import annotations

import contextlib
import functools
import inspect
import types
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import pytest

from evalkit.runner import Engine


def is_async_fixture(fixturedef: pytest.FixtureDef[Any]) -> bool:
    """Whether the fixture is a coroutine function or an asynchronous generator."""
    return inspect.isasyncgenfunction(fixturedef.func) or inspect.iscoroutinefunction(fixturedef.func)


@contextlib.contextmanager
def awaited(fixturedef: pytest.FixtureDef[Any], engine: Callable[[], Engine]) -> Generator[None]:
    """While this is open, an async fixture looks like a plain one to pytest and to other plugins.

    A coroutine function is awaited, an asynchronous generator is advanced to its `yield` and, at teardown, to its
    end, both in the engine's loop.
    """
    function = fixturedef.func
    if inspect.isasyncgenfunction(function):
        stand_in: Any = _generator(function, engine)
    else:
        stand_in = _coroutine(function, engine)
    if inspect.ismethod(function):  # pytest binds it to the test's own instance
        stand_in = types.MethodType(stand_in, function.__self__)
    fixturedef.func = stand_in  # type: ignore[misc]  # Final for type checkers only
    try:
        yield
    finally:
        fixturedef.func = function  # type: ignore[misc]  # Final for type checkers only


def _coroutine(function: Any, engine: Callable[[], Engine]) -> Any:
    inner = getattr(function, "__func__", function)

    @functools.wraps(inner)
    def call(*args: Any, **kwargs: Any) -> Any:
        return engine().run(inner(*args, **kwargs))

    return call


def _generator(function: Any, engine: Callable[[], Engine]) -> Any:
    inner = getattr(function, "__func__", function)

    @functools.wraps(inner)
    def call(*args: Any, **kwargs: Any) -> Generator[Any]:
        steps: AsyncGenerator[Any, None] = inner(*args, **kwargs)
        yield engine().run(_first(steps))
        engine().run(_rest(steps, function.__name__))

    return call


async def _first(steps: AsyncGenerator[Any, None]) -> Any:
    try:
        return await anext(steps)
    except StopAsyncIteration:
        raise RuntimeError("the fixture did not yield a value") from None


async def _rest(steps: AsyncGenerator[Any, None], name: str) -> None:
    try:
        await anext(steps)
    except StopAsyncIteration:
        return
    raise RuntimeError(f"the fixture {name} yields more than once")
