"""in-toto Statements: something is said of contents that are named by their digest.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from evalkit.attestation.dsse import Envelope
from evalkit.attestation.keys import PrivateKey
from evalkit.canonical import canonical_json
from evalkit.errors import AttestationError

IN_TOTO = "application/vnd.in-toto+json"
"""The payload type of an envelope around a statement."""

_TYPE = "https://in-toto.io/Statement/v1"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is said: `predicate`, whose form is that of `predicate_type`, of the contents in `subjects`.

    `subjects` are SHA-256 digests (64 hex digits) by name.
    """

    subjects: Mapping[str, str]
    predicate_type: str
    predicate: Mapping[str, Any]

    def envelope(self, key: PrivateKey | None) -> Envelope:
        """The statement as canonical JSON (RFC 8785) in an envelope, signed by `key`; unsigned for `None`."""
        return Envelope.seal(canonical_json(self.to_json()), IN_TOTO, key)

    def to_json(self) -> dict[str, Any]:
        """The statement as the specification writes it."""
        return {
            "_type": _TYPE,
            "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in self.subjects.items()],
            "predicateType": self.predicate_type,
            "predicate": dict(self.predicate),
        }

    @classmethod
    def of(cls, envelope: Envelope, *, where: str | None = None) -> Statement:
        """The statement in an envelope, whoever signed that. Raises `AttestationError` for any other content."""
        if envelope.payload_type != IN_TOTO:
            raise AttestationError(
                f"The envelope has {envelope.payload_type!r:.60} in it, and no in-toto statement.", where=where
            )
        try:
            data = json.loads(envelope.payload)
            if data["_type"] != _TYPE:
                raise ValueError(f"its type is {data['_type']!r:.60}")
            return cls(
                subjects={str(one["name"]): str(one["digest"]["sha256"]) for one in data["subject"]},
                predicate_type=str(data["predicateType"]),
                predicate=dict(data["predicate"]),
            )
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            why = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise AttestationError("This is no in-toto Statement v1.", where=where, why=f"{why}.") from error
