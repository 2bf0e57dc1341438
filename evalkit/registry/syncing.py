"""Bringing the store up to the files: each prompt and model file is registered as a version, once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from evalkit.redaction import redactor
from evalkit.redaction.records import of_version
from evalkit.registry.gitfiles import last_change
from evalkit.registry.project import KINDS, Project
from evalkit.versions import SubjectKind, Version

if TYPE_CHECKING:
    from evalkit.store import Registered, Store

State = Literal["same", "changed", "new", "stored"]
"""How a name's file and the store stand to each other.

`same`: the file's content is a stored version. `changed`: it is not, though other versions are. `new`: the store does
not know the name. `stored`: there is no such file, only stored versions.
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One prompt or model, as a file and in the store.

    `file` is the version that the file is now, with its number where it is stored; `None` where there is no file.
    `registered` are the stored versions, oldest first.
    """

    kind: SubjectKind
    name: str
    file: Version | None
    registered: tuple[Registered, ...] = ()

    @property
    def state(self) -> State:
        """See `State`."""
        if self.file is None:
            return "stored"
        if self.file.number is not None:
            return "same"
        return "changed" if self.registered else "new"

    @property
    def drifted(self) -> bool:
        """Whether the file says something that the store does not have."""
        return self.state in ("changed", "new")


def standings(project: Project, store: Store | None, *, kinds: Sequence[SubjectKind] = KINDS) -> list[Standing]:
    """Every prompt and model, by kind and name; `store` is `None` where there is none yet.

    Raises what reading a broken file raises.
    """
    found: list[Standing] = []
    for kind in kinds:
        files = {name: project.require(kind, name).version for name in project.files(kind)}
        registered: dict[str, list[Registered]] = {}
        for one in store.versions(kind) if store is not None else ():
            registered.setdefault(one.version.name, []).append(one)
        found.extend(
            standing(kind, name, files.get(name), registered.get(name, ())) for name in sorted({*files, *registered})
        )
    return found


def standing(kind: SubjectKind, name: str, file: Version | None, registered: Sequence[Registered]) -> Standing:
    """One of `standings`: `file` is what its file says now, `registered` what the store has."""
    if file is not None:
        numbers = {one.version.digest: one.version.number for one in registered}
        file = dataclasses.replace(file, number=numbers.get(file.digest))
    return Standing(kind=kind, name=name, file=file, registered=tuple(registered))


def register(project: Project, store: Store, kind: SubjectKind, name: str) -> tuple[Version, bool]:
    """Register what the file of that name says now; the version, and whether it is new to the store.

    The commit that the file is from and its author are kept with it, where the file is committed as it is. Keys and
    passwords in it are blotted out. Raises `NotFound` where there is no such file.
    """
    version = project.require(kind, name).version
    before = {one.version.digest for one in store.versions(kind, name)}
    if version.digest in before:
        return store.version(kind, name, version.digest).version, False
    path = project.files(kind)[name]
    commit, author = last_change(path)
    version = of_version(dataclasses.replace(version, source=project.shown(path)), redactor(project.redact))
    return store.register(version, author=author, commit=commit), True


def sync(project: Project, store: Store) -> list[tuple[Version, bool]]:
    """Register every prompt and model file; each version, and whether it was new. Doing it again changes nothing."""
    return [register(project, store, kind, name) for kind in KINDS for name in project.files(kind)]
