"""Recorded exchanges, sessions and trials to work with, without a runner around them."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evalkit.canonical import canonical_json
from evalkit.exchange import Exchange, exchange_key
from evalkit.limits import Limiter
from evalkit.prices import Prices
from evalkit.spans import Span, Trace
from evalkit.testing import Server, serve
from evalkit.tracing import Scope, attached
from evalkit.transport.cache import Cache
from evalkit.transport.folder import Folder
from evalkit.transport.handlers import Traffic
from evalkit.transport.wrap import install, uninstall

with contextlib.suppress(ImportError):  # at once: openai 3 fails where a stream is closed while httpx is imported
    import httpx  # noqa: F401

NOW = dt.datetime(2026, 11, 1, 12, 0, tzinfo=dt.UTC)
URL = "https://api.example.com/v1/chat/completions"


def _exchange(
    question: str = "2+2?", *, body: str = '{"answer":4}', trial: int = 1, occurrence: int = 1, **fields: Any
) -> Exchange:
    request = canonical_json({"messages": [{"content": question, "role": "user"}], "model": "scripted-a"}).decode()
    given: dict[str, Any] = {
        "method": "POST",
        "url": URL,
        "request": request,
        "content_type": "application/json",
        "recorded_at": NOW,
        "model": "scripted-a",
        "suite": "sums",
        "case_id": "c1",
        **fields,
    }
    key = exchange_key(
        method=given["method"], url=given["url"], request=given["request"], trial=trial, occurrence=occurrence
    )
    return Exchange(key=key, trial=trial, occurrence=occurrence, body=body, **given)


@pytest.fixture(scope="session")
def make_exchange() -> Callable[..., Exchange]:
    """Builds the record of one call to a model; its key follows from the rest."""
    return _exchange


class Session:
    """What a session does with its calls, without a session: its trials are opened by hand."""

    def __init__(self, folder: Path, mode: str, redact: Callable[[str], str]) -> None:
        self.cache = Cache(Folder(folder), mode="replay" if mode == "off" else mode, redact=redact)  # type: ignore[arg-type]  # a mode by the name that a test gives it
        self.traffic = Traffic(cache=None if mode == "off" else self.cache, limiter=Limiter(), prices=Prices())
        self.scopes: list[Scope] = []
        self.traces: list[Trace] = []

    @contextlib.contextmanager
    def trial(self, case_id: str = "c1", number: int = 1) -> Iterator[Scope]:
        scope = Scope(case_id=case_id, number=number, suite="sums")
        self.scopes.append(scope)
        try:
            with attached(scope):
                yield scope
        finally:
            trace = scope.end()
            if trace is not None:
                self.traces.append(trace)
            scope.close()

    @property
    def calls(self) -> list[Span]:
        """The spans of calls, in the order they began."""
        return [span for trace in self.traces for span in trace.spans if span.kind in ("llm", "embedding", "http")]

    def kept(self) -> list[Exchange]:
        """What is on disk now, what was recorded since included."""
        shelf = self.cache.shelf
        shelf.put(self.cache.take())
        shelf.flush()
        assert isinstance(shelf, Folder)
        return sorted(shelf.all(), key=lambda one: (one.case_id, one.trial, one.request, one.occurrence))


@pytest.fixture
def cassettes(tmp_path: Path) -> Path:
    """The folder of the cassettes."""
    return tmp_path / "cassettes"


@pytest.fixture
def session(cassettes: Path) -> Callable[..., contextlib.AbstractContextManager[Session]]:
    """Begins a session: `with session("read-write") as running: with running.trial(): …`."""

    @contextlib.contextmanager
    def begin(mode: str = "off", *, redact: Callable[[str], str] = str) -> Iterator[Session]:
        running = Session(cassettes, mode, redact)
        install(running.traffic)
        try:
            yield running
            running.kept()
        finally:
            uninstall(running.traffic)

    return begin


@pytest.fixture
def server() -> Iterator[Server]:
    """A provider on this machine that says back what it was told."""
    with serve(lambda call: f"you said {call.text}") as running:
        yield running


@pytest.fixture(params=["httpx", "httpx2"])
def http(request: pytest.FixtureRequest) -> Any:
    """httpx, then httpx2."""
    return pytest.importorskip(request.param)
