"""One trial in flight, and how whatever happens inside it finds out which one it is in."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Literal

from evalkit.usage import Usage
from evalkit.versions import Version

if TYPE_CHECKING:
    from evalkit.spans import Trace
    from evalkit.tracing.tree import Tree

Capture = Literal["content", "metadata", "off"]
"""What is kept of a call: everything, all but what people wrote, or no span at all."""

_CURRENT: ContextVar[Scope | None] = ContextVar("evalkit_scope", default=None)
_SCORER: ContextVar[str | None] = ContextVar("evalkit_scorer", default=None)

BY_TRACE: dict[int, Scope] = {}
"""The trials in flight by the number of their trace; empty where nothing is traced."""


class Scope:
    """One trial in flight: which it is, and what has come together in it so far.

    `suite` is the name of its suite. `run_id` is that of its run, empty where nobody said. `capture` says what spans
    may hold; `off` means that there are none. Everything may be called from any thread.
    """

    __slots__ = (
        "__weakref__",
        "_heard",
        "_lock",
        "_usages",
        "_versions",
        "capture",
        "case_id",
        "missed",
        "number",
        "run_id",
        "start_ns",
        "suite",
        "tree",
        "warnings",
    )

    def __init__(
        self,
        *,
        case_id: str,
        number: int = 1,
        suite: str = "",
        run_id: str = "",
        capture: Capture = "content",
        heard: Callable[[Scope, str], None] | None = None,
    ) -> None:
        self.case_id = case_id
        self.number = number
        self.suite = suite
        self.run_id = run_id
        self.capture = capture
        self.start_ns = time.time_ns()
        self.tree: Tree | None = None
        """The spans, `None` as long as there are none."""
        self.warnings: list[str] = []
        self.missed: dict[str | None, list[str]] = {}
        """What replay was asked for and did not have, in words, by the scorer that asked; `None` is the function."""
        self._versions: dict[tuple[str, str, str], Version] = {}
        self._usages: list[tuple[str | None, Usage]] = []
        self._lock = threading.Lock()
        self._heard = heard

    def __repr__(self) -> str:
        return f"Scope({self.suite!r}, case {self.case_id!r}, trial {self.number})"

    @property
    def trace_id(self) -> str | None:
        """32 lower-case hex digits, or `None` where the trial is not traced."""
        return None if self.tree is None else self.tree.trace_id

    def use(self, version: Version) -> None:
        """Take note that a prompt or a model is used in this trial."""
        self._versions[version.kind, version.name, version.digest] = version

    @property
    def versions(self) -> tuple[Version, ...]:
        """The prompts and models used so far, each once, in the order of their first use."""
        return tuple(self._versions.values())

    def warn(self, text: str) -> None:
        """Keep a sentence that whoever reads the run should see; the same one is kept once."""
        with self._lock:
            if text in self.warnings:
                return
            self.warnings.append(text)
        if self._heard is not None:
            self._heard(self, text)

    def miss(self, text: str) -> None:
        """Take note that replay had no answer to something asked."""
        with self._lock:
            self.missed.setdefault(scoring(), []).append(text)

    def spent(self, usage: Usage, *, scorer: str | None) -> None:
        """Count what a call to a model used, where no span holds it; `scorer` is who made the call."""
        with self._lock:
            self._usages.append((scorer, usage))

    @property
    def usages(self) -> tuple[tuple[str | None, Usage], ...]:
        """What was counted by `spent`: the scorer, `None` for the function under test, and what its call used."""
        return tuple(self._usages)

    def trace(self) -> Tree | None:
        """The spans, which begin now where there were none; `None` where nothing is to be traced."""
        if self.tree is None and self.capture != "off":
            from evalkit.tracing.tree import Tree

            with self._lock:
                if self.tree is None:
                    self.tree = Tree.begin(self)
        return self.tree

    def end(self, *, error: str | None = None) -> Trace | None:
        """End the trial's root span, with `error` where the trial went wrong, and return what happened in the trial.

        What is still open is shown as not finished. `None` where nothing was traced. Asked again, it gives the same.
        """
        return None if self.tree is None else self.tree.end(error)

    def close(self) -> None:
        """Forget the trial: what still happens in its name is no part of it, and shown as such."""
        if self.tree is not None:
            self.tree.close()


def current() -> Scope | None:
    """The trial that this code runs in, `None` outside of all.

    It is found by OpenTelemetry's trace, which also reaches a server in the same process, and else by context, which
    tasks inherit and evalkit carries into threads.
    """
    if BY_TRACE:
        trace = sys.modules.get("opentelemetry.trace")
        if trace is not None:
            found = BY_TRACE.get(trace.get_current_span().get_span_context().trace_id)
            if found is not None:
                return found
    return _CURRENT.get()


def is_disabled() -> bool:
    """Whether `OTEL_SDK_DISABLED` switches OpenTelemetry off, and us with it."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def inherited() -> Scope | None:
    """The trial that this context was made in, whatever OpenTelemetry's trace says."""
    return _CURRENT.get()


def entered_scorer(name: str) -> Token[str | None]:
    """From now on, in this context, calls are the scorer's own; see `left_scorer`."""
    return _SCORER.set(name)


def left_scorer(token: Token[str | None]) -> None:
    """Calls are again whose they were before."""
    _SCORER.reset(token)


def scoring() -> str | None:
    """The name of the scorer that this code runs in, `None` outside of all."""
    return _SCORER.get()


class attached:  # noqa: N801 - used as a function is
    """Within the block, `current()` is `scope`, and new spans are inside its root; `None` is outside of all trials."""

    __slots__ = ("_scope", "_spans", "_token")

    def __init__(self, scope: Scope | None) -> None:
        self._scope = scope
        self._spans: contextlib.AbstractContextManager[None] | None = None

    def __enter__(self) -> None:
        scope = self._scope
        self._token = _CURRENT.set(scope)
        if scope is not None:
            if scope.tree is not None:
                self._spans = scope.tree.attached()
        elif "opentelemetry.trace" in sys.modules:
            from evalkit.tracing.tree import detached

            self._spans = detached()
        if self._spans is not None:
            self._spans.__enter__()

    def __exit__(self, *error: Any) -> None:
        if self._spans is not None:
            self._spans.__exit__(*error)
        _CURRENT.reset(self._token)


@contextlib.contextmanager
def inherit(scope: Scope, scorer: str | None) -> Iterator[None]:
    """Within the block, in another thread, it is the same trial and the same scorer."""
    tokens = _CURRENT.set(scope), _SCORER.set(scorer)
    try:
        yield
    finally:
        _CURRENT.reset(tokens[0])
        _SCORER.reset(tokens[1])
