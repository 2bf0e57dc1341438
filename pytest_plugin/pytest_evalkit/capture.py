"""Which body wrote what: output and log records of bodies in flight, kept apart by context."""

from __future__ import annotations

import logging
import sys
from contextvars import Context, ContextVar

import pytest

from pytest_evalkit import internals

_current: ContextVar[Sink | None] = ContextVar("evalkit_sink", default=None)


class Sink:
    """What one body wrote to stdout and stderr, and what it logged."""

    __slots__ = ("err", "handler", "out", "records")

    def __init__(self) -> None:
        self.out: list[str] = []
        self.err: list[str] = []
        self.records: list[logging.LogRecord] = []
        self.handler: logging.Handler | None = None

    def within(self, context: Context) -> Context:
        """`context`, in which from now on all that is written goes here."""
        context.run(_current.set, self)
        return context


class _RootHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        sink = _current.get()
        if sink is not None:
            sink.records.append(record)
            if sink.handler is not None:
                sink.handler.handle(record)


def _outside_bodies(_: logging.LogRecord) -> bool:
    return _current.get() is None


class Capture:
    """Sees to it, between `open` and `close`, that a body's output and logs end up on its own item.

    It is about Python's `sys.stdout`, `sys.stderr` and `logging`: what a subprocess or a C library writes goes to
    whichever item is being reported. With `-s` output goes straight to the terminal, as one expects.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._handler = _RootHandler()
        self._level: int | None = None
        self._diverted = False
        self._is_open = False

    def open(self) -> None:
        """Begin keeping things apart; does nothing when it has begun already."""
        if self._is_open:
            return
        self._is_open = True
        if not self._diverted:
            internals.divert_streams(self._config, _to_out, _to_err)
            for handler in internals.item_handlers(self._config):
                handler.addFilter(_outside_bodies)
            self._diverted = True
        root = logging.getLogger()
        root.addHandler(self._handler)
        plugin = internals.logging_plugin(self._config)
        if plugin is not None and plugin.log_level is not None:
            self._level = root.level
            root.setLevel(min(root.level, plugin.log_level))

    def close(self) -> None:
        """Stop collecting log records; what is written outside of bodies was never touched."""
        self._is_open = False
        root = logging.getLogger()
        root.removeHandler(self._handler)
        if self._level is not None:
            root.setLevel(self._level)
            self._level = None

    def prepare(self, item: pytest.Function, sink: Sink) -> None:
        """Let the `caplog` fixture, where the item uses it, see what its own body logs."""
        if "caplog" in item.fixturenames:
            from _pytest.logging import LogCaptureHandler

            sink.handler = LogCaptureHandler()
            internals.give_caplog(item, sink.handler)

    def replay(self, sink: Sink) -> None:
        """Write and log again what the body did, now that pytest is listening for this item alone."""
        if sink.out:
            sys.stdout.write("".join(sink.out))
        if sink.err:
            sys.stderr.write("".join(sink.err))
        if sink.records:
            for handler in internals.item_handlers(self._config):
                for record in sink.records:
                    handler.handle(record)


def _to_out(text: str) -> bool:
    sink = _current.get()
    if sink is None:
        return False
    sink.out.append(text)
    return True


def _to_err(text: str) -> bool:
    sink = _current.get()
    if sink is None:
        return False
    sink.err.append(text)
    return True
