"""Checkpoints: where the log stood at some time, kept elsewhere, so that a log that was rewritten is found out.

A chain of hashes shows that something was changed in it. It does not show that all of it was written anew, or that its
end was cut off. Who has an earlier checkpoint sees both; who has a signed one can show it to others.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from evalkit.attestation.dsse import Envelope
from evalkit.audit.verifying import Verified
from evalkit.canonical import canonical_json
from evalkit.errors import AttestationError

if TYPE_CHECKING:
    from evalkit.attestation.keys import PrivateKey, PublicKey

SCHEMA = "evalkit.checkpoint/1"
PAYLOAD = "application/vnd.evalkit.checkpoint+json"
_LARGEST = 64 * 1024


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The number and hash of the newest entry, and when that was looked at. `seq` is 0 for an empty log."""

    seq: int
    hash: str
    at: dt.datetime

    def to_json(self) -> dict[str, Any]:
        """The checkpoint as plain data."""
        at = self.at.astimezone(dt.UTC).isoformat(timespec="microseconds")[:26] + "Z"
        return {"schema": SCHEMA, "seq": self.seq, "hash": self.hash, "at": at}

    def sealed(self, key: PrivateKey | None) -> dict[str, Any]:
        """What is written to a file: plain for `None`, else a DSSE envelope around it, signed by `key`."""
        return self.to_json() if key is None else Envelope.seal(canonical_json(self.to_json()), PAYLOAD, key).to_json()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A checkpoint as it was read from a file, and the names of the keys that signed it; empty for an unsigned one."""

    checkpoint: Checkpoint
    keys: tuple[str, ...] = ()


def read_checkpoint(text: str, *, key: PublicKey | None = None, where: str | None = None) -> Kept:
    """The checkpoint in the text of a file. With `key` it has to be signed by its owner.

    Raises `AttestationError` for a text that is no checkpoint, and for one whose signature is missing or wrong.
    """
    if len(text) > _LARGEST:
        raise AttestationError("The file is too large for a checkpoint.", where=where)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise _no_checkpoint(where, "it is not JSON") from None
    if not isinstance(said, dict) or "payloadType" not in said:
        if key is not None:
            raise AttestationError(
                "The checkpoint is not signed.",
                where=where,
                why="Whoever can write the file could have written this one.",
                hint="Leave the key out to check it as it is.",
            )
        return Kept(checkpoint=_checkpoint(said, where))
    envelope = Envelope.from_json(said, where=where)
    if envelope.payload_type != PAYLOAD:
        raise _no_checkpoint(where, f"it is {envelope.payload_type}")
    if key is not None and not envelope.is_signed_by(key):
        raise AttestationError(
            "The signature of the checkpoint is not of this key.",
            where=where,
            why=f"The key is {key.id}; the file names {', '.join(one.keyid for one in envelope.signatures) or 'none'}.",
        )
    try:
        inner = json.loads(envelope.payload)
    except (ValueError, RecursionError):
        raise _no_checkpoint(where, "its payload is not JSON") from None
    return Kept(checkpoint=_checkpoint(inner, where), keys=tuple(one.keyid for one in envelope.signatures))


def held_against(checkpoint: Checkpoint, verified: Verified, found: str | None) -> str:
    """What is wrong with a log by the word of a checkpoint, in a sentence; empty where it is the same log, gone on.

    `found` is the hash that the log's entry number `checkpoint.seq` has, `None` where there is no such entry.
    """
    since = f"the checkpoint of {checkpoint.at:%Y-%m-%d %H:%M} UTC"
    if checkpoint.seq == 0:
        return ""
    if found is None:
        return (
            f"Entry {checkpoint.seq} is missing: {since} has it, and the log ends at {verified.seq}. "
            "Its end was cut off, or it is another log."
        )
    if found != checkpoint.hash:
        return (
            f"Entry {checkpoint.seq}: its hash is {found[:12]}…, and {since} has {checkpoint.hash[:12]}…. "
            "This entry or an earlier one was rewritten, or it is another log."
        )
    if verified.seq < checkpoint.seq:
        return f"The log is good up to entry {verified.seq} only, and {since} is of entry {checkpoint.seq}."
    return ""


def _checkpoint(said: Any, where: str | None) -> Checkpoint:
    if not isinstance(said, dict) or said.get("schema") != SCHEMA:
        raise _no_checkpoint(where, f"it does not say that it is {SCHEMA}")
    seq, own, at = said.get("seq"), said.get("hash"), said.get("at")
    if type(seq) is not int or seq < 0 or not isinstance(own, str) or len(own) != 64 or not isinstance(at, str):
        raise _no_checkpoint(where, "its number, hash or time is none")
    try:
        time = dt.datetime.fromisoformat(at)
    except ValueError:
        raise _no_checkpoint(where, "its time is none") from None
    return Checkpoint(seq=seq, hash=own, at=time if time.tzinfo else time.replace(tzinfo=dt.UTC))


def _no_checkpoint(where: str | None, why: str) -> AttestationError:
    return AttestationError(
        "This is no checkpoint of an audit log.",
        where=where,
        why=f"{why[0].upper()}{why[1:]}.",
        hint="One is made by: evalkit audit checkpoint",
    )
