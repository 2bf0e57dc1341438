"""Bundles of shards, as `evalkit merge` reads them."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from evalkit.errors import EvalkitError
from evalkit.shardfile import read_bundle

_HEADER = (
    b'{"call": "evalkit_bundle", "run": "r", "format": 1, "shard": "1/2", "sample": null, "policies": {"s": "fail"}}\n'
)
_SUITE = (
    b'{"call": "add_suite", "run": "r", "info": {"name": "s", "nodeid": "t.py::s", "location": "t.py:2", "dataset":'
    b' {"name": "s", "digest": "80e1", "size": 1, "source": null}, "scorers": [{"name": "ok", "version": "9",'
    b' "pass_mark": null, "config": {}, "judge": null}], "gates": ["ok >= 0.5"], "repeat": 1, "declared": 2, "planned": 1,'
    b' "selection": "shard 1/2", "seed": 0, "metadata": {"evalkit.shard": {"index": 1, "of": 2}}, "versions": []},'
    b' "dataset": {"name": "s", "cases": [{"id": "a", "input": 1, "expected": null, "metadata": {}, "tags": ["t"]}],'
    b' "digest": "80e1", "source": null}, "selected": ["a"]}\n'
)
_TRIAL = (
    b'{"call": "add_trials", "run": "r", "suite": "s", "trials": [{"case_id": "a", "number": 1, "output": {"value": "x",'
    b' "error": null, "latency": 0.1, "usage": null, "metadata": {}}, "scores": [{"name": "ok", "value": 1.0, "status":'
    b' "scored", "kind": "assertion", "passed": true, "scorer": "ok", "scorer_version": "9"}], "outcome": "passed",'
    b' "started_at": "2026-11-23T00:00:00.000000Z", "duration": 0.1, "trace": null, "versions": []}]}\n'
)
_START = (
    b'{"call": "start_run", "run": "r", "started_at": "2026-11-23T00:00:00.000000Z", "provenance": {"commit": null,'
    b' "packages": {"pytest": "9"}, "ci": {}}, "seed": "0"}\n'
)
_FINISH = (
    b'{"call": "finish_run", "run": "r", "status": "complete", "finished_at": "2026-11-23T00:00:01.000000Z", "metrics":'
    b' [], "verdicts": [], "degraded": "", "prices": {}}\n'
)
SEEDS = (
    _HEADER + _START + _SUITE + _TRIAL + _FINISH,
    _HEADER + _START,
    _HEADER.replace(b'"format": 1', b'"format": 999'),
    _HEADER + b'{"call": "drop_all", "run": ["r"]}\n',
    b"\x1f\x8b\x08\x00",
    b"{" * 5000,
)


def one(data: bytes) -> None:
    """As it is, and with a footer that is right, behind which the lines are looked at."""
    whole = data if data.endswith(b"\n") else data + b"\n"
    lines = len(whole.splitlines())
    footer = b'{"call": "end", "lines": %d, "sha256": "%s"}\n' % (lines, hashlib.sha256(whole).hexdigest().encode())
    for content in (data, whole + footer):
        with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
            Path(file.name).write_bytes(content)
            try:
                read_bundle(Path(file.name))
            except EvalkitError as error:
                str(error)
