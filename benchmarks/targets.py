"""A target is a figure we said we would keep; whether we do is part of the result, whichever way it comes out."""

from __future__ import annotations

from dataclasses import dataclass

WHY_MISSED: dict[str, str] = {}
"""For a target that is missed, by name: why, and what would mend it. Shown only while it is missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What was promised and what was measured, both in `unit`. `obtained=None` means not measured."""

    name: str
    promise: str
    limit: float
    obtained: float | None
    unit: str
    detail: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.obtained is None else self.obtained <= self.limit

    @property
    def verdict(self) -> str:
        return {None: "not measured", True: "met", False: "**missed**"}[self.met]
