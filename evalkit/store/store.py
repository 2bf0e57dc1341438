"""A store: runs go in while they happen and come out as the same records.

What reads is imported when something is read: a session that only records has no use for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from evalkit.case import Case, Dataset
from evalkit.runs import Metric, Provenance, Run, RunStatus, SuiteInfo, Verdict
from evalkit.store.database import Database
from evalkit.store.writer import Writer
from evalkit.trial import Trial

if TYPE_CHECKING:
    from evalkit.store.listing import RunSummary


class Store:
    """Where runs are kept; `open_store` gives one.

    Every writing method is one transaction, committed when it returns: what returned is not lost by a kill or a
    crash of the process. All raise `StoreError` or one of its kinds, and then nothing of that call was written.
    Usable as a context manager, and from several threads.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = Writer(database)

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return self._database.url

    def start_run(self, run_id: str, *, started_at: dt.datetime, provenance: Provenance, seed: int) -> None:
        """Record that a run began. One that is there already is taken up again: it is `running`, the rest stays."""
        self._writer.start_run(run_id, started_at=started_at, provenance=provenance, seed=seed)

    def add_suite(self, run_id: str, info: SuiteInfo, dataset: Dataset, cases: Sequence[Case]) -> None:
        """Record a suite of a run, with its whole `dataset` and those of its cases that were selected.

        A version of a dataset is stored once, however many runs use it. A suite that is there already stays as
        it is; raises `StoreError` where it had another version of its dataset.
        """
        self._writer.add_suite(run_id, info, dataset, cases)

    def add_trials(self, run_id: str, suite: str, trials: Sequence[Trial]) -> None:
        """Append finished trials with their scores; a trial that is there already is left as it is."""
        self._writer.add_trials(run_id, suite, trials)

    def heartbeat(self, run_id: str) -> None:
        """Say that the run is alive. `add_trials` does so too; call this where trials take longer than 30 s."""
        self._writer.heartbeat(run_id)

    def finish_run(
        self,
        run_id: str,
        *,
        status: RunStatus,
        finished_at: dt.datetime,
        metrics: Sequence[Metric],
        verdicts: Sequence[Verdict],
        degraded: str = "",
    ) -> None:
        """Record how a run ended, with what was computed and decided; replaces what an earlier end recorded."""
        self._writer.finish_run(
            run_id, status=status, finished_at=finished_at, metrics=metrics, verdicts=verdicts, degraded=degraded
        )

    def runs(self, *, suite: str | None = None, limit: int | None = None) -> list[RunSummary]:
        """The runs in brief, newest first; those that have a suite of that name, where one is given."""
        from evalkit.store.listing import list_runs

        return list_runs(self._database, suite=suite, limit=limit)

    def resolve(self, name: str) -> str:
        """The id of the run called `name`: an id, a prefix that only one has, `last`, or `SUITE@last`.

        Raises `NotFound`, with near matches, or with the runs that an ambiguous prefix could mean.
        """
        from evalkit.store.naming import resolve

        return resolve(self._database, name)

    def load(self, run_id: str, *, payload: bool = True) -> Run:
        """The run of that id. Without `payload` the outputs come without value and metadata, and much faster.

        Trials come in the order of the dataset's cases; of one that was attempted again only the last attempt.
        Raises `NotFound`.
        """
        from evalkit.store.reader import load

        return load(self._database, run_id, payload=payload)

    def trial(self, run_id: str, suite: str, case_id: str, number: int = 1) -> Trial:
        """One trial, the last attempt at it, with everything. Raises `NotFound`."""
        from evalkit.store.reader import load_trial

        return load_trial(self._database, run_id, suite, case_id, number)

    def schema_version(self) -> str:
        """The revision of the schema, such as `0001`."""
        with self._database.reading() as session:
            revision: str = session.execute("SELECT version_num FROM alembic_version")[0][0]
        return revision

    def close(self) -> None:
        """Let go of the database; nothing can be asked of the store afterwards."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
