"""A target is a figure we said we would keep; whether we do is part of the result, whichever way it comes out."""

from __future__ import annotations

from dataclasses import dataclass

_START_UP = (
    "a session with one case takes about 0.8 s of CPU where plain pytest takes 0.44 s, and that difference alone uses up "
    "what the limit leaves beside the waiting. Most of it is loading modules and making record classes; fewer of both "
    "at the start of a session would mend it."
)

WHY_MISSED: dict[str, str] = {
    "CPU of 1,000 trivial stored cases: evalkit, `def`": "each body goes to a thread and comes back. Counted in "
    "instructions it is nearly the same work as `async def`; what it costs more are the switches between threads. "
    "Calling short functions where they stand would mend it, at the price of one slow function holding up all others.",
    "wall of 500 cases of 100 ms at 50 at once: evalkit, `async def`": _START_UP,
    "wall of 500 cases of 100 ms at 50 at once: evalkit, `def`": _START_UP,
}
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
