"""Bundles of promoted versions, as `evalkit bundle verify` reads them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from evalkit.bundle.checking import check
from evalkit.errors import EvalkitError

SEEDS = (
    b'{"schema": "evalkit.bundle/1", "kind": "prompt", "name": "n", "alias": "a", "version": "v1", "digest": "0",'
    b' "promotion": "p", "files": {"version.json": "0", "../../etc/passwd": "0"}}\x00{"payload": ""}',
    b'{"schema": "evalkit.bundle/1", "files": []}\x00\x00',
    b"[" * 5000,
)


def one(data: bytes) -> None:
    """Up to the first NUL the manifest, up to the second the version, then the statements."""
    with tempfile.TemporaryDirectory() as folder:
        parts = data.split(b"\x00", 2)
        for name, part in zip(("manifest.json", "version.json", "attestation.jsonl"), parts, strict=False):
            Path(folder, name).write_bytes(part)
        try:
            check(Path(folder), key=None)
        except EvalkitError as error:
            str(error)
