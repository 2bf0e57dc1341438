"""Bundles of shards, as `evalkit merge` reads them."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from evalkit.errors import EvalkitError
from evalkit.shardfile import read_bundle

SEEDS = (
    b'{"evalkit_bundle": 1, "shard": "1/2", "run": "r", "seed": "0", "sample": null}\n',
    b'{"evalkit_bundle": 1}\n{"call": "start_run", "run": "r"}\n',
    b'{"evalkit_bundle": 999}\n',
    b"\x1f\x8b\x08\x00",
    b"{" * 5000,
)


def one(data: bytes) -> None:
    """As it is, and with a footer that is right, behind which the lines are looked at."""
    lines = data.count(b"\n")
    footer = b'{"lines": %d, "sha256": "%s"}\n' % (lines, hashlib.sha256(data).hexdigest().encode())
    for content in (data, data + footer):
        with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
            Path(file.name).write_bytes(content)
            try:
                read_bundle(Path(file.name))
            except EvalkitError as error:
                str(error)
