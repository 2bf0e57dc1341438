"""Bundles of promoted versions, as `evalkit bundle verify` reads them."""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from pathlib import Path

from evalkit.bundle.checking import check
from evalkit.bundle.folder import ATTESTATION, MANIFEST, VERSION
from evalkit.errors import EvalkitError

_NAMES = (MANIFEST, VERSION, ATTESTATION)
_MANIFEST = (
    b'{"schema": "evalkit.bundle/1", "kind": "prompt", "name": "n", "alias": "a", "version": "v1", "digest": "0",'
    b' "promotion": "p", "files": {"version.json": "0", "attestation.intoto.jsonl": "0"}}'
)
_STATEMENT = (
    b'{"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "prompt/n", "digest": {"sha256": "%s"}}],'
    b' "predicateType": "%s", "predicate": {"id": "p", "alias": "a", "kind": "prompt", "name": "n", "verificationResult":'
    b' "FAILED", "override": {"rules": ["gate"], "reason": "r"}, "rollback_of": null}}'
)
_DIGEST = hashlib.sha256(b"{}").hexdigest().encode()
_KINDS = (b"https://slsa.dev/verification_summary/v1", b"https://pypi.org/project/pytest-evalkit/promotion/v1")
SEEDS = (
    b"\x00".join((_MANIFEST, b"{}", *(_STATEMENT % (_DIGEST, kind) for kind in _KINDS))),
    b"\x00".join((_MANIFEST, b"{}", *((_STATEMENT % (_DIGEST, kind)).replace(b'["gate"]', b"5") for kind in _KINDS))),
    _MANIFEST.replace(b'"version.json"', b'"../../etc/passwd"') + b'\x00{"payload": ""}',
    b'{"schema": "evalkit.bundle/1", "files": []}\x00\x00',
    b"[" * 5000,
)


def one(data: bytes) -> None:
    """Up to the first NUL the manifest, up to the second the version, then the statements: as they are, and as one who
    can write the files would send them, in envelopes and with digests that are right.
    """
    manifest, version, *rest = [*data.split(b"\x00"), b""][:10]
    statements = [part for part in rest if part]
    looked_at((manifest, version, b"\n".join(statements)))
    envelopes = b"\n".join(map(_enveloped, statements))
    try:
        said = json.loads(manifest)
        said["digest"] = hashlib.sha256(version).hexdigest()
        for name, content in ((_NAMES[1], version), (_NAMES[2], envelopes)):
            said["files"][name] = hashlib.sha256(content).hexdigest()
    except (ValueError, TypeError, KeyError, RecursionError):
        return
    looked_at((json.dumps(said).encode(), version, envelopes))


def looked_at(parts: tuple[bytes, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, part in zip(_NAMES, parts, strict=True):
            Path(folder, name).write_bytes(part)
        try:
            check(Path(folder), key=None)
        except EvalkitError as error:
            str(error)


def _enveloped(statement: bytes) -> bytes:
    payload = base64.b64encode(statement).decode()
    kind = "application/vnd.in-toto+json"
    return json.dumps({"payloadType": kind, "payload": payload, "signatures": [{"keyid": "k", "sig": "AA=="}]}).encode()
