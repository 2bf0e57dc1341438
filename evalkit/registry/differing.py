"""What differs between two versions of a prompt or a model, in words that a person reads."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from evalkit.versions import Version

Mark = Literal[" ", "-", "+"]
Piece = tuple[Mark, str]
"""A piece of text that stayed, went or came."""

Opcode = tuple[str, int, int, int, int]
_TEXTS = ("text", "messages")
_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_LONGEST_WORDS = 4000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A value that changed: `path` is `settings.temperature`; `before` or `after` is `None` where there was none."""

    path: str
    before: Any
    after: Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The difference between two versions.

    `lines` are those of the text: a mark and the pieces of the line, in which words that went or came have marks of
    their own. Lines far from any change are left out, a line `…` standing for them. `variables_added` and
    `variables_removed` are names; `values` are what changed outside the text.
    """

    lines: tuple[tuple[Mark, tuple[Piece, ...]], ...]
    variables_added: tuple[str, ...] = ()
    variables_removed: tuple[str, ...] = ()
    values: tuple[Change, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is a difference at all."""
        return bool(self.lines or self.values)


def difference(before: Version, after: Version) -> Changes:
    """What differs from `before` to `after`, two versions of one kind."""
    old, new = _variables(before), _variables(after)
    return Changes(
        lines=tuple(_lines(readable(before.body), readable(after.body))),
        variables_added=tuple(name for name in new if name not in old),
        variables_removed=tuple(name for name in old if name not in new),
        values=tuple(_values(before.body, after.body)),
    )


def readable(body: Mapping[str, Any]) -> list[str]:
    """The text of a prompt's body in lines: the text itself, or the messages below their roles; none for a model."""
    if "text" in body:
        return str(body["text"]).splitlines()
    lines: list[str] = []
    for message in body.get("messages", ()):
        if "insert" in message:
            lines += [f"[insert {message['insert']}]"]
            continue
        extra = {key: value for key, value in message.items() if key not in ("role", "content")}
        lines.append(f"[{message['role']}]" + (f" {_json(extra)}" if extra else ""))
        content = message.get("content")
        if isinstance(content, str):
            lines += content.splitlines()
        elif content is not None:
            for part in content:
                lines += str(part["text"]).splitlines() if set(part) == {"type", "text"} else [_json(part)]
    return lines


def _lines(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[Mark, tuple[Piece, ...]]]:
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    groups = list(matcher.get_grouped_opcodes(2))
    for group in groups:
        if group is not groups[0]:
            yield " ", ((" ", "…"),)
        for tag, a, b, c, d in group:
            if tag == "equal":
                yield from ((" ", ((" ", line),)) for line in before[a:b])
                continue
            old, new = _words("\n".join(before[a:b]), "\n".join(after[c:d]))
            yield from (("-", line) for line in old[: b - a])
            yield from (("+", line) for line in new[: d - c])


def _words(before: str, after: str) -> tuple[list[tuple[Piece, ...]], list[tuple[Piece, ...]]]:
    # The lines of both sides, word by word. Where too little is alike, marking single words would only be noise.
    old, new = _WORD.findall(before), _WORD.findall(after)
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    if len(old) + len(new) > _LONGEST_WORDS or matcher.ratio() < 0.4:
        return [((" ", line),) for line in before.split("\n")], [((" ", line),) for line in after.split("\n")]
    sides: tuple[list[Piece], list[Piece]] = ([], [])
    for tag, a, b, c, d in _joined(matcher.get_opcodes(), old):
        sides[0].append((" " if tag == "equal" else "-", "".join(old[a:b])))
        sides[1].append((" " if tag == "equal" else "+", "".join(new[c:d])))
    return _split(sides[0]), _split(sides[1])


def _joined(opcodes: Sequence[Opcode], old: Sequence[str]) -> Iterator[Opcode]:
    # Two changed words with a space between them are one change, not two.
    waiting: Opcode | None = None
    for place, (tag, a, b, c, d) in enumerate(opcodes):
        inside = 0 < place < len(opcodes) - 1
        changed = tag != "equal" or (inside and "".join(old[a:b]) == " ")
        if changed and waiting is not None:
            waiting = ("replace", waiting[1], b, waiting[3], d)
            continue
        if waiting is not None:
            yield waiting
        waiting = None
        if changed:
            waiting = ("replace", a, b, c, d)
        else:
            yield tag, a, b, c, d
    if waiting is not None:
        yield waiting


def _split(pieces: Sequence[Piece]) -> list[tuple[Piece, ...]]:
    lines: list[list[Piece]] = [[]]
    for mark, text in pieces:
        for number, part in enumerate(text.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append((mark, part))
    return [tuple(line) for line in lines]


def _values(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    old, new = (dict(_leaves({k: v for k, v in body.items() if k not in _TEXTS}, "")) for body in (before, after))
    for path in dict.fromkeys([*old, *new]):
        if _json(old.get(path)) != _json(new.get(path)):
            yield Change(path=path, before=old.get(path), after=new.get(path))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and value:
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{number}]")
    else:
        yield path, value


def _variables(version: Version) -> tuple[str, ...]:
    if version.kind != "prompt":
        return ()
    from evalkit.prompts import prompt_of

    return prompt_of(version).variables


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
