"""CPU time of a span, of a model's call and of a trial, traced and not; `python -m benchmarks.tracing` prints a table.

Each figure is the least of several rounds of process time divided by the number of repetitions: what the code needs
when nobody disturbs it. A trial here has a root, one scorer and one call.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable

import evalkit
from evalkit.case import Case
from evalkit.runner import Inline, Job, run_job
from evalkit.score import as_scorer
from evalkit.tracing import Session, attached, describe_request, describe_response, start_call

ROUNDS = 600
REPEATS = 40
URL = "https://api.openai.com/v1/chat/completions"
QUESTION = "What is the capital of the country whose flag is a red circle on white? " * 4


def least(work: Callable[[int], None], repeats: int = REPEATS) -> float:
    """Microseconds of CPU for one repetition of `work`."""
    best = float("inf")
    for _ in range(ROUNDS * REPEATS // repeats):
        before = time.process_time_ns()
        work(repeats)
        best = min(best, time.process_time_ns() - before)
    return best / repeats / 1000


def messages(turns: int) -> list[dict[str, str]]:
    return [{"role": "user" if turn % 2 == 0 else "assistant", "content": QUESTION} for turn in range(turns)]


def request(turns: int) -> bytes:
    return json.dumps({"model": "gpt-4o-mini", "temperature": 0, "messages": messages(turns)}).encode()


ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "model": "gpt-4o-mini-2024-07-18",
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": QUESTION}}],
        "usage": {"prompt_tokens": 80, "completion_tokens": 70},
    }
)


def call(body: bytes) -> None:
    info = describe_request(URL, body)
    assert info is not None
    begun = start_call(info)
    begun.finish(describe_response(info, status=200, body=ANSWER))


def spans(repeats: int) -> None:
    for _ in range(repeats):
        with evalkit.span("step", kind="retrieval", query="text"):
            pass


def bare() -> Callable[[int], None]:
    """What OpenTelemetry needs by itself, for comparison."""
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("plain")

    def work(repeats: int) -> None:
        for _ in range(repeats):
            tracer.start_span("step").end()

    return work


@evalkit.trace
def step() -> None:
    """A function that does nothing."""


def steps(repeats: int) -> None:
    for _ in range(repeats):
        step()


def calls(turns: int) -> Callable[[int], None]:
    body = request(turns)

    def work(repeats: int) -> None:
        for _ in range(repeats):
            call(body)

    return work


def readings(turns: int) -> Callable[[int], None]:
    """What a call says, without a span of it."""
    body = request(turns)

    def work(repeats: int) -> None:
        for _ in range(repeats):
            info = describe_request(URL, body)
            assert info is not None
            describe_response(info, status=200, body=ANSWER)

    return work


def within(work: Callable[[int], None], session: Session) -> Callable[[int], None]:
    """The same in a trial, whose trace is made at its end."""

    def traced(repeats: int) -> None:
        scope = session.scope(case_id="case", suite="suite")
        with attached(scope):
            work(repeats)
        scope.end()
        scope.close()

    return traced


def same(output: object, expected: object) -> bool:
    return output == expected


def trials(body: Callable[[], object]) -> Callable[[int], None]:
    scorers = (as_scorer(same),)

    async def run(repeats: int) -> None:
        for number in range(repeats):
            job = Job(case=Case(id=str(number), expected=1), number=1, body=body, is_async=False, scorers=scorers)
            await run_job(job, Inline())

    return lambda repeats: asyncio.run(run(repeats))


def one_call() -> object:
    call(request_of_one)
    return 1


def no_call() -> object:
    return 1


request_of_one = request(1)


def main() -> None:
    logging.disable(logging.CRITICAL)
    rows: list[tuple[str, float]] = []
    with Session() as session:
        rows.append(("a trial in a session with nothing to trace", least(trials(no_call), 400)))
    rows += [
        ("a span of the SDK alone, without attributes", least(bare())),
        ("a span outside of all trials", least(spans)),
        ("a traced function outside of all trials", least(steps)),
    ]
    with Session() as session:
        session.activate()
        rows += [
            ("a span", least(within(spans, session))),
            ("a traced function", least(within(steps, session))),
            ("reading what a call of 1 message says", least(readings(1))),
            ("reading what a call of 20 messages says", least(readings(20), 20)),
            ("a call of 1 message", least(within(calls(1), session))),
            ("a call of 20 messages", least(within(calls(20), session), 20)),
            ("a traced trial with no call", least(trials(no_call), 400)),
            ("a traced trial with a call", least(trials(one_call), 400)),
        ]
        session.capture = "metadata"
        rows.append(("a call of 20 messages, metadata only", least(within(calls(20), session), 20)))
    print("| | µs of CPU |\n|---|---:|")
    for what, microseconds in rows:
        print(f"| {what} | {microseconds:.1f} |")


if __name__ == "__main__":
    main()
