"""Where a summary goes: a file, or the summary of a step of GitHub Actions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from evalkit.errors import EvalkitError
from evalkit.wholefile import write_whole
from evalkit_reports.markdown.fitting import COMMENT, STEP_SUMMARY

GITHUB = "github"
"""The name of the step summary among paths; a file of that name is `./github`."""

VARIABLE = "GITHUB_STEP_SUMMARY"
_LEAST = 16_384


def write_markdown(
    target: str, render: Callable[[int], str], *, root: Path, environ: Mapping[str, str] = os.environ
) -> Path | None:
    """Write what `render` gives for a limit in bytes to `target`, and return where it is.

    `target` is a path from `root`, written anew, with the limit of a comment, or `github`: the step summary that the
    environment names, to which it is added, with what is left of its limit. The file of the step summary is added to
    by its path, too. `None` where `github` was meant and this is no step of GitHub Actions, or it has no room left.
    Raises `EvalkitError` where nothing can be written.
    """
    named = environ.get(VARIABLE)
    if target == GITHUB and not named:
        return None
    path = Path(named) if target == GITHUB and named else root / target
    adds = bool(named) and path == Path(named or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not adds:
            write_whole(path, render(COMMENT).encode())
            return path
        left = STEP_SUMMARY - (path.stat().st_size if path.exists() else 0) - 1
        if left < _LEAST:
            return None
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write("\n" + render(left))
    except OSError as error:
        raise EvalkitError(
            "The Markdown summary cannot be written.",
            where=str(path),
            why=error.strerror or str(error),
            hint="Give the path of a file in a folder that can be written to.",
        ) from error
    return path
