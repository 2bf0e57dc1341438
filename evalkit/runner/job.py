"""A job is one trial about to be run: its body, ready to be called, and the scorers that judge it."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import time
from collections.abc import Callable, Sequence
from typing import Any

from evalkit.canonical import utc_now
from evalkit.case import Case
from evalkit.errors import ReplayMiss
from evalkit.runner.notes import Notes
from evalkit.runner.threads import Inline, Threads
from evalkit.score import ErrorInfo, Score, Scorer, error_score, scores_from
from evalkit.tracing import Judging, Scope, accounted, attached, inherited, running, with_misses
from evalkit.trial import Output, Trial, error_info, outcome_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One trial about to be run.

    `body` takes nothing and returns the output, or an awaitable of it where `is_async`. `timeout` is in seconds.
    `scope` is what happens in the trial's name, where that began before the job; whoever began it closes it.
    """

    case: Case
    number: int
    body: Callable[[], Any]
    is_async: bool
    scorers: tuple[Scorer, ...] = ()
    timeout: float | None = None
    nodeid: str | None = None
    notes: Notes = dataclasses.field(default_factory=Notes)
    suite: str = ""
    scope: Scope | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A trial, the exception its body raised if any, and when the body ran (seconds since the epoch).

    `earlier` are the attempts at the same trial that failed before it.
    """

    trial: Trial
    exception: BaseException | None
    start: float
    stop: float
    earlier: tuple[Trial, ...] = ()


async def run_job(job: Job, threads: Threads | Inline) -> Finished:
    """Call the body, score what it gave, and return the record.

    What the body raises becomes the output's error, a timeout likewise; what a scorer raises becomes a score
    with the status `error`. Only what is no `Exception` (pytest's skip, Ctrl-C) passes through.
    """
    scope = job.scope or _scope(job)
    try:
        if inherited() is scope:  # with the span that a fixture has left open as the current one
            return await _run(job, threads, scope)
        with attached(scope):
            return await _run(job, threads, scope)
    except BaseException as error:
        scope.end(error=f"{type(error).__qualname__}: {error}")
        raise
    finally:
        if job.scope is None:
            scope.close()


def _scope(job: Job) -> Scope:
    session = running()
    if session is None:
        return Scope(case_id=job.case.id, number=job.number, suite=job.suite)
    return session.scope(case_id=job.case.id, number=job.number, suite=job.suite)


async def _run(job: Job, threads: Threads | Inline, scope: Scope) -> Finished:
    started_at, start = utc_now(), time.time()
    began = time.perf_counter()
    if job.is_async:
        output, exception = await _await_body(job)
        stopped = time.perf_counter()
        scores = () if output.error else await _score(job.scorers, _arguments(job, output), threads)
    else:
        output, exception, stopped, plain = await _call_body(job, threads)
        waiting = [scorer for scorer in job.scorers if scorer.is_async]
        late = () if output.error or not waiting else await _score(waiting, _arguments(job, output), threads)
        scores = _in_order(job.scorers, plain, late) if late else plain
    scores = (*scores, *job.notes.scores)
    if scope.missed:
        output, scores = with_misses(output, scores, scope)
        exception = exception or (ReplayMiss(output.error.message) if output.error is not None else None)
    trace = scope.end(error=_fault(output, scores))
    output, scores = accounted(output, scores, scope, trace)
    trial = Trial(
        case_id=job.case.id,
        number=job.number,
        output=output,
        scores=scores,
        outcome=outcome_of(output, scores),
        started_at=started_at,
        duration=time.perf_counter() - began,
        nodeid=job.nodeid,
        trace=trace,
        versions=scope.versions,
    )
    # The clock of the day may be set while a body runs; how long it took is another clock's business.
    return Finished(trial=trial, exception=exception, start=start, stop=start + (stopped - began))


def _fault(output: Output, scores: Sequence[Score]) -> str | None:
    error = output.error or next((score.error for score in scores if score.error is not None), None)
    return None if error is None else f"{error.type}: {error.message}"


async def _await_body(job: Job) -> tuple[Output, Exception | None]:
    began = time.perf_counter()
    try:
        if job.timeout is None:
            value = await _settled(job.body())
        else:
            async with asyncio.timeout(job.timeout) as clock:
                value = await _settled(job.body())
    except TimeoutError as error:
        if job.timeout is None or not clock.expired():
            return _failed(job, error, began)
        return _timed_out(job, began)
    except Exception as error:  # whatever the function under test raises is its result, and is kept
        return _failed(job, error, began)
    return _output(job, value, began), None


async def _settled(value: Any) -> Any:
    # A decorator around a coroutine function may have awaited it already.
    return await value if inspect.isawaitable(value) else value


async def _call_body(job: Job, threads: Threads | Inline) -> tuple[Output, Exception | None, float, tuple[Score, ...]]:
    began = time.perf_counter()

    def work() -> tuple[Output, Exception | None, float, tuple[Score, ...]]:
        # The body and the scorers that are plain functions share one trip to a thread.
        began = time.perf_counter()
        try:
            output, exception = _output(job, job.body(), began), None
        except Exception as error:  # as in _await_body
            output, exception = _failed(job, error, began)
        stopped = time.perf_counter()
        if output.error:
            return output, exception, stopped, ()
        arguments = _arguments(job, output)
        return output, exception, stopped, _score_now([s for s in job.scorers if not s.is_async], arguments)

    if job.timeout is None:
        done: tuple[Output, Exception | None, float, tuple[Score, ...]] = await threads.call(work)
        return done
    try:
        async with asyncio.timeout(job.timeout):
            done = await threads.call(work)
    except TimeoutError:
        output, exception = _timed_out(job, began)
        return output, exception, time.perf_counter(), ()
    return done


def _output(job: Job, value: Any, began: float) -> Output:
    latency = time.perf_counter() - began
    if isinstance(value, Output):
        plain = _plain(value.value)
        if plain is value.value and value.latency is not None:
            return value
        return dataclasses.replace(value, value=plain, latency=latency if value.latency is None else value.latency)
    if value is None and job.notes.has_output:
        recorded, usage = job.notes.recorded
        return Output(value=_plain(recorded), usage=usage, latency=latency)
    return Output(value=_plain(value), latency=latency)


def _plain(value: Any) -> Any:
    """What is recorded and scored of `value`, which may say so itself, as the reply of a model does."""
    said = getattr(type(value), "__evalkit_output__", None)
    return value if said is None else said(value)


def _failed(job: Job, error: Exception, began: float) -> tuple[Output, Exception]:
    value, usage = job.notes.recorded
    latency = time.perf_counter() - began
    return Output(value=value, usage=usage, error=error_info(error), latency=latency), error


def _timed_out(job: Job, began: float) -> tuple[Output, Exception]:
    message = f"no answer within {job.timeout:g} s"
    value, usage = job.notes.recorded
    error = ErrorInfo(type="Timeout", message=message)
    latency = time.perf_counter() - began
    return Output(value=value, usage=usage, error=error, latency=latency), TimeoutError(message)


def _arguments(job: Job, output: Output) -> dict[str, Any]:
    case = job.case
    return {
        "case": case,
        "output": output.value,
        "expected": case.expected,
        "input": case.input,
        "metadata": case.metadata,
        "trace": output,
    }


async def _score(scorers: Sequence[Scorer], arguments: dict[str, Any], threads: Threads | Inline) -> tuple[Score, ...]:
    quick = [scorer for scorer in scorers if not scorer.is_async and not scorer.blocking]
    if len(quick) == len(scorers):
        return _score_now(scorers, arguments)
    slow = [scorer for scorer in scorers if not scorer.is_async and scorer.blocking]
    waiting = [scorer for scorer in scorers if scorer.is_async]
    tasks = [_score_async(scorer, arguments) for scorer in waiting]
    if slow:
        in_thread, *awaited = await asyncio.gather(threads.call(lambda: _score_now(slow, arguments)), *tasks)
    else:
        in_thread, awaited = (), await asyncio.gather(*tasks)
    late = tuple(score for scores in awaited for score in scores)
    return _in_order(scorers, _score_now(quick, arguments), in_thread, late)


def _score_now(scorers: Sequence[Scorer], arguments: dict[str, Any]) -> tuple[Score, ...]:
    scores: list[Score] = []
    for scorer in scorers:
        try:
            with Judging(scorer.name) as span:
                given = scores_from(scorer(**arguments), scorer)
                span.judged(given)
            scores.extend(given)
        except Exception as error:  # a scorer's fault is a record of its own, never the end of the run
            scores.append(error_score(scorer, error_info(error)))
    return tuple(scores)


async def _score_async(scorer: Scorer, arguments: dict[str, Any]) -> tuple[Score, ...]:
    try:
        with Judging(scorer.name) as span:
            given = scores_from(await scorer(**arguments), scorer)
            span.judged(given)
        return given
    except Exception as error:  # as in _score_now
        return (error_score(scorer, error_info(error)),)


def _in_order(scorers: Sequence[Scorer], *groups: Sequence[Score]) -> tuple[Score, ...]:
    place = {scorer.name: index for index, scorer in enumerate(scorers)}
    return tuple(sorted((score for group in groups for score in group), key=lambda score: place[score.scorer]))
