"""The parts of a trial that a judge is shown: where each is found, and how it is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.case import Case
from evalkit_scorers.judges.turns import is_turns, plain, turns_as_text
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
    if isinstance(given, Mapping) and part in ("question", "conversation"):
        rest = {key: value for key, value in given.items() if key not in shows}
        given = next(iter(rest.values())) if len(rest) == 1 else rest
    if part == "trajectory":
        return _steps_in(output)
    if part == "conversation":
        turns = list(given) if is_turns(given) else [{"role": "user", "content": given}]
        said = _steps_in(output)
        if not is_turns(said):
            return [*turns, {"role": "assistant", "content": said}]
        # An application may give back the whole conversation, with what it was given at the beginning.
        return said if list(said[: len(turns)]) == turns else [*turns, *said]
    return given if part in ("question", "source") else MISSING


def _steps_in(output: Any) -> Any:
    """The steps of an agent's output: what it calls so, or all of it."""
    if isinstance(output, Mapping):
        return next((output[key] for key in ("trajectory", "messages", "steps") if output.get(key)), output)
    return output


def written(value: Any) -> str:
    """`value` as the text a judge reads: text as it is, turns of a conversation one below the other, else JSON."""
    if is_turns(value):
        return turns_as_text(value)
    if isinstance(value, Mapping) and any(is_turns(part) for part in value.values()):
        return "\n".join(f"{key}:\n{written(part)}" for key, part in value.items())
    return plain(value)
