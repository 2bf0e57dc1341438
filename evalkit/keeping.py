"""Where one run is kept while it goes: its store and, when the store fails, a spool file beside it."""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalkit.case import Case, Dataset
from evalkit.errors import StoreError
from evalkit.runs import Metric, Provenance, RunStatus, SuiteInfo, Verdict
from evalkit.store import Spool, Store, open_store
from evalkit.trial import Trial

if TYPE_CHECKING:
    from evalkit.exchange import Exchange

HEARTBEAT = 15.0
"""Seconds between signs of life, so that a run whose trials take long is not taken for dead."""


class Keeper:
    """Keeps one run. A store that fails after the run began changes nothing but where the rest of it is written.

    Opening raises `StoreError`, as nothing has been spent yet. Afterwards nothing raises: what the store does not
    take goes to a spool file, and `degraded` says so. What not even the spool takes is tried again with whatever comes
    after it; what finds no place until the end is lost, and `degraded` says that. A child that was forked with it
    keeps nothing: the run is its parent's. `earlier` is known at the end: how many earlier runs of each suite there
    are on the same code and cases.
    """

    def __init__(self, url: str, run_id: str, *, started_at: dt.datetime, provenance: Provenance, seed: int) -> None:
        self._run_id = run_id
        self._process = os.getpid()
        self._store: Store = open_store(url)
        self._store.start_run(run_id, started_at=started_at, provenance=provenance, seed=seed)
        self._spool: Spool | None = None
        self._waiting: collections.deque[Callable[[Spool], None]] = collections.deque()
        self.earlier: dict[str, int] = {}
        self._why = ""
        self._ended = threading.Event()
        threading.Thread(target=self._beat, name="evalkit-heartbeat", daemon=True).start()

    @property
    def url(self) -> str:
        """The store's URL, without a password."""
        return self._store.url

    @property
    def degraded(self) -> str:
        """What was not stored, why, and where it is; empty where everything was stored."""
        if self._spool is None:
            return ""
        path = self._spool.path
        said = [f"The store failed: {self._why}"]
        if path.exists():
            said.append(f"What came after is in {path}; when the store is well again: evalkit ingest {path}")
        if missing := len(self._waiting):
            said.append(
                f"{missing} pieces of it could be written nowhere, and are lost; what is missing is run again "
                f"with: pytest --evalkit-resume {self._run_id}"
            )
        return " ".join(said)

    def suite(self, info: SuiteInfo, dataset: Dataset, cases: Sequence[Case]) -> None:
        """Keep a suite's declaration, its dataset and the selected cases."""
        self._keep(
            lambda: self._store.add_suite(self._run_id, info, dataset, cases),
            lambda spool: spool.add_suite(self._run_id, info, dataset, cases),
        )

    def settle(self, info: SuiteInfo) -> None:
        """Keep what became of a suite's declaration: whether it stopped early, and why or why not."""
        self._keep(
            lambda: self._store.settle_suite(self._run_id, info), lambda spool: spool.settle_suite(self._run_id, info)
        )

    def trials(self, suite: str, trials: Sequence[Trial]) -> None:
        """Keep finished trials, in one transaction."""
        self._keep(
            lambda: self._store.add_trials(self._run_id, suite, trials),
            lambda spool: spool.append(self._run_id, suite, trials),
        )

    def exchanges(self, exchanges: Sequence[Exchange]) -> None:
        """Keep recorded answers. A store that fails loses them: they can be recorded again, and no result is lost."""
        if self._spool is None and self._is_ours:
            with contextlib.suppress(StoreError):  # the next trials will find out what is wrong
                self._store.exchanges.put(exchanges)

    def end(
        self,
        status: RunStatus,
        *,
        finished_at: dt.datetime,
        metrics: Sequence[Metric],
        verdicts: Sequence[Verdict],
        prices: Mapping[str, Any],
    ) -> None:
        """Keep the end of the run, and let go of the store. `prices` are as in `Run`."""
        self._ended.set()
        if not self._is_ours:
            return

        def to_store() -> None:
            self._store.finish_run(
                self._run_id, status=status, finished_at=finished_at, metrics=metrics, verdicts=verdicts, prices=prices
            )

        def to_spool(spool: Spool) -> None:
            spool.finish_run(
                self._run_id,
                status=status,
                finished_at=finished_at,
                metrics=metrics,
                verdicts=verdicts,
                degraded=self.degraded,
                prices=prices,
            )

        self._keep(to_store, to_spool)
        with contextlib.suppress(StoreError):  # what it could not take is in the spool
            self.earlier = self._store.earlier_runs(self._run_id)
        with contextlib.suppress(StoreError):
            self._store.close()

    @property
    def _is_ours(self) -> bool:
        return os.getpid() == self._process

    def _keep(self, to_store: Callable[[], None], to_spool: Callable[[Spool], None]) -> None:
        if not self._is_ours:
            return
        if self._spool is None:
            try:
                to_store()
                return
            except StoreError as error:
                self._why = error.what
                self._spool = Spool.beside(self._store.url, self._run_id)
        self._waiting.append(to_spool)
        while self._waiting:  # in their order: what found no place before may find one by now
            try:
                self._waiting[0](self._spool)
            except StoreError:
                return
            self._waiting.popleft()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT):
            with contextlib.suppress(StoreError):  # the next write will find out what is wrong
                self._store.heartbeat(self._run_id)
