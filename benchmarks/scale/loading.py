"""Fills a store the way sessions do, through the recorder, and says how fast that was and how large it became."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.scale import data
from evalkit.recorder import Recorder, gates_of
from evalkit.runs import Provenance

BATCH = 50
"""Trials to a transaction; a session writes ten to a few hundred at once."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What filling a store took. Seconds are on the clock, for writing alone (`writing`) and with drawing and judging."""

    scores: int
    spans: int
    runs: int
    seconds: float
    writing: float
    cpu: float
    size: int


def fill(url: str, plan: data.Plan, say: Callable[[str], None]) -> tuple[float, float, float]:
    """Store the runs of `plan` at `url`; seconds in all, seconds of writing, and of CPU of this process."""
    answers, agents = data.dataset("answers", plan.answers), data.dataset("agents", plan.agents)
    began, writing, cpu = time.perf_counter(), 0.0, time.process_time()
    for number in range(plan.runs):
        recorder = Recorder(store=url, seed=number, provenance=Provenance(commit=f"{number:040x}", branch="main"))
        recorder._started_at = data.BEGIN + dt.timedelta(hours=number)  # a history of days, made in minutes
        for of in (answers, agents):
            recorder.declare(data.info(of), of, of.cases, gates=gates_of(data.GATES))
        made = {of.name: data.trials(of, number, spans=plan.spans if of is agents else 0) for of in (answers, agents)}
        start = time.perf_counter()
        recorder.open()
        for suite, trials in made.items():
            for at in range(0, len(trials), BATCH):
                recorder.record(suite, trials[at : at + BATCH])
        writing += time.perf_counter() - start
        for suite in made:
            recorder.judge(suite)
        recorder.finish("complete")
        if number % 10 == 9:
            say(f"  {number + 1} runs, {time.perf_counter() - began:.0f} s")
    return time.perf_counter() - began, writing, time.process_time() - cpu


def size_of(url: str) -> int:
    """Bytes of the database at `url`."""
    if "://" not in url:
        return sum(Path(url + ending).stat().st_size for ending in ("", "-wal") if Path(url + ending).exists())
    import sqlalchemy as sa

    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        size: int = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
    engine.dispose()
    return size


def load(url: str, plan: data.Plan, say: Callable[[str], None]) -> Load:
    """Fill an empty store and measure."""
    seconds, writing, cpu = fill(url, plan, say)
    return Load(
        scores=plan.scores,
        spans=plan.all_spans,
        runs=plan.runs,
        seconds=seconds,
        writing=writing,
        cpu=cpu,
        size=size_of(url),
    )
