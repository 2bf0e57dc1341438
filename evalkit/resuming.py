"""A stored run that broke off, to be gone on with: what of it stands, and what is to be run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from evalkit.case import Case
from evalkit.errors import ConfigError
from evalkit.figures import count
from evalkit.likeness import differences, of_machines
from evalkit.runs import Provenance, Run, SuiteInfo
from evalkit.store import open_store
from evalkit.store.liveness import ALIVE_FOR
from evalkit.trial import Trial

Key = tuple[str, int]
"""A trial: the id of its case, and its number."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A run that is gone on with; `run` has of each trial the last attempt, `url` is the store that has it."""

    run: Run
    url: str

    def taken(self, suite: str) -> Mapping[Key, Trial]:
        """The trials of a suite that stand: those that came to an end without an error."""
        return {key: trial for key, trial in self.all(suite).items() if trial.outcome != "errored"}

    def all(self, suite: str) -> Mapping[Key, Trial]:
        """The trials of a suite that are stored, errored or not."""
        found = next((one for one in self.run.suites if one.info.name == suite), None)
        return {} if found is None else {(trial.case_id, trial.number): trial for trial in found.trials}

    def whole(self, suite: str, trial: Trial) -> Trial:
        """A trial of a suite with its payload."""
        with open_store(self.url, read_only=True) as store:
            return store.trial(self.run.id, suite, trial.case_id, trial.number)

    def check_suite(self, info: SuiteInfo, cases: Sequence[Case]) -> None:
        """Refuse a suite that is not the one that the run began with. Raises `ConfigError` naming what differs."""
        before = next((one for one in self.run.suites if one.info.name == info.name), None)
        if before is None:
            if self.run.status == "complete":
                raise self._other(f'it has no suite "{info.name}"')
            return
        found = list(differences(before.info, info))
        if not found and {case.id for case in before.cases} != {case.id for case in cases}:
            found.append(f"the cases selected ({before.info.selection or 'all'} and {info.selection or 'all'})")
        if not found and before.info.planned != info.planned:
            found.append(f"how many trials were selected ({before.info.planned:,} and {info.planned:,})")
        if found:
            raise self._other(f"of {info.name} {_listed(found)} changed since")

    def check_session(self, suites: Sequence[str], provenance: Provenance) -> None:
        """Refuse a session that is not the one that the run was. Raises `ConfigError`."""
        missing = [one.info.name for one in self.run.suites if one.info.name not in suites]
        if missing:
            raise self._other(f"it also has {', '.join(missing)}, and this session has not")
        found = list(of_machines(self.run.provenance, provenance))
        if found:
            raise self._other(f"{_listed(found)} changed since")

    def note(self) -> str:
        """What is said of it beside the results."""
        planned = sum(one.info.planned for one in self.run.suites)
        taken = sum(len(self.taken(one.info.name)) for one in self.run.suites)
        again = sum(len(self.all(one.info.name)) for one in self.run.suites) - taken
        errored = f"; {again:,} had errored and {'was' if again == 1 else 'were'} run again" if again else ""
        return f"The run {self.run.id} goes on: {taken:,} of {count(planned, 'trial')} stood{errored}."

    def _other(self, why: str) -> ConfigError:
        command = self.run.provenance.command
        return ConfigError(
            f"The run {self.run.id} cannot be gone on with: {why}.",
            why="A run with results of both would be the result of neither.",
            hint="Start a new run." + (f" It was run with: {command}" if command else ""),
        )


def resumable(url: str, name: str, *, payload: bool = False, ours: bool = False) -> Resumed:
    """The run called `name` (an id, the beginning of one, `last`, `SUITE@last`) in the store at `url`, to go on with.

    `ours` says that whoever runs it is this very session. Raises `NotFound` where there is none, and `ConfigError` for
    one that somebody else is still running.
    """
    with open_store(url, create=False) as store:
        run = store.load(store.resolve(name), payload=payload)
    if run.status == "running" and not ours:
        raise ConfigError(
            f"The run {run.id} is still going on, or was a moment ago.",
            why="Two sessions at one run would do everything twice.",
            hint=f"If nobody runs it any more, try again {ALIVE_FOR.total_seconds():g} s after it broke off.",
        )
    return Resumed(run=run, url=url)


def _listed(found: Sequence[str]) -> str:
    return found[0] if len(found) == 1 else ", ".join(found[:-1]) + " and " + found[-1]
