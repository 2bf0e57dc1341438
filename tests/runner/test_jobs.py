"""One trial: a body is called, scored, and recorded, whatever happens in it."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from evalkit.case import Case
from evalkit.runner import Engine, Finished, Job, Notes, run_job
from evalkit.score import Score, as_scorer, scorer
from evalkit.trial import Output, Usage, error_info


@pytest.fixture
def engine():
    engine = Engine(max_threads=4)
    yield engine
    engine.close()


@pytest.fixture
def run(engine: Engine) -> Callable[..., Finished]:
    def run(body: Callable[[], Any], *scorers: Any, is_async: bool = False, **more: Any) -> Finished:
        job = Job(
            case=Case(id="a", input=1, expected=2, metadata={"lang": "de"}),
            number=1,
            body=body,
            is_async=is_async,
            scorers=tuple(as_scorer(one) for one in scorers),
            **more,
        )
        return engine.run(run_job(job, engine.threads))

    return run


def doubled(output, expected):
    return output == expected


async def slowly(output):
    await asyncio.sleep(0)
    return output / 10


@scorer(blocking=False)
def at_once(output):
    return output > 0


async def two() -> int:
    return 2


def test_scores_come_in_the_order_of_the_scorers_wherever_they_ran(run):
    for body, is_async in ((lambda: 2, False), (two, True)):
        trial = run(body, slowly, doubled, at_once, is_async=is_async).trial
        assert [(score.name, score.value) for score in trial.scores] == [
            ("slowly", 0.2),
            ("doubled", 1.0),
            ("at_once", 1.0),
        ]
        assert trial.outcome == "passed"
        assert trial.output.latency is not None


def test_an_error_of_the_body_is_the_result_and_nothing_is_scored(run):
    def body():
        raise ValueError("model away")

    finished = run(body, doubled)
    assert finished.trial.outcome == "errored"
    assert finished.trial.scores == ()
    assert (finished.trial.output.error.type, finished.trial.output.error.message) == ("ValueError", "model away")
    assert "in body" in finished.trial.output.error.traceback
    assert isinstance(finished.exception, ValueError)


def test_a_failed_assert_is_a_miss_and_no_error(run):
    def body():
        raise AssertionError("no")

    assert run(body).trial.outcome == "missed"


def test_a_timeout_inside_the_body_is_its_own_error(run):
    async def body():
        raise TimeoutError("of mine")

    trial = run(body, is_async=True, timeout=5).trial
    assert trial.output.error.type == "TimeoutError"


@pytest.mark.parametrize("is_async", [True, False])
def test_no_answer_in_time(run, is_async):
    async def waiting():
        await asyncio.sleep(10)

    trial = run(waiting if is_async else lambda: time.sleep(1), doubled, is_async=is_async, timeout=0.05).trial
    assert trial.outcome == "errored"
    assert trial.output.error.type == "Timeout"
    assert trial.duration < 1


def test_a_thread_that_hangs_is_replaced(engine):
    blocker = threading.Event()

    async def work() -> list[int]:
        engine.threads.size = 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await engine.threads.call(blocker.wait)
        return [await engine.threads.call(lambda: 7)]

    assert engine.run(work()) == [7]
    blocker.set()


def test_threads_carry_the_context_of_their_caller(engine):
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    async def work() -> str:
        variable.set("mine")
        return await engine.threads.call(variable.get)

    assert engine.run(work()) == "mine"


def test_a_scorer_that_raises_leaves_the_others_alone(run):
    def broken(output):
        raise KeyError("x")

    trial = run(lambda: 2, broken, doubled).trial
    assert [(score.name, score.status, score.value) for score in trial.scores] == [
        ("broken", "error", None),
        ("doubled", "scored", 1.0),
    ]
    assert trial.outcome == "errored"
    assert trial.scores[0].error.type == "KeyError"


@pytest.mark.parametrize("result", [object(), {"a": object()}, [["nested"]], float("inf"), 1j])
def test_a_result_of_no_known_kind_is_an_error_score(run, result):
    def odd(output):
        return result

    (score,) = run(lambda: 1, odd).trial.scores
    assert score.status == "error"
    assert score.value is None


def test_none_is_unscored_and_not_zero(run):
    def quiet(output):
        return None

    trial = run(lambda: 1, quiet).trial
    assert trial.outcome == "unscored"
    assert (trial.scores[0].status, trial.scores[0].value) == ("unscored", None)


def test_a_scorer_sees_what_it_asks_for(run):
    seen = {}

    def nosy(case, output, expected, input, metadata, trace):  # noqa: A002 - the contract's name
        seen.update(locals())
        return True

    run(lambda: Output(value=5, usage=Usage(input_tokens=1, output_tokens=2)), nosy)
    assert (seen["output"], seen["expected"], seen["input"], seen["metadata"]) == (5, 2, 1, {"lang": "de"})
    assert seen["case"].id == "a"
    assert seen["trace"].usage.total_tokens == 3


def test_notes_are_the_output_where_nothing_is_returned(run):
    notes = Notes()

    def body():
        notes.output("x", usage=Usage(input_tokens=1))
        notes.score("polite", 0.5)
        notes.score("tone", "warm")

    trial = run(body, notes=notes).trial
    assert trial.output.value == "x"
    assert trial.output.usage.input_tokens == 1
    assert [(score.name, score.value, score.label) for score in trial.scores] == [
        ("polite", 0.5, None),
        ("tone", None, "warm"),
    ]


def test_scores_carry_the_version_of_their_scorer(run):
    (score,) = run(lambda: 2, doubled).trial.scores
    assert score.scorer_version == as_scorer(doubled).version
    assert len(score.scorer_version) == 12


def test_a_pass_mark_beats_the_scorers_own_word(run):
    def sure(output):
        return Score(value=0.7, passed=True)

    (score,) = run(lambda: 2, as_scorer(sure) >= 0.8).trial.scores
    assert score.passed is False


def test_a_loop_that_another_library_left_running_is_no_obstacle():
    async def outside() -> tuple[int, bool]:
        mine = asyncio.get_running_loop()
        engine = Engine(max_threads=1)
        try:
            job = Job(case=Case(id="a"), number=1, body=two, is_async=True)
            value = engine.run(run_job(job, engine.threads)).trial.output.value
        finally:
            engine.close()
        return value, asyncio.get_running_loop() is mine

    assert asyncio.run(outside()) == (2, True)


def test_the_text_of_an_error_is_made_without_parsing_its_source(monkeypatch):
    """In a thread that would disturb whoever else parses, with CPython's `SystemError` about a depth that is not right."""

    def parse(*_: Any, **__: Any) -> None:
        raise SystemError("AST constructor recursion depth mismatch")

    try:
        try:
            _ = {}["a"] + {}["b"]
        except KeyError as error:
            raise ExceptionGroup("both", [error, ValueError("x")]) from error
    except ExceptionGroup as error:
        monkeypatch.setattr("ast.parse", parse)
        text = error_info(error).traceback
    assert '_ = {}["a"] + {}["b"]' in text
    assert text.count("KeyError: 'a'") == 2
    assert "^" not in text
