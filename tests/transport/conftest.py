"""Recorded exchanges to work with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from evalkit.canonical import canonical_json
from evalkit.exchange import Exchange, exchange_key

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
