"""Whether a bundle is what it says it is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from evalkit.attestation import Envelope, PublicKey, Statement
from evalkit.bundle.folder import ATTESTATION, MANIFEST, SCHEMA, VERSION
from evalkit.bundle.statements import PROMOTION, SUMMARY
from evalkit.canonical import canonical_json
from evalkit.errors import AttestationError

_LARGEST = 64 * 1024 * 1024
_MOST_FILES = 100


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: `is_good` is `None` where it could not be decided, with the reason in `said`."""

    about: str
    is_good: bool | None
    said: str


def check(folder: Path, *, key: PublicKey | None) -> tuple[dict[str, Any], list[Finding]]:
    """The manifest of the bundle in `folder`, and what was found out about it.

    Without `key` it is not decided who signed it. Nothing outside of the folder is read, and no link is followed.
    Raises `AttestationError` where there is no bundle.
    """
    manifest = _manifest(folder)
    contents, findings = _files(folder, manifest)
    findings.append(_version(manifest, contents.get(VERSION)))
    findings += _statements(manifest, contents.get(ATTESTATION), key)
    return manifest, findings


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        data = json.loads(_read(path))
    except FileNotFoundError:
        raise AttestationError(
            "There is no bundle here.", where=str(folder), hint=f"A bundle is a folder with a {MANIFEST} in it."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise AttestationError("The manifest cannot be read.", where=str(path), why=f"{error}.") from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        said = data.get("schema") if isinstance(data, dict) else None
        raise AttestationError(
            f"This is no manifest of a bundle that is known here: its schema is {said!r:.40}.",
            where=str(path),
            hint="A newer evalkit may know it: pip install -U pytest-evalkit",
        )
    texts = ("kind", "name", "alias", "version", "digest", "promotion")
    files = data.get("files")
    if not all(isinstance(data.get(name), str) for name in texts) or not isinstance(files, dict):
        raise AttestationError("The manifest lacks some of its entries.", where=str(path))
    return data


def _files(folder: Path, manifest: dict[str, Any]) -> tuple[dict[str, bytes], list[Finding]]:
    wrong: list[str] = []
    contents: dict[str, bytes] = {}
    for name, digest in sorted(manifest["files"].items())[:_MOST_FILES]:
        if Path(name).name != name or name in ("", ".", "..", MANIFEST):
            wrong.append(f"{name!r:.60} is no name of a file in it")
            continue
        try:
            contents[name] = _read(folder / name)
        except (OSError, ValueError) as error:
            wrong.append(f"{name}: {getattr(error, 'strerror', None) or error}")
            continue
        if hashlib.sha256(contents[name]).hexdigest() != digest:
            wrong.append(f"{name} was changed")
    strangers = sorted(path.name for path in folder.iterdir() if path.name not in {*manifest["files"], MANIFEST})
    wrong += [f"{name} is not in the manifest" for name in strangers]
    said = "; ".join(wrong) or f"all {len(contents)} have the digests that the manifest gives"
    return contents, [Finding(about="files", is_good=not wrong, said=said)]


def _version(manifest: dict[str, Any], content: bytes | None) -> Finding:
    if content is None:
        return Finding(about="version", is_good=False, said=f"{VERSION} is missing")
    if hashlib.sha256(content).hexdigest() != manifest["digest"]:
        return Finding(about="version", is_good=False, said=f"{VERSION} does not have the digest of the version")
    try:
        is_canonical = canonical_json(json.loads(content)) == content
    except (ValueError, RecursionError):
        is_canonical = False
    if not is_canonical:
        return Finding(about="version", is_good=False, said=f"{VERSION} is no canonical JSON")
    return Finding(about="version", is_good=True, said=f"{manifest['version']} ({manifest['digest'][:8]})")


def _statements(manifest: dict[str, Any], content: bytes | None, key: PublicKey | None) -> list[Finding]:
    if content is None:
        return [Finding(about="statements", is_good=False, said=f"{ATTESTATION} is missing")]
    try:
        envelopes = [Envelope.from_json(json.loads(line)) for line in content.splitlines()]
        said = {one.predicate_type: one for one in map(Statement.of, envelopes)}
    except (ValueError, RecursionError) as error:  # AttestationError is one
        return [Finding(about="statements", is_good=False, said=str(error).replace("\n", " "))]
    return [_about(manifest, said, len(envelopes)), _result(said), _signatures(envelopes, key)]


def _about(manifest: dict[str, Any], said: dict[str, Statement], count: int) -> Finding:
    if set(said) != {SUMMARY, PROMOTION} or count != len(said):
        return Finding(about="statements", is_good=False, said="they are not the two that a bundle has")
    subjects = {f"{manifest['kind']}/{manifest['name']}": manifest["digest"]}
    promotion = said[PROMOTION].predicate
    wrong = [kind for kind, one in said.items() if dict(one.subjects) != subjects]
    wrong += [
        name
        for name, field in (("alias", "alias"), ("promotion", "id"), ("kind", "kind"), ("name", "name"))
        if promotion.get(field) != manifest[name]
    ]
    if wrong:
        return Finding(about="statements", is_good=False, said="they are about something else: " + ", ".join(wrong))
    told = f"promotion {manifest['promotion']} of {next(iter(subjects))} to {manifest['alias']}"
    return Finding(about="statements", is_good=True, said=told)


def _result(said: dict[str, Statement]) -> Finding:
    """Whether the policy passed. What was overridden is in force all the same, which is for the reader to judge."""
    summary, promotion = said.get(SUMMARY), said.get(PROMOTION)
    if summary is not None and summary.predicate.get("verificationResult") == "PASSED":
        return Finding(about="policy", is_good=True, said="every rule passed")
    override = None if promotion is None else promotion.predicate.get("override")
    if isinstance(override, dict):
        given = override.get("rules")
        rules = ", ".join(map(str, given)) if isinstance(given, list) else "no rules named"
        return Finding(about="policy", is_good=None, said=f"overridden ({rules}): {override.get('reason')}")
    if promotion is not None and promotion.predicate.get("rollback_of"):
        return Finding(about="policy", is_good=None, said=f"rolled back: {promotion.predicate.get('reason')}")
    return Finding(about="policy", is_good=False, said="not every rule passed")


def _signatures(envelopes: list[Envelope], key: PublicKey | None) -> Finding:
    signed = all(envelope.signatures for envelope in envelopes)
    if key is None:
        said = "not checked: no key was given" if signed else "there are none"
        return Finding(about="signatures", is_good=None, said=said)
    if not signed:
        return Finding(about="signatures", is_good=False, said="there are none")
    good = all(envelope.is_signed_by(key) for envelope in envelopes)
    return Finding(about="signatures", is_good=good, said=f"{'of' if good else 'not of'} the key {key.id[:23]}…")


def _read(path: Path) -> bytes:
    if path.is_symlink():
        raise ValueError("it is a link")
    if path.stat().st_size > _LARGEST:
        raise ValueError("it is too large")
    return path.read_bytes()
