"""The server of evalkit.testing says what its script says, through the real client."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from evalkit.testing import (
    Answer,
    Call,
    Faults,
    Server,
    ToolCall,
    error_in_200,
    failing,
    garbage,
    hanging,
    rate_limited,
    reset,
    serve,
    truncated,
)

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}]


@pytest.fixture
def client_of() -> Iterator[Any]:
    clients: list[openai.OpenAI] = []

    def make(server: Server, **options: Any) -> openai.OpenAI:
        client = openai.OpenAI(base_url=server.url, api_key="none", max_retries=0, **options)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


def ask(client: openai.OpenAI, **options: Any) -> Any:
    return client.chat.completions.create(model="scripted-1", messages=QUESTION, **options)


def test_a_text_is_the_answer_to_everything(client_of) -> None:
    with serve("Paris.") as server:
        reply = ask(client_of(server))
        assert reply.choices[0].message.content == "Paris."
        assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (7, 2)
        assert server.calls[0].text == QUESTION[0]["content"]


def test_answers_of_a_list_come_in_turn_and_the_last_is_repeated(client_of) -> None:
    with serve(["one", "two"]) as server:
        client = client_of(server)
        assert [ask(client).choices[0].message.content for _ in range(3)] == ["one", "two", "two"]


def test_a_function_sees_the_call_and_may_be_async(client_of) -> None:
    async def shout(call: Call) -> Answer:
        await asyncio.sleep(0)
        return Answer(text=call.text.upper(), model=f"{call.model}-2026", input_tokens=100, output_tokens=3)

    with serve(shout) as server:
        reply = ask(client_of(server))
    assert reply.choices[0].message.content == "WHAT IS THE CAPITAL OF FRANCE?"
    assert (reply.model, reply.usage.prompt_tokens, reply.usage.completion_tokens) == ("scripted-1-2026", 100, 3)


def test_a_mistake_in_the_script_reaches_the_test(client_of) -> None:
    with serve(lambda call: call.nothing) as server, pytest.raises(openai.BadRequestError, match="AttributeError"):
        ask(client_of(server))
    with serve(lambda call: 3) as server, pytest.raises(openai.BadRequestError, match="not int"):
        ask(client_of(server))


def test_a_stream_comes_in_pieces_and_counts_only_when_asked(client_of) -> None:
    with serve("Paris, of course.") as server:
        client = client_of(server)
        pieces = [chunk.choices[0].delta.content for chunk in ask(client, stream=True) if chunk.choices]
        assert [piece for piece in pieces if piece] == ["Paris,", " of", " course."]
        told = list(ask(client, stream=True, stream_options={"include_usage": True}))
        assert told[-1].usage.total_tokens == 7 + 5
        assert all(chunk.usage is None for chunk in ask(client, stream=True))


def test_tools_are_called_whole_and_in_pieces(client_of) -> None:
    answer = Answer(tool_calls=(ToolCall(name="look_up", arguments={"city": "Paris"}),))
    with serve(answer) as server:
        client = client_of(server)
        reply = ask(client, tools=TOOLS)
        call = reply.choices[0].message.tool_calls[0]
        assert (call.function.name, call.function.arguments) == ("look_up", '{"city": "Paris"}')
        assert reply.choices[0].finish_reason == "tool_calls"
        chunks = [chunk.choices[0].delta.tool_calls for chunk in ask(client, tools=TOOLS, stream=True)]
        assert "".join(part[0].function.arguments or "" for part in chunks if part) == '{"city": "Paris"}'


def test_structured_answers_are_parsed_by_the_client(client_of) -> None:
    class City(BaseModel):
        name: str

    with serve(Answer(text={"name": "Paris"})) as server:
        client = client_of(server)
        parsed = client.chat.completions.parse(model="scripted-1", messages=QUESTION, response_format=City)
        assert parsed.choices[0].message.parsed == City(name="Paris")
        assert client.responses.parse(model="scripted-1", input="?", text_format=City).output_parsed == City(
            name="Paris"
        )


def test_refusals_and_log_probabilities(client_of) -> None:
    with serve([Answer(refusal="No."), Answer(text="A", logprobs=({"A": -0.1, "B": -2.5},))]) as server:
        client = client_of(server)
        assert ask(client).choices[0].message.refusal == "No."
        said = ask(client, logprobs=True).choices[0].logprobs.content[0]
        assert [(one.token, one.logprob) for one in said.top_logprobs] == [("A", -0.1), ("B", -2.5)]


def test_the_responses_interface_plain_and_streamed(client_of) -> None:
    with serve("Paris.") as server:
        client = client_of(server)
        reply = client.responses.create(model="scripted-1", input="capital?", instructions="be brief")
        assert reply.output_text == "Paris."
        assert [message["role"] for message in server.calls[0].messages] == ["system", "user"]
        with client.responses.stream(model="scripted-1", input="capital?") as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_response()
        assert kinds[0] == "response.created"
        assert kinds[-1] == "response.completed"
        assert final.output_text == "Paris."
        assert final.usage.output_tokens == 2


def test_embeddings_are_the_same_for_the_same_text(client_of) -> None:
    with serve() as server:
        client = client_of(server)
        once = client.embeddings.create(model="scripted-e", input=["a", "b"])
        again = client.embeddings.create(model="scripted-e", input="a", encoding_format="float")
    assert once.data[0].embedding == pytest.approx(again.data[0].embedding, rel=1e-6)
    assert once.data[0].embedding != once.data[1].embedding
    assert sum(number**2 for number in again.data[0].embedding) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (rate_limited(retry_after=3), openai.RateLimitError),
        (failing(503), openai.InternalServerError),
        (failing(401, code="invalid_api_key"), openai.AuthenticationError),
        (reset(), openai.APIConnectionError),
        (truncated(after=20), openai.APIConnectionError),
        (hanging(60), openai.APITimeoutError),
        (garbage(), ValueError),
    ],
    ids=lambda value: getattr(value, "kind", None) or value.__name__,
)
def test_each_fault_reaches_the_client_as_itself(client_of, fault, error) -> None:
    with serve(fault) as server, pytest.raises(error) as caught:
        ask(client_of(server, timeout=0.5))
    if isinstance(caught.value, openai.RateLimitError):
        assert caught.value.response.headers["retry-after"] == "3"


def test_an_error_in_a_200_is_an_answer_without_choices(client_of) -> None:
    with serve(error_in_200("overloaded")) as server:
        assert ask(client_of(server)).choices is None


def test_a_stream_that_breaks_off_is_no_whole_answer(client_of) -> None:
    with serve(truncated(after=2)) as server, pytest.raises(openai.APIConnectionError):
        list(ask(client_of(server), stream=True))


def test_faults_at_random_are_the_same_for_a_seed() -> None:
    def statuses(seed: int) -> list[int]:
        import httpx

        faults = Faults(shares={rate_limited(): 0.2, failing(503): 0.1}, seed=seed)
        with serve("ok", faults=faults) as server, httpx.Client() as client:
            return [client.post(f"{server.url}/chat/completions", json={}).status_code for _ in range(200)]

    first = statuses(1)
    assert first == statuses(1) != statuses(2)
    assert 20 < first.count(429) < 60
    assert 5 < first.count(503) < 40


def test_what_it_does_not_know_is_a_404_that_says_what_it_knows(client_of) -> None:
    with serve("x") as server, pytest.raises(openai.NotFoundError, match="chat/completions"):
        client_of(server).images.generate(prompt="a cat", model="scripted-1")


def test_many_calls_at_once_are_answered_at_once() -> None:
    async def all_of(server: Server) -> list[str]:
        async with openai.AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
            asked = [
                client.chat.completions.create(model="scripted-1", messages=[{"role": "user", "content": str(number)}])
                for number in range(64)
            ]
            return [reply.choices[0].message.content or "" for reply in await asyncio.gather(*asked)]

    with serve(lambda call: call.text, latency=0.2) as server:
        assert asyncio.run(all_of(server)) == [str(number) for number in range(64)]
        assert server.in_flight_at_most > 32
        assert [call.number for call in server.calls] == list(range(1, 65))


def test_it_listens_on_loopback_only_and_lets_go_of_its_port() -> None:
    server = serve("x")
    port = int(server.url.split(":")[2].split("/")[0])
    assert server.url.startswith("http://127.0.0.1:")
    server.close()
    server.close()
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
    with pytest.raises(RuntimeError, match="not been started"):
        _ = server.url


def test_a_port_that_is_taken_is_an_error_here_and_not_in_a_thread() -> None:
    with serve("x") as server, pytest.raises(OSError, match="in use"):
        serve("y", port=int(server.url.split(":")[2].split("/")[0]))


def test_in_a_process_of_its_own_it_ends_with_its_input() -> None:
    import httpx

    with subprocess.Popen(
        [sys.executable, "-m", "evalkit.testing", "--say", "Paris."],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        body = {"model": "scripted-1", "messages": QUESTION}
        answered = httpx.post(f"{url}/chat/completions", json=body).json()
        assert answered["choices"][0]["message"]["content"] == "Paris."
        out, _ = process.communicate(timeout=20)
    assert out.strip() == "1 calls, 1 at once at most"
    assert process.returncode == 0
