"""The prompts and models of a project: its files, and the versions that a session was told to use instead."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.config import Settings
from evalkit.errors import ConfigError, NotFound, did_you_mean
from evalkit.suites import Versioned
from evalkit.versions import SubjectKind

if TYPE_CHECKING:
    from evalkit.store import Registered

KINDS: tuple[SubjectKind, ...] = ("prompt", "model")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project's prompts and models: `prompts` and `models` are folders, `store` is where versions are kept.

    `picks` are the versions named by `--evalkit-prompt` and `--evalkit-model`, by kind and name. `redact` are the
    patterns of what must not be stored, beside keys and passwords.
    """

    root: Path
    store: str
    prompts: Path
    models: Path
    picks: Mapping[tuple[SubjectKind, str], str] = dataclasses.field(default_factory=dict)
    redact: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Project:
        """The project that `settings` are of. Raises `ConfigError` for a pick that is not `NAME=VERSION`."""
        picks: dict[tuple[SubjectKind, str], str] = {}
        given: tuple[tuple[SubjectKind, str, Sequence[str]], ...] = (
            ("prompt", "use_prompts", settings.use_prompts),
            ("model", "use_models", settings.use_models),
        )
        for kind, key, lines in given:
            for line in lines:
                name, found, which = (part.strip() for part in line.partition("="))
                where = settings.sources.get(key)
                if not (name and found and which):
                    raise ConfigError(
                        f"{line!r:.80} names no version of a {kind}.",
                        where=where,
                        hint=f"Write NAME=VERSION, such as {name or 'greeting'}=v2.",
                    )
                if picks.get((kind, name), which) != which:
                    raise ConfigError(f"The {kind} {name} is to be both {picks[kind, name]} and {which}.", where=where)
                picks[kind, name] = which
        return cls(
            root=settings.root,
            store=settings.store,
            prompts=settings.root / settings.prompts,
            models=settings.root / settings.models,
            picks=picks,
            redact=settings.redact,
        )

    def files(self, kind: SubjectKind) -> Mapping[str, Path]:
        """The files of one kind, by name, in order. Raises for two files with one name."""
        if kind == "prompt":
            from evalkit.prompts import prompt_files

            return prompt_files(self.prompts).all()
        from evalkit.models.files import model_files

        return model_files(self.models)

    def read(self, kind: SubjectKind, name: str) -> Versioned | None:
        """What the file of that name says: a `Prompt`, or a model's `Spec`; `None` where there is no such file.

        Raises what reading it raises, with the file and line.
        """
        if kind == "prompt":
            from evalkit.prompts import prompt_files, read_prompt

            path = prompt_files(self.prompts).find(name)
            return None if path is None else read_prompt(path, name=name)
        from evalkit.models.files import model_files, read_model_file

        path = model_files(self.models).get(name)
        return None if path is None else read_model_file(path, shown=self.shown(path))

    def require(self, kind: SubjectKind, name: str, *, where: str | None = None) -> Versioned:
        """The same; raises `NotFound`, with near names among the files and in the store, where there is no file."""
        found = self.read(kind, name)
        if found is None:
            raise self.unknown(kind, name, where=where)
        return found

    def stored(self, kind: SubjectKind, name: str, which: str, *, where: str | None = None) -> Registered:
        """The stored version that `which` names (`v2`, the beginning of a digest, an alias). Raises `NotFound`."""
        from evalkit.store import open_store

        try:
            with open_store(self.store, create=False) as store:
                if not store.versions(kind, name):
                    raise self.unknown(kind, name, where=where)
                return store.version(kind, name, which)
        except NotFound as error:
            error.where = where or error.where
            raise

    def unknown(self, kind: SubjectKind, name: str, *, where: str | None = None) -> NotFound:
        """The error for a name that is neither a file nor stored."""
        files, stored = sorted(self.files(kind)), sorted(self._stored_names(kind))
        folder = self.shown(self.prompts if kind == "prompt" else self.models)
        known = [f"files in {folder}: {', '.join(files[:12])}"] if files else [f"no files in {folder}"]
        if stored:
            known.append(f"in the store: {', '.join(stored[:12])}")
        ending = ".md" if kind == "prompt" else ".yaml"
        return NotFound(
            f'There is no {kind} "{name:.100}".' + did_you_mean(name[:100], [*files, *stored]),
            where=where,
            why=f"There are {'; '.join(known)}.",
            hint=None if name in stored else f"Write {folder}/{name:.100}{ending}.",
        )

    def shown(self, path: Path) -> str:
        """A path as it is said to people: from the project's root."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return str(path)

    def _stored_names(self, kind: SubjectKind) -> set[str]:
        from evalkit.store import open_store

        try:
            with open_store(self.store, create=False) as store:
                return {one.version.name for one in store.versions(kind)}
        except (NotFound, OSError):  # there is no store, or none to be had: then it cannot help either
            return set()
