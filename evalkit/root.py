"""Where a project begins, and reading the files that say so."""

from __future__ import annotations

import re
from pathlib import Path

from evalkit.errors import ConfigError

_PYTEST_SECTIONS = (("pyproject.toml", r"tool\.pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest"))


def find_root(folder: Path) -> Path:
    """The project's root as pytest would find it from `folder`: the nearest folder upwards with settings of pytest's
    (pytest.ini, or a section of its own in pyproject.toml, tox.ini or setup.cfg), else with a pyproject.toml, else
    with a setup.py; else `folder` itself.
    """
    folder = folder.resolve()
    above = (folder, *folder.parents)
    for candidate in above:
        if any((candidate / name).is_file() for name in ("pytest.ini", ".pytest.ini")):
            return candidate
        for name, section in _PYTEST_SECTIONS:
            file = candidate / name
            if file.is_file() and re.search(rf"(?m)^\[{section}[].]", text_of(file)):
                return candidate
    for name in ("pyproject.toml", "setup.py"):
        for candidate in above:
            if (candidate / name).is_file():
                return candidate
    return folder


def text_of(file: Path) -> str:
    """The text of a file. Raises `ConfigError` where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The file cannot be read: {error}.", where=str(file)) from None
