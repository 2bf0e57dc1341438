"""What the parts of a prompt may be; told to whoever wrote them, with the place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalkit.errors import PromptError, did_you_mean
from evalkit.loaders.named_files import LONGEST_NAME, is_name
from evalkit.prompts.place import Origin
from evalkit.prompts.template import ENGINES
from evalkit.prompts.values import as_data

if TYPE_CHECKING:
    from evalkit.prompts.prompt import Prompt

ROLES = ("system", "developer", "user", "assistant", "tool")
MESSAGE_KEYS = ("role", "content", "name", "tool_calls", "tool_call_id")
INSERT = "insert"

_SECRETS = ("api_key", "apikey", "authorization", "password", "secret", "token", "access_token", "credentials")


def checked_parts(prompt: Prompt, origin: Origin) -> dict[str, Any]:
    """The parts of `prompt` as plain data. Raises `PromptError` for one of the wrong kind, naming where it stands."""
    if not isinstance(prompt.name, str) or not is_name(prompt.name):
        raise PromptError(
            f"{prompt.name!r:.80} cannot be the name of a prompt.",
            hint=f"A name has letters, digits, -, _ and ., begins with a letter or digit, and is at most "
            f"{LONGEST_NAME} long.",
        )
    if prompt.template not in ENGINES:
        raise _wrong(
            f"`template` is plain or jinja, not {prompt.template!r:.40}."
            + did_you_mean(str(prompt.template)[:40], ENGINES),
            origin.at("template"),
        )
    for key in ("description", "owner"):
        if not isinstance(getattr(prompt, key), str):
            raise _wrong(f"`{key}` is text, not {_kind(getattr(prompt, key))}.", origin.at(key))
    if prompt.text is not None and not isinstance(prompt.text, str):
        raise _wrong(f"`text` is text, not {_kind(prompt.text)}.", origin.at("text"))
    _check_role(prompt.role, origin.at("role"))
    return {
        "tags": [_text(tag, "A tag", origin.at("tags")) for tag in _listed("tags", prompt.tags, origin)],
        "messages": [
            _message(one, origin, number) for number, one in enumerate(_listed("messages", prompt.messages, origin))
        ],
        "tools": [
            _mapping(one, f"tools[{number}]", origin.at("tools", number))
            for number, one in enumerate(_listed("tools", prompt.tools, origin))
        ],
        "response_format": None
        if prompt.response_format is None
        else _mapping(prompt.response_format, "`response_format`", origin.at("response_format")),
        "settings": _settings(prompt.settings, origin),
    }


def _message(value: Any, origin: Origin, number: int) -> dict[str, Any]:
    what, where = f"messages[{number}]", origin.at("messages", number)
    message = _mapping(value, what, where)
    if INSERT in message:
        inserted = message[INSERT]
        if len(message) > 1 or not isinstance(inserted, str) or not inserted.isidentifier():
            raise _wrong(
                f"{what} inserts messages, and has only the name of a variable.", where, "Write: - insert: history"
            )
        return message
    for key in message:
        if key not in MESSAGE_KEYS:
            raise _wrong(
                f'A message has no "{key:.40}".' + did_you_mean(key[:40], (*MESSAGE_KEYS, INSERT)),
                origin.at("messages", number, key),
                f"It may have {', '.join(MESSAGE_KEYS)}, or be `insert: NAME`.",
            )
    if "role" not in message:
        raise _wrong(f"{what} has no role.", where, f"The roles are {', '.join(ROLES)}.")
    _check_role(message["role"], origin.at("messages", number, "role"))
    content = message.get("content")
    if isinstance(content, list):
        for place, part in enumerate(content):
            _mapping(part, f"{what}.content[{place}]", origin.at("messages", number, "content", place))
    elif content is None:
        if not message.get("tool_calls"):
            raise _wrong(f"{what} has no content.", where)
    elif not isinstance(content, str):
        raise _wrong(
            f"{what}.content is text or a list of parts, not {_kind(content)}.",
            origin.at("messages", number, "content"),
            "Put it in quotes to have it as text.",
        )
    return message


def _settings(value: Any, origin: Origin) -> dict[str, Any]:
    settings = _mapping(value, "`settings`", origin.at("settings"))
    for key in settings:
        if key.lower().replace("-", "_") in _SECRETS:
            raise PromptError(
                f'"{key}" is no part of a prompt.',
                where=origin.at("settings", key),
                why="A prompt is stored with every run, for everybody who reads it.",
                hint="Keys belong to the environment; a model file names the variable that has one.",
            )
    return settings


def _check_role(role: Any, where: str) -> None:
    if role not in ROLES:
        raise _wrong(
            f"The role is {role!r:.40}.{did_you_mean(str(role)[:40], ROLES)}",
            where,
            f"It is one of {', '.join(ROLES)}.",
        )


def _listed(key: str, value: Any, origin: Origin) -> Sequence[Any]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
        raise _wrong(f"`{key}` is a list, not {_kind(value)}.", origin.at(key))
    return value


def _mapping(value: Any, what: str, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(f"{what} is a mapping of names to values, not {_kind(value)}.", where)
    made: dict[str, Any] = as_data(value, what=what, where=where)
    return made


def _text(value: Any, what: str, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong(f"{what} is text, not {_kind(value)}.", where)
    return value


def _wrong(what: str, where: str, hint: str | None = None) -> PromptError:
    return PromptError(what, where=where, hint=hint)


def _kind(value: Any) -> str:
    kinds = {
        list: "a list",
        tuple: "a list",
        dict: "a mapping",
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
    }
    return "nothing" if value is None else kinds.get(type(value), type(value).__name__)
