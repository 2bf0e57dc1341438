"""Spool files that are taken into a store."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from evalkit.errors import EvalkitError
from evalkit.store import Store, ingest, open_store

SEEDS = (
    b'{"call": "start_run", "run": "r", "started_at": "2026-11-23T00:00:00.000000Z", "provenance": {}, "seed": "0"}\n',
    b'{"call": "add_trials", "run": "r", "suite": "s", "trials": [{"case_id": "a", "output": {"value": 1},'
    b' "outcome": "passed", "started_at": "2026-11-23T00:00:00.000000Z", "duration": 0.1}]}\n',
    b'{"call": "finish_run", "run": "r", "status": "complete", "finished_at": "x", "metrics": [], "verdicts": [],'
    b' "degraded": ""}\n',
    b'{"call": "drop_all", "run": ["r"]}\n',
    b"[" * 5000 + b"\n",
    b'{"call": "start_run", "run": {"a": NaN}, "seed": "' + b"9" * 5000 + b'"}\n',
)


@functools.cache
def _store() -> Store:
    return open_store(Path(tempfile.mkdtemp(prefix="evalkit-fuzz-"), "evalkit.db"))


def one(data: bytes) -> None:
    """Whatever the file says, the store takes it as a whole line or not at all, and still opens."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        Path(file.name).write_bytes(data)
        try:
            ingest(_store(), file.name)
        except EvalkitError as error:
            str(error)
    _store().runs(limit=1)
