"""Prompt files in a folder of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.errors import PromptError
from evalkit.prompts import Prompt, read_prompt

Write = Callable[[str, str | bytes], Prompt]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a prompt file and read it."""
    monkeypatch.chdir(tmp_path)

    def written(name: str, content: str | bytes) -> Prompt:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_prompt(Path(name))

    return written


@pytest.fixture
def refused(write: Write) -> Callable[[str, str | bytes], str]:
    """What is said of a prompt file that cannot be read."""

    def said(name: str, content: str | bytes) -> str:
        with pytest.raises(PromptError) as caught:
            write(name, content)
        return str(caught.value)

    return said
