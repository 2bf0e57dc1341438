"""The last version that was good, kept as a file for when the store is away."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from evalkit.canonical import digest, utc_now
from evalkit.versions import SubjectKind, Version

LARGEST = 4_000_000
"""Bytes that a copy may have."""

_FORMAT = "evalkit.copy/1"
_log = logging.getLogger("evalkit.registry")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of which store: `which` is a version or an alias; `store` has no password in it."""

    kind: SubjectKind
    name: str
    which: str
    store: str

    @property
    def file(self) -> str:
        """The name of the file that has the answer."""
        return f"{digest(dataclasses.asdict(self))[:32]}.json"


def default_folder() -> Path | None:
    """Where copies are kept where nobody says: the user's cache folder; `None` where there is no home."""
    base = os.environ.get("XDG_CACHE_HOME")
    if base and os.path.isabs(base):  # noqa: PTH117 - a relative one is to be ignored, says the XDG specification
        return Path(base, "evalkit", "copies")
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home.joinpath(*(("Library", "Caches") if sys.platform == "darwin" else (".cache",)), "evalkit", "copies")


def keep(folder: Path, asked: Asked, version: Version) -> None:
    """Write the copy, whole or not at all. That it cannot be written is logged, and no reason to fail."""
    data = {
        "schema": _FORMAT,
        **dataclasses.asdict(asked),
        "digest": version.digest,
        "number": version.number,
        "source": version.source,
        "body": dict(version.body),
        "kept_at": utc_now().isoformat(),
    }
    path = folder / asked.file
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".copy-", suffix=".json")
        try:
            with open(handle, "w", encoding="utf-8") as stream:  # noqa: PTH123 - by its handle
                json.dump(data, stream, ensure_ascii=True, indent=1)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, path)  # noqa: PTH105 - by its name
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108 - by its name
            raise
    except OSError as error:
        _log.warning("No copy of the %s %s could be kept in %s: %s", asked.kind, asked.name, folder, error)


def kept(folder: Path, asked: Asked) -> tuple[Version, str] | None:
    """The copy and when it was made; `None` where there is none, or where it is not what it says it is."""
    path = folder / asked.file
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        data = json.loads(path.read_text(encoding="utf-8"))
        return _checked(data, asked), str(data["kept_at"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        _log.warning("The copy of the %s %s in %s is damaged and not used: %s", asked.kind, asked.name, path, error)
        return None


def _checked(data: Any, asked: Asked) -> Version:
    if not isinstance(data, dict) or data.get("schema") != _FORMAT:
        raise ValueError("it is no copy of evalkit's")
    if any(data.get(key) != value for key, value in dataclasses.asdict(asked).items()):
        raise ValueError("it is of something else")
    body, number = data["body"], data["number"]
    if not isinstance(body, dict) or digest(body) != data["digest"]:
        raise ValueError("its content does not have its digest")
    if not (number is None or type(number) is int):
        raise ValueError("its number is none")
    return Version(
        kind=asked.kind, name=asked.name, digest=data["digest"], body=body, number=number, source=data.get("source")
    )
