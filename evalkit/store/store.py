"""A store: runs go in while they happen and come out as the same records.

What reads is imported when something is read: a session that only records has no use for it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any

from evalkit.case import Case, Dataset
from evalkit.runs import Metric, Provenance, Run, RunStatus, SuiteInfo, Verdict
from evalkit.store.database import Database
from evalkit.store.ledgerstore import LedgerStore
from evalkit.store.writer import Writer
from evalkit.trial import Trial
from evalkit.versions import SubjectKind, Version

if TYPE_CHECKING:
    from evalkit.annotation import Annotation
    from evalkit.spans import Trace
    from evalkit.store.aliases import Alias
    from evalkit.store.calibrations import StoredCalibration
    from evalkit.store.exchanges import StoredExchanges
    from evalkit.store.filters import RunFilter
    from evalkit.store.history import HistoryPoint
    from evalkit.store.listing import RunSummary
    from evalkit.store.tracelist import TraceSummary
    from evalkit.store.versions import Registered


class Store(LedgerStore):
    """Where runs are kept; `open_store` gives one.

    Every writing method is one transaction, committed when it returns: what returned is not lost by a kill or a
    crash of the process. All raise `StoreError` or one of its kinds, and then nothing of that call was written.
    Usable as a context manager, and from several threads.
    """

    def __init__(self, database: Database, *, webhooks: Mapping[str, Sequence[str]] = MappingProxyType({})) -> None:
        super().__init__(database, webhooks)
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

    def settle_suite(self, run_id: str, info: SuiteInfo) -> None:
        """Record what became of a suite's declaration: its `selection` and `metadata`, where it stopped early."""
        self._writer.settle_suite(run_id, info)

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
        prices: Mapping[str, Any] | None = None,
    ) -> None:
        """Record how a run ended, with what was computed and decided; replaces what an earlier end recorded."""
        self._writer.finish_run(
            run_id,
            status=status,
            finished_at=finished_at,
            metrics=metrics,
            verdicts=verdicts,
            degraded=degraded,
            prices=prices or {},
        )

    def runs(
        self, *, suite: str | None = None, limit: int | None = None, wanted: RunFilter | None = None
    ) -> list[RunSummary]:
        """The runs in brief, newest first; those that have a suite of that name, and are as `wanted`, where given."""
        from evalkit.store.filters import RunFilter
        from evalkit.store.listing import list_runs

        asked = wanted or RunFilter()
        if suite is not None:
            asked = dataclasses.replace(asked, suite=suite)
        return list_runs(self._database, wanted=asked, limit=limit)

    def history(
        self,
        suite: str,
        *,
        last: int | None = None,
        slice: Mapping[str, str] | None = None,  # noqa: A002 - the word of gates and metrics
        wanted: RunFilter | None = None,
    ) -> list[HistoryPoint]:
        """The runs of a suite in brief, oldest first: the last so many, with the metrics of one slice or of the whole.

        Trials are not looked at, so it takes no longer where runs are large. Empty where no run has the suite.
        """
        from evalkit.store.filters import RunFilter
        from evalkit.store.history import suite_history

        return suite_history(self._database, suite, last=last, chosen=slice or {}, wanted=wanted or RunFilter())

    def earlier_runs(self, run_id: str) -> dict[str, int]:
        """For each suite of a run how many earlier runs came to a verdict on it: at the same commit, with the same
        cases, all of them or as many as its verdict took. A suite without any is left out; so are all without a commit.
        """
        from evalkit.store.earlier import earlier_runs

        return earlier_runs(self._database, run_id)

    def resolve(self, name: str, *, before: dt.datetime | None = None) -> str:
        """The id of the run called `name`: an id, a prefix that only one has, `last`, `SUITE@last`, or `last~2`, which
        is two runs before the last.

        With `before`, the last is that of the runs that began before that time. A run that is judged again asks so for
        what it is compared with, or it would find itself.

        Raises `NotFound`, with near matches, or with the runs that an ambiguous prefix could mean.
        """
        from evalkit.store.naming import resolve

        return resolve(self._database, name, before)

    def began(self, run_id: str) -> dt.datetime:
        """When the run of that id began. Raises `NotFound`."""
        from evalkit.store.naming import began

        return began(self._database, run_id)

    def load(self, run_id: str, *, payload: bool = True, traces: bool | None = None) -> Run:
        """The run of that id. Without `payload` the outputs come without value and metadata, and much faster.

        Traces come with the payload, unless `traces` says otherwise; a run may have a hundred spans to a trial.
        Trials come in the order of the dataset's cases; of one that was attempted again only the last attempt.
        Raises `NotFound`.
        """
        from evalkit.store.reader import load

        return load(self._database, run_id, payload=payload, traces=payload if traces is None else traces)

    def dataset(self, digest: str) -> Dataset:
        """The whole dataset of which `digest` is the version. Raises `NotFound`."""
        from evalkit.store.reader import load_dataset

        return load_dataset(self._database, digest)

    def trial(self, run_id: str, suite: str, case_id: str, number: int = 1) -> Trial:
        """One trial, the last attempt at it, with everything. Raises `NotFound`."""
        from evalkit.store.reader import load_trial

        return load_trial(self._database, run_id, suite, case_id, number)

    def trace(self, name: str) -> Trace:
        """The trace whose id is `name`, or begins with it. Raises `NotFound`, with those that it could mean."""
        from evalkit.store.tracelist import load_trace

        return load_trace(self._database, name)

    def trace_summary(self, name: str) -> TraceSummary:
        """That trace in brief, with the trial it belongs to. Raises `NotFound` as `trace` does."""
        from evalkit.store.tracelist import find_trace

        return find_trace(self._database, name)

    def traces(self, run_id: str, *, suite: str | None = None, case: str | None = None) -> list[TraceSummary]:
        """The traces of a run in brief, in the order they began; of one suite or case, where one is given."""
        from evalkit.store.tracelist import list_traces

        return list_traces(self._database, run_id, suite=suite, case=case)

    def register(self, version: Version, *, author: str | None = None, commit: str | None = None) -> Version:
        """Keep `version` under the next number of its name; returns it with its number.

        One that is there already keeps its number, source, author and commit. Numbers begin at 1 and have no gaps,
        whoever registers at the same time.
        """
        return self._writer.register(version, author=author, commit=commit)

    def versions(self, kind: SubjectKind, name: str | None = None) -> list[Registered]:
        """The versions of a prompt or model, oldest first; of all of that kind, by name, where none is given."""
        from evalkit.store.versions import list_versions

        return list_versions(self._database, kind, name)

    def version(self, kind: SubjectKind, name: str, which: str) -> Registered:
        """The version that `which` names: `v2` or `2`, a digest or the beginning of one, an alias, or `latest`.

        An alias that looks like one of the others wins. Raises `NotFound`, with near matches.
        """
        from evalkit.store.versions import find_version

        return find_version(self._database, kind, name, which)

    def alias(self, kind: SubjectKind, name: str, alias: str) -> Alias | None:
        """Where an alias points, `None` where it is not there."""
        from evalkit.store.aliases import find_alias

        return find_alias(self._database, kind, name, alias)

    def aliases(self, kind: SubjectKind, name: str | None = None) -> list[Alias]:
        """The aliases of a prompt or model, by name; of all of that kind where none is given."""
        from evalkit.store.aliases import list_aliases

        return list_aliases(self._database, kind, name)

    def set_alias(
        self,
        kind: SubjectKind,
        name: str,
        alias: str,
        digest: str,
        *,
        expected_generation: int,
        by: str | None = None,
    ) -> Alias:
        """Point an alias at the version `digest`, if it still is of the generation that was looked at.

        A new alias has the generation 0. The audit log gets an entry, `alias.moved`. Raises `StoreError` where
        another has moved it meanwhile, and `NotFound` for a version that is not registered; nothing is changed then.
        """
        from evalkit.store.aliases import move_alias

        return move_alias(
            self._database,
            kind,
            name,
            alias,
            digest,
            expected_generation=expected_generation,
            by=by,
            webhooks=self._webhooks,
        )

    def annotate(self, annotations: Sequence[Annotation]) -> None:
        """Append what people said of outputs; one with an id that is there already changes nothing."""
        from evalkit.store.annotations import add_annotations

        add_annotations(self._database, annotations)

    def annotations(self, run_id: str, *, name: str | None = None) -> list[Annotation]:
        """What people said of a run's outputs, the oldest first; of each annotator and trial the last word only."""
        from evalkit.store.annotations import list_annotations

        return list_annotations(self._database, run_id, name)

    def add_calibration(self, calibration: StoredCalibration) -> None:
        """Keep what was found out about a judge."""
        from evalkit.store.calibrations import add_calibration

        add_calibration(self._database, calibration)

    def calibrations(self, judge: str | None = None) -> list[StoredCalibration]:
        """What is known of a judge, or of all, the newest first."""
        from evalkit.store.calibrations import list_calibrations

        return list_calibrations(self._database, judge)

    @property
    def exchanges(self) -> StoredExchanges:
        """The recorded exchanges over HTTP."""
        from evalkit.store.exchanges import StoredExchanges

        return StoredExchanges(self._database)

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
