"""Signed statements: what a promotion was decided on, so that others can check it without evalkit.

    Statement → canonical JSON → Envelope (DSSE), signed with Ed25519 where a key is configured

The formats are those of in-toto (Statement v1), SLSA (verification summary v1) and DSSE v1. `cryptography` is imported
when something is signed or checked, not before; the extra `sign` installs it.
"""

from evalkit.attestation.dsse import Envelope, Signed
from evalkit.attestation.keys import PrivateKey, PublicKey, new_key, private_key, public_key
from evalkit.attestation.statement import IN_TOTO, Statement

__all__ = [
    "IN_TOTO",
    "Envelope",
    "PrivateKey",
    "PublicKey",
    "Signed",
    "Statement",
    "new_key",
    "private_key",
    "public_key",
]
