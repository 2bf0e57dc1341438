"""The clients that calls go through: made when they are needed, shared, and closed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap

import httpx2
import openai
import pytest

from evalkit.models import AsyncModel, Model, Spec
from evalkit.models.clients import Clients, async_client, sync_client, through_aiohttp
from evalkit.models.faults import fault_of
from evalkit.testing import reset


def python(code, *flags):
    """What a new Python says to `code`."""
    done = subprocess.run([sys.executable, *flags, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr.strip()


def test_nothing_heavy_is_imported_before_a_model_is_asked():
    said, _ = python("""
        import sys
        import evalkit.models, evalkit.limits, evalkit.prices
        print(sorted({"openai", "httpx", "httpx2", "pydantic", "genai_prices", "yaml", "opentelemetry"} & set(sys.modules)))
    """)
    assert said == "[]"


def test_nothing_is_left_open_at_the_end(provider):
    _, complaints = python(
        f"""
        import asyncio, gc
        from evalkit.models import Model
        model = Model("m", base_url={provider("x").url!r})
        async def main():
            await asyncio.gather(*[model.to_async().chat("x") for _ in range(20)])
        asyncio.run(main())
        asyncio.run(main())
        assert model.chat("x") == "x"
        gc.collect()
        """,
        "-X",
        "dev",
        "-W",
        "error",
    )
    assert "ResourceWarning" not in complaints
    assert "unclosed" not in complaints


def test_a_client_is_made_for_each_two_calls_and_used_again():
    made = []

    def make():
        made.append(object())
        return made[-1]

    clients = Clients(make)
    for _ in range(3):
        with clients.one() as client:
            assert client is made[0]
    open_ones = [clients.one() for _ in range(17)]
    for one in open_ones:
        one.__enter__()
    assert len(made) == 9
    for one in open_ones:
        one.__exit__(None, None, None)
    assert clients._busy == [0] * 9


def test_models_of_one_provider_share_their_clients():
    one, other = (Spec(name=name, model=name, base_url="http://127.0.0.1:9/v1") for name in ("a", "b"))
    with sync_client(one) as client:
        first = client
    with sync_client(other) as client:
        assert client is first
    with sync_client(Spec(name="c", model="c", base_url="http://127.0.0.1:10/v1")) as client:
        assert client is not first


def test_each_event_loop_has_its_own_client_and_closes_it():
    spec = Spec(name="a", model="a", base_url="http://127.0.0.1:9/v1")

    async def main():
        async with async_client(spec) as client:
            assert not client.is_closed()
        async with async_client(spec) as again:
            assert again is client
        return client

    first, second = asyncio.run(main()), asyncio.run(main())
    assert first is not second
    assert first.is_closed()
    assert second.is_closed()


def test_the_client_retries_nothing_by_itself():
    with sync_client(Spec(name="a", model="a", base_url="http://127.0.0.1:9/v1")) as client:
        assert client.max_retries == 0


@pytest.mark.parametrize("kind", [Model, AsyncModel])
def test_a_model_may_be_asked_from_several_loops_and_threads(provider, kind):
    import threading

    model, said = kind("m", base_url=provider("x").url), []

    def work():
        said.append(model.chat("?") if kind is Model else asyncio.run(model.chat("?")))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == ["x"] * 8


@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:9"])
def test_clients_speak_through_aiohttp_unless_there_is_a_proxy(monkeypatch, proxy):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    if proxy is not None:
        monkeypatch.setenv("https_proxy", proxy)
    through_aiohttp.cache_clear()
    try:
        found = through_aiohttp()
    finally:
        through_aiohttp.cache_clear()
    assert found is (None if proxy else openai.DefaultAioHttpClient)


def test_without_the_bridge_clients_speak_as_openai_does_by_default(monkeypatch):
    class Missing(httpx2.AsyncClient):
        """What openai has in the place of the bridge, where that is missing."""

    monkeypatch.setattr(openai, "DefaultAioHttpClient", Missing)
    through_aiohttp.cache_clear()
    try:
        assert through_aiohttp() is None
    finally:
        through_aiohttp.cache_clear()


def test_a_connection_that_was_reset_is_no_timeout(provider):
    async def ask():
        async with async_client(AsyncModel("m", base_url=provider(reset()).url).spec) as client:
            await client.chat.completions.create(model="m", messages=[])

    with pytest.raises(openai.APIConnectionError) as caught:
        asyncio.run(ask())
    fault = fault_of(caught.value)
    assert fault.kind == "connection"
    assert "timeout" not in fault.said.lower()
