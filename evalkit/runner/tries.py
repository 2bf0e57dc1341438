"""A job done again while a service is away; every attempt is kept, and the last one counts."""

from __future__ import annotations

import asyncio
import dataclasses

from evalkit.outages import is_outage
from evalkit.runner.job import Finished, Job, run_job
from evalkit.runner.threads import Inline, Threads
from evalkit.trial import Trial

FIRST_PAUSE = 0.5
"""Seconds before the second attempt; before each further one it is twice as long, and never longer than `LONGEST`."""

LONGEST = 30.0


async def run_tries(job: Job, threads: Threads | Inline, *, retries: int) -> Finished:
    """Run `job`, and up to `retries` times again while what it raised is an outage (`evalkit.outages`).

    The attempts before the last are in `earlier`; `attempt` of each trial counts them from 1. The body runs again as it
    is: fixtures are set up once.
    """
    earlier: list[Trial] = []
    while True:
        finished = await run_job(job, threads)
        number = len(earlier) + 1
        if earlier:
            trial = dataclasses.replace(finished.trial, attempt=number)
            finished = dataclasses.replace(finished, trial=trial, earlier=tuple(earlier))
        if number > retries or not _is_worth_another(finished):
            return finished
        earlier.append(finished.trial)
        await asyncio.sleep(min(FIRST_PAUSE * 2 ** (number - 1), LONGEST))
        job.notes.clear()
        job = dataclasses.replace(job, scope=None)


def _is_worth_another(finished: Finished) -> bool:
    exception = finished.exception
    return finished.trial.outcome == "errored" and exception is not None and is_outage(exception)
