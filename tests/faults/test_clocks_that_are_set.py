"""Somebody sets the clock while a run goes on: nothing takes less than no time, and the order stays."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from evalkit.store import open_store

CLOCK = """
import datetime, time, types
import evalkit.canonical
import opentelemetry.sdk.trace

real_time, real_ns = time.time, time.time_ns
steps = {"now": 0}

class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.now(tz) + datetime.timedelta(seconds=steps["now"])

fake = types.SimpleNamespace(**{name: getattr(datetime, name) for name in dir(datetime) if name[0] != "_"})
fake.datetime = Clock
evalkit.canonical.dt = fake
time.time = lambda: real_time() + steps["now"]
time.time_ns = lambda: real_ns() + steps["now"] * 10**9
opentelemetry.sdk.trace.time_ns = time.time_ns
"""
SUITE = """
import asyncio, evalkit, time
from evalkit import Case
from conftest import steps

@evalkit.scorer(blocking=False)
def same(output, expected):
    return output == expected

STEPS = {7: 7200, 30: -7200, 55: 40, 70: -90_000}

@evalkit.suite(
    dataset=[Case(id=f"c{i}", input=i, expected=i) for i in range(100)],
    scorers=[same], gates=["mean(same) >= 0.9"], max_concurrency=AT_ONCE,
)
async def test_it(case):
    with evalkit.span("thinking"):
        await asyncio.sleep(0.001)
        steps["now"] += STEPS.get(case.input, 0)
        await asyncio.sleep(0.001)
    return case.input if case.input < 85 else -1
"""


@pytest.mark.parametrize("at_once", [1, 8])
def test_no_duration_is_negative_and_the_order_stays(tmp_path, start, count, at_once):
    path = tmp_path / "evalkit.db"
    session = start(
        str(path),
        source=SUITE.replace("AT_ONCE", str(at_once)),
        conftest=CLOCK,
        arguments=["--junitxml=junit.xml", "--evalkit-report=report.html"],
    )
    assert session.wait() == 1, session.text
    with open_store(path) as store:
        (brief,) = store.runs()
        run = store.load(brief.id)
    assert (run.status, run.decision) == ("complete", "fail")
    assert run.finished_at >= run.started_at
    (suite,) = run.suites
    assert [trial.case_id for trial in suite.trials] == [f"c{i}" for i in range(100)]
    for trial in suite.trials:
        assert 0 <= trial.duration < 60
        assert 0 <= trial.output.latency < 60
        assert trial.trace.spans
        assert all(span.end_ns >= span.start_ns for span in trial.trace.spans)
    seconds = [float(case.get("time")) for case in ElementTree.parse(session.folder / "junit.xml").iter("testcase")]
    assert len(seconds) >= 100
    assert all(0 <= spent < 60 for spent in seconds)
    assert (session.folder / "report.html").stat().st_size > 10_000
    count("sqlite").faults += 4
