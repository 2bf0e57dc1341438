"""What a model is asked and what comes back, sync and async, through the real client."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from pydantic import BaseModel, Field

from evalkit.canonical import canonical_json
from evalkit.errors import AnswerInvalid, ConfigError
from evalkit.testing import Answer, ToolCall


class Rendered:
    """What a prompt renders to."""

    def __init__(self, **said):
        self.messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hello"}]
        self.__dict__.update(said)


def test_an_answer_is_its_text_with_what_came_along(ask, interface, provider):
    server = provider(Answer(text="Paris.", input_tokens=12, output_tokens=2, cached_tokens=8, model="scripted-1-0815"))
    reply = ask(ask.model(server.url), interface, "The capital of France?")
    assert reply == "Paris."
    assert isinstance(reply, str)
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.cached_tokens) == (12, 2, 8)
    assert (reply.model, reply.finish_reason, reply.attempts) == ("scripted-1-0815", "stop", 1)
    assert reply.tool_calls == ()
    assert reply.message == {"role": "assistant", "content": "Paris."}
    if interface == "chat":
        assert reply.system_fingerprint == "fp_scripted"


def test_an_answer_can_be_kept_copied_and_sent(ask, provider):
    reply = ask(ask.model(provider("Paris.").url), "chat", "?")
    assert canonical_json({"said": reply}) == b'{"said":"Paris."}'
    for again in (copy.deepcopy(reply), pickle.loads(pickle.dumps(reply))):
        assert (again, again.usage, again.model, again.raw) == (reply, reply.usage, reply.model, dict(reply.raw))
    assert reply.__evalkit_output__() == "Paris."
    assert type(reply.__evalkit_output__()) is str


def test_what_is_sent_is_the_configuration_the_prompt_and_the_call(ask, provider):
    server = provider("x")
    model = ask.model(server.url, parameters={"temperature": 0, "top_p": 0.5, "seed": 7, "top_k": 3})
    ask(model, "chat", Rendered(settings={"temperature": 0.2, "top_p": None}), seed=8)
    body = server.calls[-1].body
    assert body == {
        "model": "scripted-1",
        "messages": Rendered().messages,
        "temperature": 0.2,
        "seed": 8,
        "top_k": 3,
    }


def test_a_text_is_the_users_one_message(ask, interface, provider):
    server = provider("x")
    ask(ask.model(server.url), interface, "Hello")
    body = server.calls[-1].body
    sent = body["messages"] if interface == "chat" else body["input"]
    assert sent == ([{"role": "user", "content": "Hello"}] if interface == "chat" else "Hello")


def test_the_prompts_response_format_comes_before_the_models(ask, provider):
    server = provider('{"a": 1}')
    model = ask.model(server.url, response_format={"type": "json_object"})
    ask(model, "chat", "x")
    ask(model, "chat", Rendered(response_format={"type": "text"}))
    assert [call.body["response_format"]["type"] for call in server.calls] == ["json_object", "text"]


@pytest.mark.parametrize("messages", [7, {"role": "user"}, ["Hello"], None])
def test_what_is_no_message_is_a_type_error(ask, messages):
    with pytest.raises(TypeError, match="message"):
        ask(ask.model("http://127.0.0.1:9/v1"), "chat", messages)


@pytest.mark.parametrize("name", ["n", "extra_body", "input"])
def test_what_is_no_parameter_is_refused(ask, name):
    with pytest.raises(ConfigError, match=f"`{name}` cannot be given"):
        ask(ask.model("http://127.0.0.1:9/v1"), "chat", "x", **{name: 1})


WEATHER = {
    "name": "weather",
    "description": "…",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def test_tools_are_offered_and_their_calls_come_back(ask, interface, provider):
    server = provider(Answer(tool_calls=(ToolCall(name="weather", arguments={"city": "Paris"}, id="c1"),)))
    reply = ask(ask.model(server.url), interface, "Weather?", tools=[{"type": "function", "function": WEATHER}])
    offered = server.calls[-1].body["tools"]
    assert offered == (
        [{"type": "function", "function": WEATHER}] if interface == "chat" else [{"type": "function", **WEATHER}]
    )
    (call,) = reply.tool_calls
    assert (call.name, call.args, call.id) == ("weather", {"city": "Paris"}, "c1")
    assert reply == ""
    assert reply.finish_reason == "tool_calls"


def test_what_is_recorded_of_tool_calls_is_what_scorers_of_them_read(ask, interface, provider):
    from evalkit_scorers.tool_calls import tool_calls_of

    server = provider(Answer(tool_calls=(ToolCall(name="weather", arguments={"city": "Paris"}),)))
    recorded = ask(ask.model(server.url), interface, "Weather?").__evalkit_output__()
    json.dumps(recorded)
    (call,) = tool_calls_of(recorded)
    assert (call.name, call.arguments) == ("weather", {"city": "Paris"})


class Place(BaseModel):
    """A place."""

    name: str
    country: str = "unknown"


class Trip(BaseModel):
    """A trip, with everything that strict mode is particular about."""

    start: Place = Field(description="Where it begins.")
    stops: list[Place] = []
    days: int | None = None


def test_a_schema_gives_an_instance(ask, interface, provider):
    server = provider(Answer(text={"start": {"name": "Paris", "country": "France"}, "stops": [], "days": 3}))
    trip = ask(ask.model(server.url), interface, "Plan!", schema=Trip)
    assert trip == Trip(start=Place(name="Paris", country="France"), days=3)
    body = server.calls[-1].body
    form = body["response_format"]["json_schema"] if interface == "chat" else body["text"]["format"]
    assert (form["name"], form["strict"]) == ("Trip", True)

    def objects(node):
        if isinstance(node, dict):
            if node.get("type") == "object":
                yield node
            for value in node.values():
                yield from objects(value)

    found = list(objects(form["schema"]))
    assert len(found) >= 2
    for one in found:
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])
    assert '"default"' not in json.dumps(form)
    assert "$ref" not in form["schema"]["properties"]["start"]  # which has a description beside it


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(text="Paris, I think"), "Invalid JSON"),
        (Answer(text={"start": {"name": 7}, "stops": []}), "start.name: Input should be a valid string"),
        (Answer(text='{"start": {"na', finish_reason="length"), "cut off"),
        (Answer(refusal="I cannot do that."), "it refused"),
        (Answer(tool_calls=(ToolCall(name="weather"),)), "asked for the tool weather"),
    ],
)
def test_an_answer_that_is_no_instance_is_one_clear_error(ask, interface, provider, answer, says):
    server = provider(answer)
    with pytest.raises(AnswerInvalid) as caught:
        ask(ask.model(server.url), interface, "Plan!", schema=Trip)
    assert says in str(caught.value)
    assert "gave no Trip" in str(caught.value)
    assert caught.value.model == "scripted-1"
    assert len(server.calls) == 1


def test_a_refusal_is_an_answer_where_a_text_is_asked_for(ask, interface, provider):
    reply = ask(ask.model(provider(Answer(refusal="I cannot do that.")).url), interface, "?")
    assert reply == reply.refusal == "I cannot do that."


def test_a_schema_that_is_none_is_refused(ask, provider):
    with pytest.raises(ConfigError, match="pydantic model"):
        ask(ask.model("http://127.0.0.1:9/v1"), "chat", "x", schema=dict)


def test_a_stream_is_pieces_and_then_the_same_answer(ask, interface, provider):
    server = provider(Answer(text="one two three", input_tokens=4, output_tokens=3))
    pieces, reply = ask.pieces(ask.model(server.url), interface, "Count!")
    assert len(pieces) > 1
    assert "".join(pieces) == reply == "one two three"
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.finish_reason) == (4, 3, "stop")


def test_a_stream_of_tool_calls_has_them_in_its_reply(ask, interface, provider):
    server = provider(Answer(tool_calls=(ToolCall(name="a", arguments={"x": 1}), ToolCall(name="b", arguments={}))))
    pieces, reply = ask.pieces(ask.model(server.url), interface, "Go!")
    assert "".join(pieces) == ""
    assert [(call.name, call.args) for call in reply.tool_calls] == [("a", {"x": 1}), ("b", {})]


def test_a_stream_has_no_answer_before_its_end(provider):
    from evalkit.models import Model

    stream = Model("m", base_url=provider("one two").url).chat("x", stream=True)
    next(stream)
    with pytest.raises(RuntimeError, match="has not ended"):
        _ = stream.reply
    assert stream.text() == "one two"


def test_an_instance_comes_in_one_piece(ask):
    with pytest.raises(TypeError, match="not both"):
        ask(ask.model("http://127.0.0.1:9/v1"), "chat", "x", schema=Trip, stream=True)


def test_texts_become_vectors_in_their_order(ask, provider):
    model = ask.model(provider("").url)
    one = ask(model, "embed", "a")
    several = ask(model, "embed", ["b", "a"])
    assert all(isinstance(number, float) for number in one)
    assert [len(vector) for vector in several] == [len(one)] * 2
    assert several[1] == one


def test_a_key_goes_to_its_provider_and_nowhere_else(ask, provider, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "the-key-of-openai")
    monkeypatch.setenv("ACME_KEY", "the-key-of-acme")
    server = provider("x")
    ask(ask.model(server.url), "chat", "x")
    ask(ask.model(server.url, api_key={"env": "ACME_KEY"}), "chat", "x")
    sent = [call.headers["authorization"] for call in server.calls]
    assert "the-key-of-openai" not in sent[0]
    assert sent[1] == "Bearer the-key-of-acme"


def test_a_key_that_was_changed_is_used_from_then_on(ask, provider, monkeypatch):
    server = provider("x")
    model = ask.model(server.url, api_key={"env": "ACME_KEY"})
    for key in ("first", "second"):
        monkeypatch.setenv("ACME_KEY", key)
        ask(model, "chat", "x")
    assert [call.headers["authorization"] for call in server.calls] == ["Bearer first", "Bearer second"]
