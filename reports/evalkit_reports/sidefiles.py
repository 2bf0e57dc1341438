"""Chunks that stand beside a page instead of inside it, where they are too much for one file.

A page that is opened from disk may not fetch its neighbours, but it may load them as scripts. So each side file is a
script of one call whose arguments are base64; the page asks for it by a name that carries a digest of what it holds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from evalkit.errors import EvalkitError
from evalkit.wholefile import write_whole

INLINE = 48_000_000
"""How many characters of chunks a page carries itself. With more, all of them go into side files."""

FILE = 4_000_000
"""About how many characters one side file has; it is the least that is read to open a case."""

_OURS = re.compile(r"cases-\d{4}-[0-9a-f]{12}\.js")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SideFile:
    """One side file: its name, the number of its first chunk, and its text."""

    name: str
    first: int
    text: str


def side_files(chunks: Sequence[str]) -> tuple[SideFile, ...]:
    """`chunks` in as few files as make sense."""
    made: list[SideFile] = []
    for number, (first, group) in enumerate(_groups(chunks)):
        text = f"evalkitCases({first},{json.dumps(group)});\n"
        digest = hashlib.sha256(text.encode("ascii")).hexdigest()[:12]
        made.append(SideFile(name=f"cases-{number:04d}-{digest}.js", first=first, text=text))
    return tuple(made)


def _groups(chunks: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    group: list[str] = []
    first = 0
    for number, chunk in enumerate(chunks):
        if group and sum(map(len, group)) + len(chunk) > FILE:
            yield first, group
            group, first = [], number
        group.append(chunk)
    if group:
        yield first, group


def folder_of(page: Path) -> Path:
    """Where the side files of `page` are: `report.files` beside `report.html`."""
    return page.with_name(f"{page.stem}.files")


def write_side_files(files: Sequence[SideFile], folder: Path) -> None:
    """Write `files` into `folder`, each whole or not at all. Raises `EvalkitError` where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            write_whole(folder / file.name, file.text.encode("ascii"))
    except OSError as error:
        raise EvalkitError(
            "The side files of the report cannot be written.",
            where=str(folder),
            why=error.strerror or str(error),
            hint="A report of this size has its cases in files beside it; give it a folder that can be written to.",
        ) from error


def forget_side_files(files: Sequence[SideFile], folder: Path) -> None:
    """Remove the side files of an earlier page from `folder`, and the folder if nothing is left; others' stay."""
    kept = {file.name for file in files}
    if not folder.is_dir():
        return
    try:
        for path in folder.iterdir():
            if _OURS.fullmatch(path.name) and path.name not in kept:
                path.unlink()
        if not files and not any(folder.iterdir()):
            folder.rmdir()
    except OSError:
        return  # what is left over takes room and does no harm: the page names what it reads
