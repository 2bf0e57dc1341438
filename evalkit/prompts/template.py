"""Which template engine reads a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from evalkit.prompts.place import Place
from evalkit.prompts.plain import PlainTemplate

Engine = Literal["plain", "jinja"]
ENGINES: tuple[Engine, ...] = ("plain", "jinja")


class Template(Protocol):
    """A text with variables: each name with the line of its first use, and those that need no value."""

    @property
    def variables(self) -> Mapping[str, int]:
        """The names, with their lines in the text, counted from 1."""
        ...

    @property
    def optional(self) -> frozenset[str]:
        """The names that need no value."""
        ...

    @property
    def place(self) -> Place:
        """Where the text stands."""
        ...

    def render(self, values: Mapping[str, Any]) -> str:
        """The text with `values` in it. Raises `PromptError`."""
        ...


def parse(text: str, engine: Engine, place: Place) -> Template:
    """The template of `text`. Raises `PromptError`, with the line, for what is none."""
    if engine == "plain":
        return PlainTemplate.parse(text, place)
    from evalkit.prompts.jinja import JinjaTemplate  # which imports jinja2

    return JinjaTemplate.parse(text, place)
