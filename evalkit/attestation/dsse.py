"""DSSE v1: an envelope around bytes, with signatures over their type and content.

https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evalkit.errors import AttestationError

if TYPE_CHECKING:
    from evalkit.attestation.keys import PrivateKey, PublicKey


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One signature, 64 bytes for Ed25519. `keyid` says which key to try, and proves nothing."""

    keyid: str
    signature: bytes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Bytes, what they are, and who signed them; nobody where no key was configured."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signed, ...] = ()

    @classmethod
    def seal(cls, payload: bytes, payload_type: str, key: PrivateKey | None) -> Envelope:
        """The envelope of `payload`, signed by `key`; without a signature where that is `None`."""
        if key is None:
            return cls(payload_type=payload_type, payload=payload)
        signature = Signed(keyid=key.public.id, signature=key.sign(_authenticated(payload_type, payload)))
        return cls(payload_type=payload_type, payload=payload, signatures=(signature,))

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether one of the signatures is of `key`, over this type and these bytes. Names of keys are not trusted."""
        message = _authenticated(self.payload_type, self.payload)
        return any(key.accepts(signed.signature, message) for signed in self.signatures)

    def to_json(self) -> dict[str, Any]:
        """The envelope as the specification writes it."""
        return {
            "payloadType": self.payload_type,
            "payload": _encoded(self.payload),
            "signatures": [{"keyid": one.keyid, "sig": _encoded(one.signature)} for one in self.signatures],
        }

    @classmethod
    def from_json(cls, data: Any, *, where: str | None = None) -> Envelope:
        """The envelope in plain data. Raises `AttestationError` for anything else."""
        try:
            if not isinstance(data, Mapping):
                raise TypeError("it is no object")
            return cls(
                payload_type=_text(data["payloadType"]),
                payload=_decoded(data["payload"]),
                signatures=tuple(
                    Signed(keyid=_text(one.get("keyid", "")), signature=_decoded(one["sig"]))
                    for one in data["signatures"]
                ),
            )
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
            why = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise AttestationError("This is no DSSE envelope.", where=where, why=f"{why}.") from error


def _authenticated(payload_type: str, payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding, which keeps type and content apart."""
    kind = payload_type.encode()
    return b" ".join((b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload))


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decoded(text: Any) -> bytes:
    """Base64, standard or for URLs: the specification asks readers to take both."""
    plain = _text(text).replace("-", "+").replace("_", "/")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value
