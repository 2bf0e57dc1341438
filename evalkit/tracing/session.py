"""Tracing while a run goes on: put in place when something could make a span, and undone at its end."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Self

from evalkit.tracing import threads
from evalkit.tracing.imports import when_imported
from evalkit.tracing.orphans import Orphan, Orphans, label, listen, unlisten
from evalkit.tracing.scope import Capture, Scope, is_disabled

WATCHED = ("opentelemetry.trace", "httpx", "httpx2")
"""A session in which none of these is ever imported has nothing to trace, and pays nothing."""

DISABLED = "OTEL_SDK_DISABLED=true switches OpenTelemetry off, and evalkit's traces with it; tokens are still counted."


class Session:
    """What is traced between `begin` and `end`.

    `is_active` says that every trial is traced from its beginning. Before that, the first span of a trial begins its
    trace, which then starts where the trial did.
    """

    def __init__(self, *, run_id: str = "", capture: Capture = "content") -> None:
        self.run_id = run_id
        self.capture = capture
        self.is_active = False
        self.notes: list[str] = []
        self._orphans = Orphans()
        self._warned: dict[str, list[str]] = {}
        self._undo = contextlib.ExitStack()

    def begin(self) -> Self:
        """Watch for something that could make spans."""
        listen(self._orphans)
        _SESSIONS.append(self)
        for name in WATCHED:
            self._undo.callback(when_imported(name, self.activate))
        return self

    def activate(self) -> None:
        """Trace every trial that begins from now on; does nothing when it is so already."""
        if self.is_active:
            return
        self.is_active = True
        self._undo.callback(threads.install())
        if self.capture == "off":
            return
        if is_disabled():
            self.note(DISABLED)
            return
        from evalkit.tracing import standin

        self._undo.callback(standin.install())

    def scope(self, *, case_id: str, number: int = 1, suite: str = "") -> Scope:
        """A new trial, with its root span where trials are traced."""
        scope = Scope(
            case_id=case_id,
            number=number,
            suite=suite,
            run_id=self.run_id,
            capture=self.capture,
            heard=self._heard,
        )
        if self.is_active:
            scope.trace()
        return scope

    def note(self, text: str) -> None:
        """Say something that concerns the whole session, once."""
        if text not in self.notes:
            self.notes.append(text)

    @property
    def orphans(self) -> tuple[Orphan, ...]:
        """Spans that belong to no trial, at most `orphans.LARGEST` of them."""
        return tuple(self._orphans.kept)

    def end(self) -> None:
        """Undo everything, and say what has to be said."""
        if self not in _SESSIONS:
            return
        _SESSIONS.remove(self)
        unlisten(self._orphans)
        self._undo.close()
        self.notes.extend(_told(text, trials) for text, trials in self._warned.items())
        sentence = self._orphans.sentence()
        if sentence is not None:
            self.notes.append(sentence)

    def _heard(self, scope: Scope, text: str) -> None:
        self._warned.setdefault(text, []).append(label(scope))

    def __enter__(self) -> Self:
        return self.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.end()


def _told(text: str, trials: list[str]) -> str:
    more = f" and {len(trials) - 1} more" if len(trials) > 1 else ""
    return f"{text} (in {trials[0]}{more})"


_SESSIONS: list[Session] = []


def running() -> Session | None:
    """The session that began last and goes on."""
    return _SESSIONS[-1] if _SESSIONS else None
