"""A rubric: the one criterion that a judge decides by, in words, with what it is shown and what it may say."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from evalkit.canonical import digest
from evalkit.errors import ScorerError, did_you_mean
from evalkit_scorers.judges.parts import PARTS
from evalkit_scorers.judges.scale import Scale, scale_of

FOLDER = Path(__file__).parent / "rubrics"
_KEYS = ("title", "shows", "levels")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """One criterion. `shows` are the parts of a trial that the judge sees, in that order.

    `version` is the digest of all of it: other words are another rubric, and what was known of the old one is stale.
    """

    name: str
    title: str
    text: str
    shows: tuple[str, ...]
    scale: Scale

    @property
    def version(self) -> str:
        """The SHA-256 of the rubric's content, without its name."""
        return digest(
            {
                "text": self.text,
                "shows": list(self.shows),
                "scale": [dataclasses.asdict(level) for level in self.scale],
            }
        )


def rubric_names() -> tuple[str, ...]:
    """The built-in rubrics, by the alphabet."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.md")))


@cache
def built_in(name: str) -> Rubric:
    """The built-in rubric of that name. Raises `ScorerError`, with the nearest ones, where there is none."""
    if name not in rubric_names():
        raise ScorerError(f'There is no built-in rubric "{name}".' + did_you_mean(name, rubric_names()))
    return read_rubric(FOLDER / f"{name}.md")


def read_rubric(file: str | Path) -> Rubric:
    """The rubric in a Markdown file: a head of YAML with `title`, `shows` and `levels`, the criterion below.

    Raises `ScorerError` with the file for one that lacks a part, names a part of a trial that there is not, or
    cannot be read.
    """
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScorerError(f"The rubric cannot be read: {error}.", where=str(path)) from None
    head, body = _split(text, path)
    for key in head:
        if key not in _KEYS:
            raise ScorerError(f'A rubric has no "{key}".' + did_you_mean(str(key), _KEYS), where=str(path))
    lacking = [key for key in _KEYS if not head.get(key)]
    if lacking or not body:
        raise ScorerError(f"The rubric lacks {', '.join(lacking) or 'its criterion'}.", where=str(path))
    return Rubric(
        name=path.stem,
        title=str(head["title"]),
        text=body,
        shows=shown_parts(head["shows"], where=str(path)),
        scale=scale_of(head["levels"], where=str(path)),
    )


def shown_parts(given: Any, *, where: str | None = None) -> tuple[str, ...]:
    """`given` as names of parts of a trial. Raises `ScorerError` for others, with the nearest one."""
    names = tuple(given) if isinstance(given, list | tuple) else (given,)
    for name in names:
        if name not in PARTS:
            raise ScorerError(
                f"A judge cannot be shown {name!r:.40}." + did_you_mean(str(name), PARTS),
                where=where,
                hint="It may be shown " + ", ".join(PARTS) + ".",
            )
    return names


def _split(text: str, path: Path) -> tuple[Mapping[str, Any], str]:
    from evalkit.loaders.plain_yaml import Reader

    lines = text.splitlines()
    ends = [at for at, line in enumerate(lines) if line.strip() == "---"]
    if len(ends) < 2 or ends[0] != 0:
        raise ScorerError("A rubric begins with a head between two lines of ---.", where=f"{path}:1")
    reader = Reader(shown=str(path), kind="the head of a rubric", error=ScorerError, first_line=2)
    head = reader.read("\n".join(lines[1 : ends[1]])).value
    if not isinstance(head, Mapping):
        raise ScorerError("The head of a rubric has title, shows and levels.", where=f"{path}:1")
    return head, "\n".join(lines[ends[1] + 1 :]).strip()
