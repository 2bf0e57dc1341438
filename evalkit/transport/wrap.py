"""The one place where httpx and httpx2 are touched: the methods by which their transports send a request.

The bridges by which both speak through aiohttp, one of them within openai, are such transports too.

A session that is installed sees every request that is sent inside one of its trials; all others go straight on. When
the last session is gone, the methods are as they were.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from evalkit.tracing.imports import when_imported
from evalkit.tracing.scope import current

if TYPE_CHECKING:
    from evalkit.transport.handlers import Traffic

MODULES = ("httpx", "httpx2")
"""The libraries whose transports are watched: openai 2 speaks through the first, openai 3 through the second."""

_BRIDGES = {"httpx_aiohttp.transport": "httpx", "openai._vendor.httpx_aiohttp.transport": "httpx2"}
"""Transports of aiohttp, and whose requests they take."""

_LOCK = threading.RLock()
_INSTALLED: list[Traffic] = []
_ORIGINALS: dict[tuple[type[Any], str], tuple[Any, Any]] = {}
_STOP: list[Callable[[], None]] = []


def install(traffic: Traffic) -> None:
    """Let `traffic` handle what is sent inside trials, until `uninstall`. Of several the latest does."""
    with _LOCK:
        _INSTALLED.append(traffic)
        if not _STOP:
            _STOP.extend(when_imported(name, functools.partial(_wrap, name)) for name in MODULES)
            _STOP.extend(when_imported(name, functools.partial(_wrap_bridge, name)) for name in _BRIDGES)


def uninstall(traffic: Traffic) -> None:
    """Take `traffic` out again; a second time does nothing."""
    with _LOCK:
        if traffic in _INSTALLED:
            _INSTALLED.remove(traffic)
        if _INSTALLED:
            return
        while _STOP:
            _STOP.pop()()
        for (owner, name), (original, ours) in list(_ORIGINALS.items()):
            # Where somebody has put a wrap of their own around ours, ours stays below it, and lets everything pass.
            if owner.__dict__.get(name) is ours:
                setattr(owner, name, original)
                del _ORIGINALS[owner, name]


def replaying() -> bool:
    """Whether the call that is being made here is answered from the record or not at all, so that it needs no key."""
    cache = _INSTALLED[-1].cache if _INSTALLED and current() is not None else None
    return cache is not None and cache.mode == "replay"


def _wrap(name: str) -> None:
    module = sys.modules[name]
    with _LOCK:
        _replace(getattr(module, "HTTPTransport", None), "handle_request", module, _sync)
        _replace(getattr(module, "AsyncHTTPTransport", None), "handle_async_request", module, _async)


def _wrap_bridge(name: str) -> None:
    with _LOCK:
        owner = getattr(sys.modules[name], "AiohttpTransport", None)
        _replace(owner, "handle_async_request", sys.modules[_BRIDGES[name]], _async)


def _replace(owner: Any, name: str, module: ModuleType, make: Callable[[Any, ModuleType], Any]) -> None:
    if not isinstance(owner, type) or (owner, name) in _ORIGINALS or name not in owner.__dict__:
        return
    original = owner.__dict__[name]
    ours = make(original, module)
    _ORIGINALS[owner, name] = (original, ours)
    setattr(owner, name, ours)


def _sync(original: Callable[[Any, Any], Any], module: ModuleType) -> Callable[[Any, Any], Any]:
    @functools.wraps(original)
    def handle_request(self: Any, request: Any) -> Any:
        scope = current()
        if scope is None or not _INSTALLED:
            return original(self, request)
        return _INSTALLED[-1].handle(scope, module, request, lambda again: original(self, again))

    return handle_request


def _async(original: Callable[[Any, Any], Awaitable[Any]], module: ModuleType) -> Callable[[Any, Any], Awaitable[Any]]:
    @functools.wraps(original)
    async def handle_async_request(self: Any, request: Any) -> Any:
        scope = current()
        if scope is None or not _INSTALLED:
            return await original(self, request)
        return await _INSTALLED[-1].handle_async(scope, module, request, lambda again: original(self, again))

    return handle_async_request
