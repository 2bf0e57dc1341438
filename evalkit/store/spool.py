"""A file that keeps what the store could not take, until it can.

One file to a run, one JSON line to a call, in the order of the calls. `ingest` makes the same calls on a store; since
those change nothing the second time, a spool may be taken in as often as one likes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalkit.case import Case, Dataset
from evalkit.errors import NotFound, StoreCorrupt, StoreFull
from evalkit.runs import Metric, Provenance, RunStatus, SuiteInfo, Verdict
from evalkit.store.address import parse
from evalkit.store.cells import time_cell, time_of
from evalkit.store.plain import from_plain, to_plain
from evalkit.store.store import Store
from evalkit.trial import Trial


class Spool:
    """The spool of one run, in the file `path`, which is made when something is written.

    Where that cannot be written, or not any more, it moves to the system's folder for temporary files, with all that
    it has; `path` is then the new one. One that `stays` does not.
    """

    def __init__(self, path: str | Path, *, stays: bool = False) -> None:
        self.path = Path(path)
        self._stays = stays

    @classmethod
    def beside(cls, url: str | Path, run_id: str) -> Spool:
        """The spool of a run, in a folder `spool` beside its store; for a server, in `.evalkit/spool`."""
        path = parse(url).path
        folder = Path(".evalkit").absolute() if path is None else path.parent
        return cls(folder / "spool" / f"{run_id}.jsonl")

    def append(self, run_id: str, suite: str, trials: Sequence[Trial]) -> None:
        """Keep finished trials, as `Store.add_trials` would. Raises `StoreFull` where no folder takes them."""
        self.write("add_trials", run_id, suite=suite, trials=[to_plain(trial) for trial in trials])

    def start_run(self, run_id: str, *, started_at: dt.datetime, provenance: Provenance, seed: int) -> None:
        """Keep the beginning of a run, where the store was away already then."""
        self.write(
            "start_run", run_id, started_at=time_cell(started_at), provenance=to_plain(provenance), seed=str(seed)
        )

    def add_suite(self, run_id: str, info: SuiteInfo, dataset: Dataset, cases: Sequence[Case]) -> None:
        """Keep a suite, with its dataset and the ids of the selected cases."""
        self.write(
            "add_suite", run_id, info=to_plain(info), dataset=to_plain(dataset), selected=[case.id for case in cases]
        )

    def settle_suite(self, run_id: str, info: SuiteInfo) -> None:
        """Keep what became of a suite's declaration, as `Store.settle_suite` would."""
        self.write("settle_suite", run_id, info=to_plain(info))

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
        """Keep the end of a run."""
        self.write(
            "finish_run",
            run_id,
            status=status,
            finished_at=time_cell(finished_at),
            metrics=[to_plain(metric) for metric in metrics],
            verdicts=[to_plain(verdict) for verdict in verdicts],
            degraded=degraded,
            prices=to_plain(prices or {}),
        )

    def write(self, call: str, run_id: str, **values: Any) -> None:
        """Add one line: the name of a call, and JSON data that go with it. Raises `StoreFull`."""
        line = (json.dumps({"call": call, "run": run_id, **values}) + "\n").encode()
        try:
            _append(self.path, line)
        except OSError as error:
            elsewhere = Path(tempfile.gettempdir(), "evalkit-spool", self.path.name)
            if self._stays or self.path == elsewhere:
                raise _lost(self.path, error) from error
            try:
                _append(elsewhere, (self.path.read_bytes() if self.path.exists() else b"") + line)
            except OSError as second:
                raise _lost(elsewhere, second) from second
            before, self.path = self.path, elsewhere
            with contextlib.suppress(OSError):  # where it stays, it is the beginning of the one that is named
                before.unlink(missing_ok=True)


def _append(path: Path, line: bytes) -> None:
    """Add `line` to the file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(handle).st_size
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(handle, rest) :]
        except OSError:
            with contextlib.suppress(OSError):  # what is said is why it could not be written
                os.ftruncate(handle, size)
                if size == 0 and path.is_file():
                    path.unlink()
            raise
    finally:
        os.close(handle)


def _lost(path: Path, error: OSError) -> StoreFull:
    return StoreFull(
        f"The file cannot be written: {error.strerror}.",
        where=str(path),
        why="Results from here on are in memory only, and gone when the run ends.",
        hint="Free some space; the finished run says what is missing.",
    )


def ingest(store: Store, path: str | Path) -> int:
    """Put what the spool `path` kept into `store`; how many trials that were.

    The file stays. A last line that was cut off is left out; any other that cannot be read raises `StoreCorrupt`
    with its number. Raises `NotFound` where there is no such file, or the store lacks the run and the spool does
    not have its beginning.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFound(f"There is no spool at {path}.")
    count = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                break
            try:
                said = json.loads(line)
                count += _replay(store, said)
            except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
                raise StoreCorrupt(
                    "This line is none that a spool has.",
                    where=f"{path}:{number}",
                    why=f"{type(error).__name__}: {error}",
                    hint="What stands before it was stored; take the line out to go on.",
                ) from error
    return count


def _replay(store: Store, said: dict[str, Any]) -> int:
    call, run_id = said["call"], said["run"]
    if call == "add_trials":
        trials = [from_plain(Trial, trial) for trial in said["trials"]]
        store.add_trials(run_id, said["suite"], trials)
        return len(trials)
    if call == "start_run":
        store.start_run(
            run_id,
            started_at=time_of(said["started_at"]),
            provenance=from_plain(Provenance, said["provenance"]),
            seed=int(said["seed"]),
        )
    elif call == "add_suite":
        dataset = from_plain(Dataset, said["dataset"])
        by_id = {case.id: case for case in dataset.cases}
        chosen = [by_id[case_id] for case_id in said["selected"]]
        store.add_suite(run_id, from_plain(SuiteInfo, said["info"]), dataset, chosen)
    elif call == "settle_suite":
        store.settle_suite(run_id, from_plain(SuiteInfo, said["info"]))
    elif call == "finish_run":
        store.finish_run(
            run_id,
            status=said["status"],
            finished_at=time_of(said["finished_at"]),
            metrics=[from_plain(Metric, metric) for metric in said["metrics"]],
            verdicts=[from_plain(Verdict, verdict) for verdict in said["verdicts"]],
            degraded=said["degraded"],
            prices=said.get("prices"),
        )
    else:
        raise ValueError(f"no such call: {call!r}")
    return 0
