"""One message of a chat prompt: its templates, and what becomes of it when it is rendered."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.errors import PromptError
from evalkit.prompts.place import Origin, Place
from evalkit.prompts.shape import INSERT, ROLES
from evalkit.prompts.template import Engine, Template, parse
from evalkit.prompts.values import as_data, thawed


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message whose content is a template, or a list of parts with templates in their texts.

    `content` has a `Template` in the place of each text; `rest` are its other fields, which go out as they are.
    """

    rest: Mapping[str, Any]
    content: Any
    templates: tuple[Template, ...]

    def render(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The message as a plain dict, in a list of its own. Raises `PromptError`."""
        made: dict[str, Any] = {"role": self.rest["role"]}
        if self.content is not None:
            made["content"] = _filled(self.content, values)
        return [made | thawed({key: value for key, value in self.rest.items() if key != "role"})]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inserted:
    """The place where messages that are given under the name `variable` go."""

    variable: str
    place: Place

    @property
    def templates(self) -> tuple[Template, ...]:
        """Itself, as the one thing here that has a variable."""
        return (self,)

    @property
    def variables(self) -> Mapping[str, int]:
        """The variable."""
        return {self.variable: 1}

    @property
    def optional(self) -> frozenset[str]:
        """Nothing: an empty list says that there are none."""
        return frozenset()

    def render(self, values: Mapping[str, Any]) -> Any:
        """Copies of the messages that were given. Raises `PromptError` where they are none."""
        given = values[self.variable]
        if isinstance(given, str | bytes | Mapping) or not isinstance(given, Sequence):
            raise self._wrong(f'"{self.variable}" is a list of messages, not {type(given).__name__}.')
        messages = []
        for number, one in enumerate(given):
            what = f"{self.variable}[{number}]"
            message = as_data(one, what=what, where=self.place.at(1))
            if not isinstance(message, dict) or message.get("role") not in ROLES:
                raise self._wrong(f"{what} is no message: it has no role of {', '.join(ROLES)}.")
            messages.append(message)
        return messages

    def _wrong(self, what: str) -> PromptError:
        return PromptError(what, where=self.place.at(1), hint='A message is {"role": "user", "content": "…"}.')


def parsed(messages: Sequence[Mapping[str, Any]], engine: Engine, origin: Origin) -> tuple[Message | Inserted, ...]:
    """The messages with their templates parsed; their shape has been checked. Raises `PromptError`."""
    return tuple(_parsed(one, engine, origin, number) for number, one in enumerate(messages))


def _parsed(one: Mapping[str, Any], engine: Engine, origin: Origin, number: int) -> Message | Inserted:
    if INSERT in one:
        return Inserted(variable=one[INSERT], place=origin.place("messages", number, INSERT))
    found: list[Template] = []

    def templated(value: Any, *path: str | int) -> Any:
        if isinstance(value, str):
            found.append(parse(value, engine, origin.place(*path)))
            return found[-1]
        if isinstance(value, Mapping):
            # What a part is (`type`) is not for a variable to say.
            return {key: item if key == "type" else templated(item, *path, key) for key, item in value.items()}
        if isinstance(value, tuple):
            return tuple(templated(item, *path, place) for place, item in enumerate(value))
        return value

    content = templated(one.get("content"), "messages", number, "content")
    rest = {key: value for key, value in one.items() if key != "content"}
    return Message(rest=rest, content=content, templates=tuple(found))


def _filled(content: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(content, dict):
        return {key: _filled(item, values) for key, item in content.items()}
    if isinstance(content, tuple):
        return [_filled(item, values) for item in content]
    return content.render(values) if hasattr(content, "render") else content
