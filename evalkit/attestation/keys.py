"""Ed25519 keys: read by reference, never stored, named by their digest."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.errors import AttestationError, MissingExtra

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ENVIRONMENT = "env:"
_LARGEST = 64 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class PublicKey:
    """What checks signatures."""

    _key: Ed25519PublicKey

    @property
    def id(self) -> str:
        """Its name: `SHA256:` and the hex digest of its DER form (SubjectPublicKeyInfo)."""
        from cryptography.hazmat.primitives import serialization

        der = self._key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return f"SHA256:{hashlib.sha256(der).hexdigest()}"

    @property
    def pem(self) -> str:
        """The key as people pass it on."""
        from cryptography.hazmat.primitives import serialization

        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_bytes(serialization.Encoding.PEM, form).decode("ascii")

    def accepts(self, signature: bytes, message: bytes) -> bool:
        """Whether this key's owner signed `message`."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclasses.dataclass(frozen=True, slots=True)
class PrivateKey:
    """What signs. Its `repr` shows nothing of it."""

    _key: Ed25519PrivateKey = dataclasses.field(repr=False)

    @property
    def public(self) -> PublicKey:
        """The half that may be shown."""
        return PublicKey(self._key.public_key())

    def sign(self, message: bytes) -> bytes:
        """The signature of `message`, 64 bytes."""
        return self._key.sign(message)


def private_key(reference: str | None) -> PrivateKey | None:
    """The key that `reference` names: `env:NAME`, a variable with the PEM text, or the path of a PEM file.

    `None` gives `None`: nothing is signed then. Raises `AttestationError` where there is no key, or one of another
    kind; what is in it is never shown.
    """
    if reference is None:
        return None
    _load()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text, where = _found(reference)
    try:
        key = serialization.load_pem_private_key(text, password=None)
    except (ValueError, TypeError) as error:
        why = "It has a password." if isinstance(error, TypeError) else ""
        raise _unusable("private", where, why=why) from None  # whose words could quote the key
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable("private", where, why="It is a key of another kind.")
    return PrivateKey(key)


def public_key(path: str | Path) -> PublicKey:
    """The public key in a PEM file. Raises `AttestationError` where there is none."""
    _load()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    text, where = _found(str(path))
    try:
        key = serialization.load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm):
        raise _unusable("public", where) from None
    if not isinstance(key, Ed25519PublicKey):
        raise _unusable("public", where, why="It is a key of another kind.")
    return PublicKey(key)


def new_key(private: Path, public: Path) -> PublicKey:
    """Make a key pair: `private`, which only its owner may read, and `public`, to be passed on.

    Raises `AttestationError` where one of the files is there already.
    """
    _load()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    shown = PublicKey(key.public_key())
    for path, content, mode in ((private, text, 0o600), (public, shown.pem.encode("ascii"), 0o644)):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(content)
        except OSError as error:
            raise AttestationError(
                f"The key cannot be written: {error.strerror}.",
                where=str(path),
                hint="Name a file that is not there yet: a key that is lost cannot be made again.",
            ) from error
    return shown


def _found(reference: str) -> tuple[bytes, str]:
    if reference.startswith(_ENVIRONMENT):
        name = reference.removeprefix(_ENVIRONMENT)
        text = os.environ.get(name, "")
        if not text.strip():
            raise AttestationError(
                f"The environment variable {name} has no key.",
                hint="Set it to the PEM text of an Ed25519 key, or name a file instead.",
            )
        return text.encode(), f"${name}"
    path = Path(reference).expanduser()
    try:
        if path.stat().st_size > _LARGEST:
            raise _unusable("PEM", str(path), why="The file is too large for one.")
        return path.read_bytes(), str(path)
    except OSError as error:
        raise AttestationError(f"The key cannot be read: {error.strerror}.", where=str(path)) from error


def _unusable(kind: str, where: str, *, why: str = "") -> AttestationError:
    return AttestationError(
        f"This is no {kind} Ed25519 key in PEM form.",
        where=where,
        why=why,
        hint="Make a pair with: evalkit bundle new-key signing.pem signing.pub.pem",
    )


def _load() -> None:
    try:
        import cryptography  # noqa: F401 - whether it is there
    except ImportError:
        raise MissingExtra("cryptography", "sign", needed_for="signing and checking signatures") from None
