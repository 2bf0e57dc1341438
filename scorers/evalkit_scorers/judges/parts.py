"""The parts of a trial that a judge is shown: where each is found, and how it is written down."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.case import Case
from evalkit_scorers.paths import MISSING, look_up

PARTS = {
    "question": "the input of the case",
    "answer": "the output",
    "reference": "the expected value",
    "context": "what was retrieved or given to answer from",
    "source": "the text that is summarised",
    "guidelines": "how to write",
    "schema": "the tables of a database",
    "tools": "the tools that could be called",
    "plan": "what was to be done",
    "trajectory": "what was done, step by step",
    "role": "what the assistant is to be",
    "conversation": "all turns of user and assistant",
    "first": "the first of two answers",
    "second": "the second of two answers",
}
"""What a rubric may show, and what each is. The first three are always there; the others are a key of the case's
input or metadata, by the same name unless an option says where.
"""

Places = Mapping[str, Sequence[str]]
"""For a part, the steps to it: `("metadata", "docs")`."""


class Absent(Exception):
    """A case lacks a part that its judge must be shown; the message says which, and where it was looked for."""


def parts_of(shows: Sequence[str], places: Places, fixed: Mapping[str, str], case: Case, output: Any) -> dict[str, str]:
    """The parts as text, in the order of `shows`. `fixed` are those that are the same for all cases.

    Raises `Absent` for one that the case does not have.
    """
    return {part: _part(part, places, fixed, case, output, shows) for part in shows}


def _part(part: str, places: Places, fixed: Mapping[str, str], case: Case, output: Any, shows: Sequence[str]) -> str:
    if part in fixed:
        return fixed[part]
    if part in places:
        return shown_at(places[part], case, output)
    found = _by_habit(part, case, output, shows)
    if found is MISSING or found is None:
        where = "expected value" if part == "reference" else f'"{part}" in its input or metadata'
        raise Absent(f"the case has no {where}")
    return written(found)


def shown_at(steps: Sequence[str], case: Case, output: Any) -> str:
    """What lies at `steps` of a trial (`input`, `expected`, `metadata` or `output` first), as text.

    Raises `Absent` where there is nothing.
    """
    whole = {"input": case.input, "metadata": case.metadata, "expected": case.expected, "output": output}
    found = look_up(whole, steps)
    if found is MISSING or found is None:
        raise Absent(f"there is nothing at {'.'.join(steps)}")
    return written(found)


def _by_habit(part: str, case: Case, output: Any, shows: Sequence[str]) -> Any:
    if part == "answer":
        return MISSING if output is None else output
    if part == "reference":
        return case.expected
    for holder in (case.input, case.metadata):
        if isinstance(holder, Mapping) and part in holder:
            return holder[part]
    given = case.input
    if part == "question" and isinstance(given, Mapping):
        rest = {key: value for key, value in given.items() if key not in shows}
        return next(iter(rest.values())) if len(rest) == 1 else rest
    if part == "trajectory":
        return output
    if part == "conversation":
        turns = given if _is_messages(given) else [{"role": "user", "content": given}]
        more = output if _is_messages(output) else [{"role": "assistant", "content": output}]
        return [*turns, *more]
    return given if part in ("question", "source") else MISSING


def _is_messages(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(turn, Mapping) and "role" in turn for turn in value)
    )


def written(value: Any) -> str:
    """`value` as the text a judge reads: text as it is, turns of a conversation one below the other, else JSON."""
    return _turns(value) if _is_messages(value) else _plain(value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1, default=str)


def _turns(turns: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for number, turn in enumerate(turns, start=1):
        rest = {key: value for key, value in turn.items() if key not in ("role", "content") and value}
        said = _plain(turn["content"]) if turn.get("content") is not None else ""
        lines.append(f"[{number}] {turn['role']}: {said}" + (f"\n{_plain(rest)}" if rest else ""))
    return "\n".join(lines)
