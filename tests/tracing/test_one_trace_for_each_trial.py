"""Twenty cases at once, each making calls in every way Python has: each call ends up in its own case, below its span."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import multiprocessing.pool
import threading
from collections.abc import Awaitable, Callable

import pytest

import evalkit
from evalkit.tracing import Scope, Session, attached, current

SHARED_POOL = concurrent.futures.ThreadPoolExecutor(max_workers=3)
Work = Callable[[], object]


async def by_gather(work: Work) -> None:
    async def step() -> None:
        await asyncio.sleep(0)
        work()

    await asyncio.gather(step(), step())


async def by_task_group(work: Work) -> None:
    async def step() -> None:
        await asyncio.sleep(0.001)
        work()

    async with asyncio.TaskGroup() as group:
        group.create_task(step())
        group.create_task(step())


async def by_to_thread(work: Work) -> None:
    await asyncio.gather(asyncio.to_thread(work), asyncio.to_thread(work))


async def by_default_executor(work: Work) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.gather(loop.run_in_executor(None, work), loop.run_in_executor(None, work))


async def by_shared_pool(work: Work) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.gather(loop.run_in_executor(SHARED_POOL, work), loop.run_in_executor(SHARED_POOL, work))


async def by_own_pool(work: Work) -> None:
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda _: work(), range(2)))


async def by_bare_threads(work: Work) -> None:
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    await asyncio.sleep(0.002)
    for thread in threads:
        thread.join()


async def by_thread_subclass(work: Work) -> None:
    class Worker(threading.Thread):
        def run(self) -> None:
            work()
            work()

    worker = Worker()
    worker.start()
    worker.join()


async def by_timer(work: Work) -> None:
    timers = [threading.Timer(0.001, work) for _ in range(2)]
    for timer in timers:
        timer.start()
    for timer in timers:
        timer.join()


async def by_thread_of_a_thread(work: Work) -> None:
    def outer() -> None:
        work()
        inner = threading.Thread(target=work)
        inner.start()
        inner.join()

    thread = threading.Thread(target=outer)
    thread.start()
    thread.join()


async def by_pool_of_multiprocessing(work: Work) -> None:
    with multiprocessing.pool.ThreadPool(2) as pool:
        pool.map(lambda _: work(), range(2))


WAYS: list[Callable[[Work], Awaitable[None]]] = [
    by_gather,
    by_task_group,
    by_to_thread,
    by_default_executor,
    by_shared_pool,
    by_own_pool,
    by_bare_threads,
    by_thread_subclass,
    by_timer,
    by_thread_of_a_thread,
    by_pool_of_multiprocessing,
]


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_twenty_at_once_without_a_stray_or_a_wrong_parent(way, session: Session, call):
    def body(name: str) -> Work:
        return lambda: call(name)

    async def case(name: str) -> Scope:
        scope = session.scope(case_id=name)
        with attached(scope), evalkit.span(f"span of {name}"):
            await way(body(name))
        return scope

    async def all_of_them() -> list[Scope]:
        return await asyncio.gather(*(case(f"case-{n}") for n in range(20)))

    for scope in asyncio.run(all_of_them()):
        trace = scope.end()
        assert trace is not None
        by_id = {span.span_id: span for span in trace.spans}
        calls = [span for span in trace.spans if span.kind == "llm"]
        assert len(calls) == 2
        assert len(trace.spans) == 4
        for found in calls:
            assert found.attributes["gen_ai.input.messages"][0]["parts"][0]["content"] == scope.case_id
            assert by_id[found.parent_id].name == f"span of {scope.case_id}"
        assert [span.parent_id for span in trace.spans].count(None) == 1
        scope.close()
    assert session.orphans == ()


def test_a_pool_made_in_one_case_and_used_in_another_keeps_them_apart(session: Session, call):
    first, second = session.scope(case_id="first"), session.scope(case_id="second")
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=1)
    with attached(first):
        pool.submit(call, "first").result()
    with attached(second):
        pool.submit(call, "second").result()
    nobodys = pool.submit(current).result()
    pool.shutdown()
    assert nobodys is None
    for scope in (first, second):
        (_, found) = scope.end().spans
        assert found.attributes["gen_ai.input.messages"][0]["parts"][0]["content"] == scope.case_id


def test_other_context_variables_stay_where_python_leaves_them(scope: Scope):
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("set")
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.extend((variable.get(), current())))
    thread.start()
    thread.join()
    assert seen == ["unset", scope]


def test_threads_are_as_python_made_them_after_the_session():
    start, submit = threading.Thread.start, concurrent.futures.ThreadPoolExecutor.submit
    with Session() as outer:
        outer.activate()
        assert threading.Thread.start is not start
        with Session() as inner:
            inner.activate()
        assert threading.Thread.start is not start
    assert threading.Thread.start is start
    assert concurrent.futures.ThreadPoolExecutor.submit is submit


def test_a_thread_may_be_joined_and_its_target_is_let_go(scope: Scope):
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    assert "run" not in vars(thread)


def test_an_exception_in_a_thread_is_python_s_to_show(scope: Scope, monkeypatch):
    caught: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: caught.append(args.exc_type))
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    assert caught == [ZeroDivisionError]


def test_a_server_in_the_same_process_is_found_by_the_trace_it_was_called_with(session: Session, call):
    """A request that carries OpenTelemetry's context reaches its case in a thread that belongs to another."""
    from opentelemetry import context, trace

    first, second = session.scope(case_id="first"), session.scope(case_id="second")

    def serve() -> None:
        here = trace.set_span_in_context(trace.NonRecordingSpan(second.tree.root.get_span_context()))
        token = context.attach(here)
        call("for the second")
        context.detach(token)

    with attached(first):
        server = threading.Thread(target=serve)
        server.start()
        server.join()
    assert len(first.end().spans) == 1
    assert len(second.end().spans) == 2


def test_a_run_inside_a_trial_keeps_to_itself(tmp_path, monkeypatch, scope: Scope, call):
    monkeypatch.chdir(tmp_path)

    @evalkit.suite(dataset=[{"id": "inner", "input": 1}])
    def inner(case):
        call("inner")

    run = evalkit.run(inner, store=tmp_path / "inner.db", progress=False)
    call("outer")
    assert run.suites[0].trials[0].output.usage.calls == 1
    assert [span.kind for span in scope.end().spans] == ["case", "llm"]
