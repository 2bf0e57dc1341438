"""Laws of scheduling, over generated sets of jobs."""

from __future__ import annotations

import asyncio
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.case import Case
from evalkit.launches import Launches
from evalkit.runner import Engine, Job
from evalkit.runs import DatasetInfo, SuiteInfo
from evalkit.session import _flights

bodies = st.lists(
    st.tuples(st.sampled_from(["async", "plain", "async error", "plain error", "timeout"]), st.integers(0, 3)),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(bodies=bodies, limit=st.integers(1, 6))
def test_every_job_ends_once_and_no_more_run_than_may(bodies, limit):
    lock = threading.Lock()
    running, most = 0, 0

    def enter() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)

    def leave() -> None:
        nonlocal running
        with lock:
            running -= 1

    def job(index: int, kind: str, pause: int) -> Job:
        async def waits() -> int:
            enter()
            try:
                await asyncio.sleep(60 if kind == "timeout" else pause / 1000)
                if "error" in kind:
                    raise ValueError(index)
                return index
            finally:
                leave()

        def works() -> int:
            enter()
            try:
                if "error" in kind:
                    raise ValueError(index)
                return index
            finally:
                leave()

        is_async = not kind.startswith("plain")
        return Job(
            case=Case(id=str(index), input=index),
            number=1,
            body=waits if is_async else works,
            is_async=is_async,
            timeout=0.002 if kind == "timeout" else None,
        )

    jobs = [job(index, kind, pause) for index, (kind, pause) in enumerate(bodies)]
    launches = Launches()
    dataset = DatasetInfo(name="numbers", digest="0" * 64, size=len(jobs))
    launches.declare(SuiteInfo(name="suite", nodeid="", location="", dataset=dataset), [one.case for one in jobs], [])
    engine = Engine(max_threads=4)
    try:
        ended = [finished.trial for lot in _flights(engine, "suite", iter(jobs), limit, launches) for finished in lot]
    finally:
        engine.close()
    assert sorted(int(trial.case_id) for trial in ended) == list(range(len(bodies)))
    assert most <= limit
    assert running == 0
    for trial in ended:
        kind = bodies[int(trial.case_id)][0]
        assert trial.outcome == ("errored" if "error" in kind or kind == "timeout" else "passed")
