"""Prompts: files with variables, versioned by their content.

`Prompt` is one, `Rendered` what it says once its variables have values; `prompt_files` finds the files of a project and
`read_prompt` reads one. Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.contents import contents

if TYPE_CHECKING:
    from evalkit.prompts.files import prompt_files, read_prompt
    from evalkit.prompts.prompt import Prompt, Rendered
    from evalkit.prompts.stored import prompt_of

_HOMES = {
    "Prompt": "prompt",
    "Rendered": "prompt",
    "prompt_files": "files",
    "prompt_of": "stored",
    "read_prompt": "files",
}

__all__ = ["Prompt", "Rendered", "prompt_files", "prompt_of", "read_prompt"]

__getattr__, __dir__ = contents(__name__, _HOMES)
