"""A judge's answer, read: a level with its reasons, or why there is none."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from evalkit_scorers.judges.scale import UNKNOWN, Level, Scale


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A level and the reasons for it."""

    level: Level
    reasons: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """No level: the judge said that it cannot tell, or refused. Asking again would not help."""

    why: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What came back is no answer to what was asked; `why` is what the judge is told when it is asked again."""

    why: str


Reading = Decided | Undecided | Unreadable


def answer_format(scale: Scale) -> dict[str, Any]:
    """The response format that a judge is held to: its reasons first, then one of the labels."""
    labels = [*(level.label for level in scale), UNKNOWN]
    return {
        "type": "json_schema",
        "json_schema": {
            "name": "verdict",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {"reasons": {"type": "string"}, "verdict": {"type": "string", "enum": labels}},
                "required": ["reasons", "verdict"],
                "additionalProperties": False,
            },
        },
    }


def read(text: str, scale: Scale, *, finish_reason: str | None = None, refusal: str | None = None) -> Reading:
    """What a judge's answer says. Nothing is guessed: a label inside a sentence is no verdict."""
    if refusal is not None or finish_reason == "content_filter":
        return Undecided(why=f"the judge refused: {refusal or 'its answer was filtered'}")
    if finish_reason == "length":
        return Unreadable(why="the answer was cut off before its end; be brief")
    try:
        said = json.loads(_without_fence(text))
    except (ValueError, RecursionError):  # the latter for an answer that is nested without end
        return Unreadable(why="the answer is no JSON")
    if not isinstance(said, Mapping) or not isinstance(said.get("verdict"), str):
        return Unreadable(why='the answer has no "verdict"')
    label, reasons = said["verdict"].strip(), said.get("reasons")
    if label.casefold() == UNKNOWN:
        return Undecided(why=f"the judge cannot tell: {reasons}" if reasons else "the judge cannot tell")
    for level in scale:
        if level.label.casefold() == label.casefold():
            return Decided(level=level, reasons=str(reasons or "").strip())
    allowed = ", ".join(level.label for level in scale)
    return Unreadable(why=f"{json.dumps(label[:40], ensure_ascii=False)} is none of {allowed} or {UNKNOWN}")


def _without_fence(text: str) -> str:
    # Models without a strict mode put JSON between three backquotes.
    stripped = text.strip()
    if stripped.startswith("```") and stripped.endswith("```") and "\n" in stripped:
        return stripped[stripped.index("\n") + 1 : -3].strip()
    return stripped
