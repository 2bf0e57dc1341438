"""kill -9, at any moment of a session: what was reported is stored, once, and nothing looks finished that is not."""

from __future__ import annotations

import random
import signal
import time

import pytest

from evalkit.store import check, open_store

SIZE = 240


@pytest.mark.slow
def test_at_random_moments(url, start, look, count, times, facts, undisturbed):
    chance, seen, counted = random.Random(20261123), set(), count(url)
    for number in range(times(6, 60)):
        session = start(url)
        if number % 6 == 5:  # before the first case: the store is being opened, the run begun
            time.sleep(chance.random())
        else:
            session.until(reported=chance.randrange(1, SIZE + 1))
            time.sleep(chance.random() * 0.02)
        session.kill()
        look(url, session, seen, counted)
    assert counted.acknowledged > 10 * times(6, 60), "too few got far enough for this to mean anything"
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)
    last = start(url)
    assert last.wait() == 1
    run = look(url, last, seen, counted)
    assert facts(run) == undisturbed()
    assert check(url).ok


@pytest.mark.slow
def test_ctrl_c_twice(url, start, look, count, wait_for):
    source = """
import asyncio, time
from pathlib import Path
import evalkit, pytest
from evalkit import Case

@evalkit.scorer(blocking=False)
def same(output, expected):
    return output == expected

@pytest.fixture
def slow_to_go(case):
    yield
    if case.input >= 20:
        Path("tearing").touch()
        time.sleep(300)

@evalkit.suite(
    dataset=[Case(id=f"c{i}", input=i, expected=i) for i in range(240)],
    scorers=[same], gates=["mean(same) >= 0.9"], max_concurrency=4,
)
async def test_it(case, slow_to_go):
    if case.input >= 20:
        Path("waiting").touch()
        await asyncio.sleep(300)
    return case.input
"""
    session, counted = start(url, source=source), count(url)
    session.until(reported=19)  # a line ends when the next begins
    wait_for((session.folder / "waiting").exists, session)
    session.send(signal.SIGINT)
    wait_for((session.folder / "tearing").exists, session)
    session.send(signal.SIGINT)
    assert session.wait() == 2, session.text
    run = look(url, session, set(), counted)
    assert run.status == "interrupted"
    assert {trial.case_id for trial in run.suites[0].trials} == {f"c{n}" for n in range(20)} >= session.acknowledged
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)


@pytest.mark.slow
def test_sigterm_from_a_ci(url, start, look, count, times):
    chance, seen, counted = random.Random(15), set(), count(url)
    for _ in range(times(2, 20)):
        session = start(url)
        session.until(reported=chance.randrange(1, 200))
        session.send(signal.SIGTERM)
        assert session.wait() == 2, session.text
        run = look(url, session, seen, counted)
        assert (run.status, run.verdicts) == ("interrupted", ())
        with open_store(url) as store:
            assert store.load(run.id).status == "interrupted", "it is not only shown so: that has been written"
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)
