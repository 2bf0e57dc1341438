"""The bundle of a shard: one file with everything that a part of a run recorded, to be carried to another machine.

JSON lines: a header, the calls that a store would have had (as in a spool), and a footer with the number of lines and
the SHA-256 of all bytes before it, so that a file that was cut off, mixed up or touched is found out.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalkit.case import Dataset
from evalkit.errors import NotFound, StoreCorrupt, StoreError, StoreTooNew
from evalkit.runs import Provenance, RunStatus, SuiteInfo
from evalkit.shards import Shard
from evalkit.store import Spool
from evalkit.store.cells import time_of
from evalkit.store.plain import from_plain
from evalkit.trial import Trial

FORMAT = 1
"""Which form the file has; a reader refuses those it does not know."""

_HEADER = "evalkit_bundle"


@dataclasses.dataclass(slots=True, kw_only=True)
class Part:
    """One suite of a shard: its declaration, the whole dataset, the ids of the shard's cases, and its trials.

    `trials` has every attempt, in the order they were recorded, with payload.
    """

    info: SuiteInfo
    dataset: Dataset
    selected: tuple[str, ...]
    trials: list[Trial] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A shard as it was read from `path`. `sample` is how many cases of each suite were drawn, `None` for all;
    `policies` say for each suite what an inconclusive gate does.
    """

    path: Path
    shard: Shard
    run: str
    status: RunStatus
    started_at: dt.datetime
    finished_at: dt.datetime
    provenance: Provenance
    seed: int
    sample: int | None
    policies: Mapping[str, str]
    parts: Mapping[str, Part]


class BundleWriter:
    """Writes a bundle while its run goes on, under a name of its own until it is whole.

    Raises `StoreError` where the file cannot be written.
    """

    def __init__(
        self, path: Path, run_id: str, *, shard: Shard, sample: int | None, policies: Mapping[str, str]
    ) -> None:
        self.path = path
        self._unfinished = path.with_name(path.name + ".unfinished")
        try:
            self._unfinished.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"The bundle cannot be written: {error.strerror}.", where=str(path)) from error
        self.spool = Spool(self._unfinished, stays=True)
        header = {"shard": str(shard), "sample": sample, "policies": dict(policies)}
        self.spool.write(_HEADER, run_id, format=FORMAT, **header)

    def end(self) -> Path:
        """Close the file, and give it its name."""
        try:
            body = self._unfinished.read_bytes()
            footer = {"call": "end", "lines": body.count(b"\n"), "sha256": hashlib.sha256(body).hexdigest()}
            with self._unfinished.open("ab") as file:
                file.write((json.dumps(footer) + "\n").encode())
                file.flush()
                os.fsync(file.fileno())
            self._unfinished.replace(self.path)
        except OSError as error:
            raise StoreError(f"The bundle cannot be written: {error.strerror}.", where=str(self.path)) from error
        return self.path


def read_bundle(path: Path) -> Bundle:
    """The bundle in the file `path`.

    Raises `NotFound` where there is none, `StoreTooNew` for one of a later form, and `StoreCorrupt`, with the line, for
    one that is cut off, changed, or none at all.
    """
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except (FileNotFoundError, IsADirectoryError):
        raise NotFound(f"There is no bundle at {path}.", hint="A shard says at its end where its bundle is.") from None
    except OSError as error:
        raise StoreError(f"The bundle cannot be read: {error.strerror}.", where=str(path)) from error
    number = 1
    try:
        said = [json.loads(line) for line in lines[:1]]
        if not said or said[0].get("call") != _HEADER:
            raise _damaged(path, "This is no bundle of a shard.")
        if said[0]["format"] != FORMAT:
            raise StoreTooNew(
                f"The bundle has the form {said[0]['format']!r:.20}, and this evalkit reads {FORMAT}.",
                where=str(path),
                hint="Merge with the evalkit that the shards ran with.",
            )
        _check_end(path, lines)
        for line in lines[1:-1]:
            number += 1
            said.append(json.loads(line))
        return _made(path, said)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        if isinstance(error, StoreError):
            raise
        raise _damaged(
            path, "This line is none that a bundle has.", f"{type(error).__name__}: {error}", number
        ) from error


def _check_end(path: Path, lines: Sequence[bytes]) -> None:
    body = lines[:-1]
    try:
        footer = json.loads(lines[-1])
    except ValueError:
        footer = None
    if not isinstance(footer, dict) or footer.get("call") != "end" or not lines[-1].endswith(b"\n"):
        raise _damaged(
            path, "The bundle is cut off: its last line is missing.", "Its shard broke off, or the copy did."
        )
    if footer["lines"] != len(body) or footer["sha256"] != hashlib.sha256(b"".join(body)).hexdigest():
        raise _damaged(path, "The bundle is not what its shard wrote: its checksum does not fit.")


def _damaged(path: Path, what: str, why: str = "", line: int | None = None) -> StoreCorrupt:
    where = str(path) if line is None else f"{path}:{line}"
    return StoreCorrupt(
        what, where=where, why=why or None, hint="Fetch it again from where the shard left it, or run that shard again."
    )


def _made(path: Path, said: Sequence[Mapping[str, Any]]) -> Bundle:
    header, parts = said[0], dict[str, Part]()
    beginning: Mapping[str, Any] = {}
    ending: Mapping[str, Any] = {}
    for one in said[1:]:
        call = one["call"]
        if call == "start_run":
            beginning = one
        elif call == "add_suite":
            info = from_plain(SuiteInfo, one["info"])
            dataset = from_plain(Dataset, one["dataset"])
            parts[info.name] = Part(info=info, dataset=dataset, selected=tuple(one["selected"]))
        elif call == "settle_suite":
            info = from_plain(SuiteInfo, one["info"])
            parts[info.name].info = info
        elif call == "add_trials":
            parts[one["suite"]].trials.extend(from_plain(Trial, trial) for trial in one["trials"])
        elif call == "finish_run":
            ending = one
        else:
            raise ValueError(f"no such call: {call!r:.40}")
    for name, part in parts.items():
        known, own = {case.id for case in part.dataset.cases}, set(part.selected)
        if not own <= known or not own.issuperset(trial.case_id for trial in part.trials):
            raise ValueError(f"the suite {name} has cases that are not its own")
    if not (header["sample"] is None or type(header["sample"]) is int):
        raise TypeError("the sample is no number")
    return Bundle(
        path=path,
        shard=Shard.parse(header["shard"], where=str(path)),
        run=str(header["run"]),
        status=ending["status"],
        started_at=time_of(beginning["started_at"]),
        finished_at=time_of(ending["finished_at"]),
        provenance=from_plain(Provenance, beginning["provenance"]),
        seed=int(beginning["seed"]),
        sample=header["sample"],
        policies=dict(header["policies"]),
        parts=parts,
    )
