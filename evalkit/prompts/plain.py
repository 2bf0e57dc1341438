r"""The plain template: `{{ name }}` is replaced by a value, and nothing else means anything.

A value is never read as a template, whatever it says. `\{{` is two literal braces, and a backslash before a variable
is written `\\{{ name }}`. Single braces, `}}` and `{%` are text.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from evalkit.errors import PromptError
from evalkit.prompts.place import Place
from evalkit.prompts.values import as_text

_VARIABLE = re.compile(r"\{\{\s*([^\W\d]\w*)\s*\}\}")
_JINJA = re.compile(r"\{\{\s*[^\W\d][\w.\[\]'\"]*\s*[|.\[(]")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlainTemplate:
    """A text with variables, taken apart.

    `variables` are the names in the order of their first use, each with its line in the text, counted from 1.
    """

    pieces: tuple[str | tuple[str], ...]
    variables: Mapping[str, int]
    optional: frozenset[str]
    place: Place

    @classmethod
    def parse(cls, text: str, place: Place) -> PlainTemplate:
        """The template of `text`. Raises `PromptError`, with the line, for `{{` that begins no variable."""
        pieces: list[str | tuple[str]] = []
        variables: dict[str, int] = {}
        end = 0
        while True:
            start = text.find("{{", end)
            if start < 0:
                break
            escapes = start - len(text[end:start].rstrip("\\")) - end
            if escapes % 2:
                pieces.append(text[end : start - escapes] + "\\" * (escapes // 2) + "{{")
                end = start + 2
                continue
            while text.startswith("{{{", start) and not _VARIABLE.match(text, start):
                start += 1  # of three braces before a name, the first is text
            found = _VARIABLE.match(text, start)
            if found is None:
                raise _no_variable(text, start, place)
            pieces.append(text[end:start].removesuffix("\\" * (escapes // 2)) if escapes else text[end:start])
            pieces.append((found[1],))
            if found[1] not in variables:
                variables[found[1]] = text.count("\n", 0, start) + 1
            end = found.end()
        pieces.append(text[end:])
        return cls(pieces=tuple(pieces), variables=variables, optional=frozenset(), place=place)

    def render(self, values: Mapping[str, Any]) -> str:
        """The text with `values` in it; each variable must have one. Raises `PromptError`."""
        made = {
            name: as_text(values[name], what=f'The value of "{name}"', where=self.place.at(line))
            for name, line in self.variables.items()
        }
        return "".join(piece if isinstance(piece, str) else made[piece[0]] for piece in self.pieces)


def _no_variable(text: str, start: int, place: Place) -> PromptError:
    line = text.count("\n", 0, start) + 1
    shown = text[start : start + 40].partition("\n")[0]
    if _JINJA.match(text, start):
        hint = "Filters, attributes and calls are Jinja: write `template: jinja` at the head of the file."
    else:
        hint = r"Write \{{ for two braces that are text."
    return PromptError(
        f"{shown!r} begins no variable: one is written {{{{ name }}}}.",
        where=place.at(line),
        why="A name is letters, digits and _.",
        hint=hint,
    )
