"""The folder of a bundle: written whole or not at all."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalkit.attestation import PrivateKey
from evalkit.bundle.statements import statements
from evalkit.canonical import canonical_json, utc_now
from evalkit.errors import AttestationError
from evalkit.promotion import Promotion
from evalkit.versions import SubjectKind, Version

SCHEMA = "evalkit.bundle/1"
MANIFEST = "manifest.json"
VERSION = "version.json"
TEXT = "prompt.txt"
ATTESTATION = "attestation.intoto.jsonl"
CHECKPOINT = "checkpoint.json"
README = "README.md"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a bundle says of itself. `files` are the SHA-256 of all files but the manifest, by name."""

    kind: SubjectKind
    name: str
    alias: str
    version: str
    digest: str
    generation: int | None
    promotion: str
    exported_at: str
    files: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """As it stands in `manifest.json`."""
        return {"schema": SCHEMA, **dataclasses.asdict(self), "files": dict(self.files)}


def export(
    folder: Path,
    version: Version,
    promotion: Promotion,
    *,
    key: PrivateKey | None,
    checkpoint: Mapping[str, Any] | None = None,
) -> Manifest:
    """Write the bundle of a promoted `version` into the new `folder`, and return its manifest.

    The statements are signed by `key`, and unsigned where that is `None`. `checkpoint` is the head of the audit log
    when the bundle was made. Raises `AttestationError` where the folder is there already, cannot be written, or the
    promotion is of another version.
    """
    if version.digest != promotion.to_digest:
        raise AttestationError(
            f"The promotion {promotion.id} is of another version than {version.title}.",
            why="A bundle proves by which decision its content came to be in force.",
        )
    contents = {
        VERSION: canonical_json(dict(version.body)),
        ATTESTATION: b"".join(
            canonical_json(statement.envelope(key).to_json()) + b"\n" for statement in statements(promotion)
        ),
    }
    if version.kind == "prompt" and isinstance(version.body.get("text"), str):
        contents[TEXT] = version.body["text"].encode("utf-8", "surrogatepass")
    if checkpoint is not None:
        contents[CHECKPOINT] = canonical_json(dict(checkpoint)) + b"\n"
    contents[README] = _readme(version, promotion, contents, is_signed=key is not None).encode()
    manifest = Manifest(
        kind=version.kind,
        name=version.name,
        alias=promotion.alias,
        version=version.label,
        digest=version.digest,
        generation=promotion.generation,
        promotion=promotion.id,
        exported_at=utc_now().isoformat(),
        files={name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())},
    )
    shown = json.dumps(manifest.to_json(), indent=2, ensure_ascii=False) + "\n"
    _write(folder, {**contents, MANIFEST: shown.encode()})
    return manifest


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Make the folder beside its place, then move it there in one step."""
    beside: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise AttestationError(
                "There is something at this place already.",
                where=str(folder),
                why="A bundle is never mixed with other files: what is in it is all that it proves.",
                hint="Name a folder that is not there yet, or take the old one away.",
            )
        beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        beside.chmod(0o755)
        for name, content in contents.items():
            with (beside / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        beside.rename(folder)
    except OSError as error:
        raise AttestationError(f"The bundle cannot be written: {error.strerror}.", where=str(folder)) from error
    finally:
        if beside is not None:
            with contextlib.suppress(OSError):
                shutil.rmtree(beside)


def _readme(version: Version, promotion: Promotion, contents: Mapping[str, bytes], *, is_signed: bool) -> str:
    lines = [
        f"# {version.kind} {version.name}, {version.label}",
        "",
        f"What `{promotion.alias}` stood for after the promotion {promotion.id}.",
        "",
        f"- `{VERSION}` is the version as JSON. `sha256sum {VERSION}` gives its digest, `{version.digest}`.",
    ]
    if TEXT in contents:
        lines.append(f"- `{TEXT}` is the text of the prompt, with its variables as `{{{{ name }}}}`.")
    lines.append(
        f"- `{ATTESTATION}` has two in-toto statements in DSSE envelopes, one to a line: the verification summary of "
        "SLSA, and the promotion with its evidence, policy and approvals. "
        + ("They are signed with Ed25519." if is_signed else "Nobody signed them: no key was configured.")
    )
    if CHECKPOINT in contents:
        lines.append(
            f"- `{CHECKPOINT}` is where the audit log stood: `evalkit audit verify --checkpoint {CHECKPOINT}`."
        )
    lines += [f"- `{MANIFEST}` says what this is, with the SHA-256 of every other file.", ""]
    lines += [
        "With evalkit at hand: `evalkit bundle verify . --key signing.pub.pem`. Without: `sha256sum`, and any",
        "",
    ]
    lines[-2] += " reader of DSSE."
    return "\n".join(lines)
