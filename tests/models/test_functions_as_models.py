"""A Python function as a model: a version that the user gives, asked like any other."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import BaseModel

import evalkit as ek
from evalkit.errors import ConfigError
from evalkit.models import AsyncCallableModel, CallableModel, Reply


class Answer(BaseModel):
    """What is asked for."""

    n: int


def shout(messages, loud=True):
    said = messages[-1]["content"]
    return said.upper() if loud else said


async def shout_later(messages, loud=True):
    await asyncio.sleep(0)
    return shout(messages, loud)


@pytest.mark.parametrize("function", [shout, shout_later])
def test_it_answers_both_kinds_of_bodies(function):
    model = ek.callable_model("shouter", function, version="3")
    assert isinstance(model, CallableModel)
    assert model.chat("hey") == "HEY"
    assert isinstance(model.chat("hey"), Reply)
    assert model.chat([{"role": "user", "content": "hey"}], loud=False) == "hey"
    other = model.to_async()
    assert isinstance(other, AsyncCallableModel)
    assert asyncio.run(other.chat("hey")) == "HEY"
    assert asyncio.run(other([{"content": "hey"}])) == "HEY"
    assert other.to_sync().version == model.version


def test_its_version_is_the_one_that_was_given():
    one, same, other = (ek.callable_model("m", shout, version=version) for version in ("1", "1", "2"))
    assert one.version.digest == same.version.digest != other.version.digest
    assert dict(one.version.body) == {"callable": True, "version": "1"}
    assert one.version.kind == "model"
    assert repr(other) == "CallableModel('m', version='2')"
    one.check()


@pytest.mark.parametrize("given", [{"n": 3}, '{"n": 3}', Answer(n=3)])
def test_what_it_returns_is_validated_where_a_schema_is_given(given):
    model = ek.callable_model("m", lambda messages: given, version="1")
    assert model.chat("x", schema=Answer) == Answer(n=3)
    assert asyncio.run(model.to_async().chat("x", schema=Answer)) == Answer(n=3)


def test_a_plain_function_does_not_hold_up_the_loop():
    import threading

    async def main():
        arrived = threading.Barrier(2, timeout=5)
        model = ek.callable_model("m", lambda messages: str(arrived.wait()), version="1").to_async()
        return await asyncio.gather(model.chat("a"), model.chat("b"))

    assert sorted(asyncio.run(main())) == ["0", "1"]


@pytest.mark.parametrize(
    ("name", "function", "version", "says"),
    [
        ("", shout, "1", "no name"),
        ("a/b", shout, "1", "no name"),
        ("m", "shout", "1", "cannot be called"),
        ("m", shout, 3, "not a text"),
        ("m", shout, " ", "not a text"),
    ],
)
def test_what_makes_no_model_is_refused(name, function, version, says):
    with pytest.raises(ConfigError, match=says):
        ek.callable_model(name, function, version=version)
