"""Asking a model in each of the ways there are."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from evalkit.models import AsyncModel, Model, budget
from evalkit.testing import serve


class Asking:
    """A model of one kind, whose answers are waited for."""

    def __init__(self, kind):
        self.kind = kind

    def model(self, url, **configuration):
        return self.kind("solver", **{"model": "scripted-1", "base_url": url, **configuration})

    def __call__(self, model, method, *args, **kwargs):
        """What `model.method(...)` gives, awaited where it has to be."""
        if isinstance(model, Model):
            return getattr(model, method)(*args, **kwargs)

        async def main():
            given = getattr(model, method)(*args, **kwargs)
            return await given if inspect.isawaitable(given) else given

        return asyncio.run(main())

    def pieces(self, model, method, *args, **kwargs):
        """The pieces of a stream, and its whole."""
        if isinstance(model, Model):
            stream = getattr(model, method)(*args, stream=True, **kwargs)
            return list(stream), stream.reply

        async def main():
            stream = await getattr(model, method)(*args, stream=True, **kwargs)
            return [piece async for piece in stream], stream.reply

        return asyncio.run(main())


@pytest.fixture(params=["sync", "async"])
def ask(request):
    """How models are asked: by plain functions, and by async ones."""
    return Asking(Model if request.param == "sync" else AsyncModel)


@pytest.fixture(params=["chat", "responses"])
def interface(request):
    """Which API."""
    return request.param


@pytest.fixture
def provider():
    """Starts scripted providers, and stops them."""
    servers = []

    def start(*args, **kwargs):
        servers.append(serve(*args, **kwargs))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def in_a_hurry(monkeypatch):
    """Pauses between attempts are short, and their growth is kept."""
    for kind in budget._FIRST:
        monkeypatch.setitem(budget._FIRST, kind, 0.01)
