"""A folder of files that are called by name: `support-reply` is `support-reply.md`, `team/greeting` lies one deeper."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path

from evalkit.errors import EvalkitError, NotFound, did_you_mean

NAME = re.compile(r"[^\W_][\w.-]*(/[^\W_][\w.-]*)*")
"""A name: parts of letters, digits, `-`, `_` and `.`, each beginning with a letter or digit, with `/` between them."""

LONGEST_NAME = 200
MOST_FILES = 20_000


def is_name(text: str) -> bool:
    """Whether `text` may be the name of a prompt or a model."""
    return len(text) <= LONGEST_NAME and NAME.fullmatch(text) is not None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NamedFiles:
    """The files of one kind below `folder`; `kind` is what errors call one (`prompt`).

    `endings` are those that count, such as `.md`. Files whose name begins with a dot, and READMEs, do not count.
    """

    folder: Path
    kind: str
    endings: tuple[str, ...]
    error: type[EvalkitError]

    @property
    def shown(self) -> str:
        """The folder as short as it can be said from the working directory."""
        return shown_path(self.folder)

    def all(self) -> Mapping[str, Path]:
        """Every file by its name, sorted; empty where there is no folder.

        Raises for a file whose name cannot be one, and for two files with the same name.
        """
        found: dict[str, Path] = {}
        for path in self._files():
            name = path.relative_to(self.folder).with_suffix("").as_posix()
            if not is_name(name):
                raise self.error(
                    f'"{name}" cannot be the name of a {self.kind}.',
                    where=shown_path(path),
                    hint="A name has letters, digits, -, _ and ., and begins with a letter or a digit.",
                )
            if name in found:
                raise self.error(
                    f"Two files are the {self.kind} {name}: {found[name].name} and {path.name}.",
                    where=shown_path(path),
                    hint="Remove or rename one of them.",
                )
            found[name] = path
        return dict(sorted(found.items()))

    def find(self, name: str) -> Path | None:
        """The file of that name, `None` where there is none. Raises for two of them, and for a link that leads out."""
        if not is_name(name):
            return None
        folder, base = (self.folder / name).parent, name.rpartition("/")[2]
        try:
            there = sorted(os.listdir(folder))  # noqa: PTH208 - names as they are written, whatever the file system thinks
        except OSError:
            return None
        paths = [folder / f"{base}{ending}" for ending in self.endings if f"{base}{ending}" in there]
        if len(paths) > 1:
            raise self.error(
                f"Two files are the {self.kind} {name}: {paths[0].name} and {paths[1].name}.",
                where=shown_path(paths[1]),
                hint="Remove or rename one of them.",
            )
        return self._inside(paths[0]) if paths else None

    def require(self, name: str, *, also: Mapping[str, str] | None = None) -> Path:
        """The file of that name. Raises `NotFound` with near names, those of `also` (name: where it is) included."""
        path = self.find(name)
        if path is not None:
            return path
        names = sorted(self.all())
        elsewhere = {other: place for other, place in (also or {}).items() if other not in names}
        listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        raise NotFound(
            f'There is no {self.kind} "{name}".' + did_you_mean(name, [*names, *elsewhere]),
            why=f"The files in {self.shown} are: {listed}."
            if names
            else f"No file of a {self.kind} is in {self.shown}.",
            hint=f"Write {self.shown}/{name if is_name(name) else 'NAME'}{self.endings[0]}.",
        )

    def _inside(self, path: Path) -> Path:
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise self.error(
                f"The file leads out of the folder of {self.kind}s.",
                where=shown_path(path),
                why="A link could bring in any file of the machine.",
                hint="Put the file itself there.",
            )
        return path

    def _files(self) -> list[Path]:
        found: list[Path] = []
        for folder, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(folder, name)
                if name.startswith(".") or path.suffix not in self.endings or path.stem.lower() == "readme":
                    continue
                found.append(self._inside(path))
                if len(found) > MOST_FILES:
                    raise self.error(f"There are more than {MOST_FILES:,} files.", where=self.shown)
        return found


def shown_path(path: Path) -> str:
    """The path as short as it can be said from the working directory."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix() or "."
    except (ValueError, OSError):
        return str(path)
