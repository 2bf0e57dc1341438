"""Which suites a change concerns: those of the prompts, models, datasets and tests that git says are changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from evalkit.errors import ConfigError
from evalkit.loaders import DatasetFile
from evalkit.provenance import git
from evalkit.registry.project import KINDS, Project
from evalkit.suites import Suite
from evalkit.versions import SubjectKind

_PAPERS = ("readme", "changelog", "contributing", "license", "authors", "codeowners")
_PAPER_FOLDERS = ("docs", "doc")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What differs between the files as they are and the commit where this branch left `since`.

    `files` are those that git follows, changed, moved or deleted; `new` are those that it does not follow yet.
    """

    since: str
    files: tuple[Path, ...]
    new: tuple[Path, ...] = ()

    @classmethod
    def since_ref(cls, folder: Path, since: str) -> Changed:
        """What git says in `folder`. Raises `ConfigError` where it says nothing: no checkout, no such commit."""
        top = git(folder, "rev-parse", "--show-toplevel")
        if top is None:
            raise ConfigError(
                "What changed cannot be found out: this is no git checkout.", hint="Leave out --evalkit-changed."
            )
        if since.startswith("-") or git(folder, "rev-parse", "--verify", "--quiet", f"{since}^{{commit}}") is None:
            raise ConfigError(
                f'git knows no commit "{since:.100}".',
                where="--evalkit-changed",
                hint="In CI, fetch it first; a checkout of one commit alone knows no other branch (fetch-depth: 0).",
            )
        base = git(folder, "merge-base", since, "HEAD")
        if base is None:
            raise ConfigError(
                f"git finds no commit that {since:.100} and this branch have in common.",
                where="--evalkit-changed",
                hint="In CI, fetch the whole history (fetch-depth: 0).",
            )
        root = Path(top.strip())
        tracked = git(root, "diff", "--name-only", "--no-renames", "-z", base.strip()) or ""
        others = git(root, "ls-files", "--others", "--exclude-standard", "-z") or ""
        return cls(since=since, files=_paths(root, tracked), new=_paths(root, others))

    def affected(self, suites: Sequence[Suite], project: Project) -> list[bool]:
        """For each suite whether it may come out differently now.

        A prompt or model file concerns the suites that declare it, and those that declare none, as they may load it
        themselves. A dataset concerns the suites that read it, a test file those in it; READMEs, docs and files of a
        name that begins with a dot concern none. Any other file may be part of what is under test, and concerns all.
        A new file that git does not follow yet counts only where it is one of the first four, or Python.
        """
        named = {path.resolve(): (kind, name) for kind in KINDS for name, path in project.files(kind).items()}
        tests = [Path(suite.file).resolve() for suite in suites]
        datasets = [_dataset(suite) for suite in suites]
        found, followed = [False] * len(suites), frozenset(self.files)
        for path in (*self.files, *self.new):
            if path in named:
                rule = _of_subject(*named[path])
                concerned = [rule(suite) for suite in suites]
            elif path in tests or path in datasets:
                concerned = [path in pair for pair in zip(tests, datasets, strict=True)]
            elif path in followed or path.suffix == ".py":
                concerned = [not _is_paper(path, project.root)] * len(suites)
            else:
                continue
            found = [before or now for before, now in zip(found, concerned, strict=True)]
        return found


def _of_subject(kind: SubjectKind, name: str) -> Callable[[Suite], bool]:
    def concerns(suite: Suite) -> bool:
        declared = suite.prompt if kind == "prompt" else suite.model
        if isinstance(declared, str):
            return declared == name
        # One that was made in Python may come from any file; so may what a suite loads that declares nothing.
        return declared is not None or suite.prompt is suite.model is None

    return concerns


def _dataset(suite: Suite) -> Path | None:
    source = suite.dataset
    if isinstance(source, DatasetFile):
        source = source.path
    return (suite.folder / source).resolve() if isinstance(source, str | Path) else None


def _is_paper(path: Path, root: Path) -> bool:
    parts = path.relative_to(root).parts if path.is_relative_to(root) else (path.name,)
    return (
        any(part.startswith(".") for part in parts)
        or parts[0].lower() in _PAPER_FOLDERS
        or path.stem.lower() in _PAPERS
    )


def _paths(root: Path, said: str) -> tuple[Path, ...]:
    return tuple((root / name).resolve() for name in said.split("\0") if name)
