"""What git knows of one file: the commit that last changed it, and by whom."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_TIMEOUT = 10.0


def last_change(path: Path) -> tuple[str | None, str | None]:
    """The commit that the file is from, and its author; `None` and `None` where it differs from what is committed,
    where git does not know it, and where there is no git.
    """
    log = _git(path.parent, "log", "-1", "--format=%H%x00%an", "--", path.name)
    if not log or _git(path.parent, "diff", "--quiet", "HEAD", "--", path.name) is None:
        return None, None
    commit, _, author = log.strip().partition("\0")
    return commit, author or None


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
