"""Versions of what is under test: prompts and models, immutable and named by their content."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal

SubjectKind = Literal["prompt", "model"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a prompt or a model.

    `digest` is the SHA-256 of the canonical JSON of `body` (64 hex digits), so that the same content is never two
    versions. `number` counts the versions of one name in the order a store first saw them (people say `v3`); `None`
    where no store has been asked. `source` is where it came from, such as a file, `None` where that is not known.
    """

    kind: SubjectKind
    name: str
    digest: str
    body: Mapping[str, Any]
    number: int | None = None
    source: str | None = None

    @property
    def label(self) -> str:
        """What people call it: `v3`, or the first eight digits of its digest."""
        return self.digest[:8] if self.number is None else f"v{self.number}"

    @property
    def title(self) -> str:
        """Which one it is, in full: `prompt support-reply v3 (ab12cd34)`."""
        number = "" if self.number is None else f" v{self.number}"
        return f"{self.kind} {self.name}{number} ({self.digest[:8]})"


def unique(versions: Iterable[Version]) -> tuple[Version, ...]:
    """Each version once, in the order in which they first appear."""
    return tuple({(one.kind, one.name, one.digest): one for one in reversed(list(versions))}.values())[::-1]
