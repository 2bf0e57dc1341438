"""The numbers that a store gave to the versions of a run, for whoever shows the run that has just ended."""

from __future__ import annotations

import dataclasses

from evalkit.errors import NotFound
from evalkit.runs import Run
from evalkit.versions import Version, unique


def numbered(run: Run, *, url: str | None) -> Run:
    """The run, which is in the store at `url`, its versions with their numbers.

    As it was where that store has none for them, or does not answer.
    """
    used = unique(version for suite in run.suites for version in suite.versions)
    if url is None or all(version.number is not None for version in used):
        return run
    from evalkit.store import open_store

    try:
        with open_store(url, read_only=True) as store:
            found = {
                (one.version.kind, one.version.name, one.version.digest): one.version
                for kind, name in dict.fromkeys((version.kind, version.name) for version in used)
                for one in store.versions(kind, name)
            }
    except (NotFound, OSError):  # the run is over and whole; that it cannot be numbered is no reason to fail
        return run

    def known(versions: tuple[Version, ...]) -> tuple[Version, ...]:
        return tuple(found.get((one.kind, one.name, one.digest), one) for one in versions)

    suites = tuple(
        dataclasses.replace(
            suite,
            info=dataclasses.replace(suite.info, versions=known(suite.info.versions)),
            trials=tuple(
                dataclasses.replace(trial, versions=known(trial.versions)) if trial.versions else trial
                for trial in suite.trials
            ),
        )
        for suite in run.suites
    )
    return dataclasses.replace(run, suites=suites)
