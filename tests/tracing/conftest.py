"""What the tests of traces share: a session, a trial in it, and calls that nobody answers over any network."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import opentelemetry.sdk.trace  # noqa: F401 - pytester forgets what an inner session imports first
import pytest

import evalkit.tracing.tree  # noqa: F401 - as above
import pytest_evalkit.evals  # noqa: F401 - as above
from evalkit.spans import Span, Trace
from evalkit.tracing import Scope, Session, attached, describe_request, describe_response, start_call
from evalkit.tracing.call import CallResult

URL = "http://localhost:1/v1/chat/completions"


@pytest.fixture
def session() -> Iterator[Session]:
    """A session that traces from its first trial on."""
    with Session(run_id="run-1") as begun:
        begun.activate()
        yield begun


@pytest.fixture
def scope(session: Session) -> Iterator[Scope]:
    """A trial that the test itself runs in."""
    made = session.scope(case_id="c1", suite="suite")
    with attached(made):
        yield made
    made.close()


@pytest.fixture
def call() -> Callable[..., CallResult]:
    """Makes the span of one chat completion, answered at once: 3 tokens in, 4 out."""
    return answered_call


def answered_call(text: str = "hi", *, model: str = "small", tokens: tuple[int, int] = (3, 4)) -> CallResult:
    request = {"model": model, "messages": [{"role": "user", "content": text}]}
    info = describe_request(URL, json.dumps(request).encode())
    assert info is not None
    answer = {
        "id": "r1",
        "model": f"{model}-2026",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text.upper()}}],
        "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]},
    }
    begun = start_call(info)
    result = describe_response(info, status=200, body=json.dumps(answer))
    begun.finish(result)
    return result


@pytest.fixture
def data() -> Path:
    """The folder of recorded data."""
    folder = Path(os.environ.get("EVALKIT_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the recorded data in {folder} (EVALKIT_DATA)")
    return folder


def names_below(trace: Trace, span: Span) -> list[str]:
    """The names of the children of a span, in the order they started."""
    return [child.name for child in trace.spans if child.parent_id == span.span_id]


def outline(trace: Trace) -> list[tuple[str, str | None]]:
    """Each span's name and that of its parent, in the order they started."""
    by_id = {span.span_id: span.name for span in trace.spans}
    return [(span.name, by_id.get(span.parent_id or "")) for span in trace.spans]
