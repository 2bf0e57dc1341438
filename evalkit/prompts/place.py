"""Where a prompt and its parts stand, for errors about them."""

from __future__ import annotations

import dataclasses
from typing import Protocol

from evalkit.loaders.plain_yaml import Document, Path


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a template stands: what errors call the file, and the line that its text begins on.

    With `exact` false only the line of the whole text is known, and errors say which line of it they mean.
    """

    shown: str
    line: int | None = 1
    exact: bool = True

    def at(self, line: int) -> str:
        """The place of the text's own line `line`, counted from 1."""
        if self.line is None:
            return f"{self.shown}, line {line}"
        if self.exact:
            return f"{self.shown}:{self.line + line - 1}"
        return f"{self.shown}:{self.line}" + (f" (line {line} of the text)" if line > 1 else "")


class Origin(Protocol):
    """Where a whole prompt comes from, and each of its parts by its path: `("messages", 1, "content")`."""

    def at(self, *path: str | int) -> str:
        """The place of a part, for an error."""
        ...

    def place(self, *path: str | int) -> Place:
        """The place of a part that is a template."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InCode:
    """A prompt that code or a store holds: its parts are named, since they have no lines."""

    shown: str

    def at(self, *path: str | int) -> str:
        """The prompt and the path."""
        return ", ".join([self.shown, *([_said(path)] if path else [])])

    def place(self, *path: str | int) -> Place:
        """The same, with the lines of the part's own text."""
        return Place(shown=self.at(*path), line=None)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InFile:
    """A prompt file: `head` is its YAML, `text_line` the line that the text below it begins on, `None` for no text."""

    head: Document
    text_line: int | None = None

    def at(self, *path: str | int) -> str:
        """`file:line` of the part."""
        if path == ("text",) and self.text_line is not None:
            return f"{self.head.shown}:{self.text_line}"
        return self.head.where(*path)

    def place(self, *path: str | int) -> Place:
        """The place of the part; of a text inside YAML only the first line is known."""
        if path == ("text",) and self.text_line is not None:
            return Place(shown=self.head.shown, line=self.text_line)
        return Place(shown=self.head.shown, line=self.head.line(*path), exact=False)


def _said(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
