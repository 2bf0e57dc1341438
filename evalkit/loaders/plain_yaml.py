"""YAML as plain data, read as YAML 1.2 says: `no`, `on`, `12:30`, `2026-01-31` and `010` are what they look like.

Anchors and aliases are refused before anything is built, since a few lines of them can stand for gigabytes.
So are tags, a key given twice, NaN, and nesting beyond 100 levels.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evalkit.errors import DatasetError, EvalkitError
from evalkit.loaders.row import DEEPEST

if TYPE_CHECKING:
    import yaml

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

Path = tuple[str | int, ...]
"""How to get to a value: keys and places in lists, from the outside in."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads YAML texts of one kind.

    `shown` is what errors call the file, `kind` what they call its content (`a dataset`), `error` which they are.
    `first_line` is the line of the file that the text begins on.
    """

    shown: str
    kind: str = "a dataset"
    error: type[EvalkitError] = DatasetError
    first_line: int = 1

    def read(self, text: str) -> Document:
        """The text as plain data, with the line of each value."""
        root = self.tree(text)
        lines: dict[Path, int] = {}
        value = None if root is None else self.built(root, lines=lines)
        return Document(value=value, lines=lines, shown=self.shown, first_line=self.first_line)

    def tree(self, text: str) -> yaml.Node | None:
        """The tree of nodes, made after one pass over the events has found nothing that must be refused."""
        import yaml

        try:
            return self._composed(text)
        except yaml.MarkedYAMLError as error:
            mark: Any = error.problem_mark or error.context_mark
            problem = (error.problem or error.context or "it breaks off").rstrip(".")
            where = self._at(mark) if mark else self.shown
            # Since PyYAML 6.0.4 its scanner refuses a thousand levels, ahead of the events.
            if "nesting depth" in problem:
                raise self._too_deep(where) from None
            raise self.error(f"This is not YAML: {problem}.", where=where) from None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) if isinstance(error.position, int) else 0
            raise self.error(
                f"This is not YAML: {error.reason}.", where=f"{self.shown}:{self.first_line + line}"
            ) from None

    def _too_deep(self, where: str) -> EvalkitError:
        return self.error(f"The value is nested more than {DEEPEST} levels deep.", where=where)

    def _composed(self, text: str) -> yaml.Node | None:
        import yaml

        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        events: Any = yaml.parse(text, Loader=loader)
        depth = documents = 0
        for event in events:
            where = self._at(event.start_mark)
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise self.error(
                    "Anchors (&name) and aliases (*name) are not read.",
                    where=where,
                    why="A few lines of them can stand for more than any memory holds.",
                    hint="Write the value out, or put a text that begins with & or * in quotes.",
                )
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self.error(f"A second document begins here (---); one file is {self.kind}.", where=where)
            elif isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEEPEST:
                    raise self._too_deep(where)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            tag = getattr(event, "tag", None)
            if tag is not None and tag != "!":
                raise self.error(f"The tag {tag} is not read: {self.kind} is plain data.", where=where)
        node: yaml.Node | None = yaml.compose(text, Loader=loader)
        return node

    def built(self, node: yaml.Node, *, path: Path = (), lines: dict[Path, int] | None = None) -> Any:
        """The plain data that a node stands for; where each value begins is noted in `lines`."""
        import yaml

        if lines is not None:
            lines[path] = self.first_line + node.start_mark.line
        if isinstance(node, yaml.SequenceNode):
            return [self.built(item, path=(*path, i), lines=lines) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            made: dict[str, Any] = {}
            for key, value in node.value:
                at = self._at(key.start_mark)
                if not isinstance(key, yaml.ScalarNode):
                    raise self.error("A key is a list or a mapping; keys are text.", where=at)
                if key.value in made:
                    raise self.error(f'The key "{key.value}" is given twice; only the last would be kept.', where=at)
                inner = (*path, key.value)
                made[key.value] = self.built(value, path=inner, lines=lines)
                if lines is not None:
                    lines[inner] = self.first_line + key.start_mark.line
            return made
        # A style other than plain means that the text was quoted or a block, and stays text.
        plain = not getattr(node, "style", None)
        return self._scalar(node.value, self._at(node.start_mark)) if plain else node.value

    def _at(self, mark: Any) -> str:
        return f"{self.shown}:{self.first_line + mark.line}"

    def _scalar(self, text: str, where: str) -> Any:
        if _NULL.fullmatch(text):
            return None
        if _TRUE.fullmatch(text):
            return True
        if _FALSE.fullmatch(text):
            return False
        try:
            if _INTEGER.fullmatch(text):
                return int(text)
            if _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text):
                return int(text, 0)
        except ValueError as error:
            raise self.error(f"A number is too long: {error}.", where=where) from None
        if _FLOAT.fullmatch(text):
            number = float(text)
            if math.isinf(number):
                raise self.error(f"The number {text} is too large for a float.", where=where)
            return number
        if _NOT_FINITE.fullmatch(text):
            raise self.error(f"{text} stands for no value; write null, or leave it out.", where=where)
        return text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A YAML text as plain data, and on which line each value stands."""

    value: Any
    lines: Mapping[Path, int]
    shown: str
    first_line: int = 1

    def line(self, *path: str | int) -> int:
        """The line of the value at `path`, or of the nearest one around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, self.first_line)

    def where(self, *path: str | int) -> str:
        """`file:line` of the value at `path`."""
        return f"{self.shown}:{self.line(*path)}"
