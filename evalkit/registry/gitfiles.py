"""What git knows of one file: the commit that last changed it, and by whom."""

from __future__ import annotations

from pathlib import Path

from evalkit.provenance import git


def last_change(path: Path) -> tuple[str | None, str | None]:
    """The commit that the file is from, and its author; `None` and `None` where it differs from what is committed,
    where git does not know it, and where there is no git.
    """
    log = git(path.parent, "log", "-1", "--format=%H%x00%an", "--", path.name)
    if not log or git(path.parent, "diff", "--quiet", "HEAD", "--", path.name) is None:
        return None, None
    commit, _, author = log.strip().partition("\0")
    return commit, author or None
