"""A prompt out of the body of a stored version."""

from __future__ import annotations

from evalkit.errors import PromptError
from evalkit.prompts.place import InCode
from evalkit.prompts.prompt import Prompt
from evalkit.versions import Version

_PARTS = ("template", "text", "role", "messages", "tools", "response_format", "settings")


def prompt_of(version: Version) -> Prompt:
    """The prompt that `version` holds. Raises `PromptError` for a body that this evalkit cannot read."""
    shown = f"prompt {version.name} {version.label}"
    unknown = sorted(set(version.body) - set(_PARTS))
    if unknown:
        raise PromptError(
            f"The stored version has parts that are not known here: {', '.join(unknown)}.",
            where=shown,
            why="A newer evalkit has written it.",
            hint="Upgrade: pip install -U pytest-evalkit",
        )
    return Prompt(
        name=version.name,
        number=version.number,
        source=version.source,
        origin=InCode(shown=shown),
        **version.body,
    )
