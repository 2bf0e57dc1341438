"""A judge's model that says what the test tells it to, on a server of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from evalkit.case import Case
from evalkit.models import Model
from evalkit.runner import Inline, Job, run_job
from evalkit.score import Score, Scorer
from evalkit.testing import Script, Server, serve

CASE = Case(
    id="one",
    input={"question": "How long may I return it?", "context": "Returns are taken within 30 days."},
    expected="30 days",
    metadata={
        "source": "A long text.",
        "schema": "CREATE TABLE t (a int)",
        "tools": ["look_up(order)"],
        "plan": "1. look up 2. answer",
        "trajectory": ["look_up(7)", "answer"],
        "role": "a clerk",
        "conversation": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
    },
)


@pytest.fixture
def scripted() -> Iterator[Callable[[Script], tuple[Model, Server]]]:
    """A model and the server behind it, for a script."""
    servers: list[Server] = []

    def make(script: Script) -> tuple[Model, Server]:
        server = serve(script)
        servers.append(server)
        model = Model("judge", model="scripted-judge", base_url=server.url, attempts=2, timeout=5)
        return model, server

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def score_of() -> Callable[..., Score]:
    """The score that a scorer gives to an output of a case, through the runner."""

    def score(scorer: Scorer, output: Any = "You have 30 days.", case: Case = CASE) -> Score:
        job = Job(case=case, number=1, body=lambda: output, is_async=False, scorers=(scorer,))
        (found,) = asyncio.run(run_job(job, Inline())).trial.scores
        return found

    return score
