"""Which trial it is goes along into threads, as it does into tasks.

Only the trial and OpenTelemetry's context go along: other context variables stay where Python leaves them, since what
is under test must not see more in a thread than it does without evalkit.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

from evalkit.tracing import scope as scopes

_BY_POOL: ContextVar[bool] = ContextVar("evalkit_thread_of_a_pool", default=False)
_OTHER_INTERPRETERS: Any = getattr(concurrent.futures, "InterpreterPoolExecutor", ())
"""Pools of Python 3.14 on, into which no object of ours can go."""
_LOCK = threading.Lock()
_installed = 0
_originals: tuple[Any, Any] | None = None


def install() -> Callable[[], None]:
    """Carry trials into threads from now on, and return how to stop; the last to stop puts everything back."""
    global _installed, _originals
    with _LOCK:
        _installed += 1
        if _originals is None:
            _originals = (threading.Thread.start, ThreadPoolExecutor.submit)
            threading.Thread.start = _start(threading.Thread.start)  # type: ignore[method-assign]  # that is the point
            ThreadPoolExecutor.submit = _submit(ThreadPoolExecutor.submit)  # type: ignore[method-assign]  # as above
    return functools.partial(_uninstall, [])


def _uninstall(done: list[bool]) -> None:
    global _installed, _originals
    with _LOCK:
        if done:
            return
        done.append(True)
        _installed -= 1
        if _installed or _originals is None:
            return
        start, submit = _originals
        # Whoever wrapped them after us keeps what they did: ours stays beneath, and carries nothing outside a trial.
        if getattr(threading.Thread.start, "__evalkit__", False):
            threading.Thread.start = start  # type: ignore[method-assign]  # back as it was
        if getattr(ThreadPoolExecutor.submit, "__evalkit__", False):
            ThreadPoolExecutor.submit = submit  # type: ignore[method-assign]  # back as it was
        _originals = None


def _start(original: Callable[[threading.Thread], None]) -> Any:
    @functools.wraps(original)
    def start(self: threading.Thread) -> None:
        # A pool's own threads outlive the trial that made the pool begin them; what they do goes along with `submit`.
        carried = None if _BY_POOL.get() else _carried()
        if carried is not None:
            run = self.run

            def run_there() -> None:
                del self.run  # the instance's, which hid the class's
                with carried():
                    run()

            self.run = run_there  # type: ignore[method-assign]  # for this one thread
        original(self)

    start.__evalkit__ = True  # type: ignore[attr-defined]  # a function takes attributes
    return start


def _submit(original: Any) -> Any:
    @functools.wraps(original)
    def submit(self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        carried = None if isinstance(self, _OTHER_INTERPRETERS) else _carried()
        token = _BY_POOL.set(True)
        try:
            if carried is None:
                return original(self, fn, *args, **kwargs)
            return original(self, _there, carried, fn, *args, **kwargs)
        finally:
            _BY_POOL.reset(token)

    submit.__evalkit__ = True  # type: ignore[attr-defined]  # a function takes attributes
    return submit


def _there(
    carried: Callable[[], contextlib.AbstractContextManager[None]], fn: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> Any:
    with carried():
        return fn(*args, **kwargs)


def _carried() -> Callable[[], contextlib.AbstractContextManager[None]] | None:
    scope = scopes.current()
    if scope is None:
        return None
    module = sys.modules.get("opentelemetry.context") if scopes.BY_TRACE else None
    context = module.get_current() if module is not None else None
    return functools.partial(_as_there, scope, scopes.scoring(), context)


@contextlib.contextmanager
def _as_there(scope: scopes.Scope, scorer: str | None, context: Any) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        stack.enter_context(scopes.inherit(scope, scorer))
        if context is not None:
            from opentelemetry import context as otel

            stack.callback(otel.detach, otel.attach(context))
        yield
