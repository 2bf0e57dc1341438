"""A target is a figure we said we would keep; whether we do is part of the result, whichever way it comes out."""

from __future__ import annotations

from dataclasses import dataclass

_START_UP = (
    "a session with one case takes about 0.9 s of CPU where plain pytest takes 0.38 s, and that difference alone uses up "
    "what the limit leaves beside the waiting. Most of it is loading modules and making record classes; fewer of both "
    "at the start of a session would mend it."
)

_TRIVIAL = (
    "about 0.5 s is the start of a session, as below; the rest is 0.25 to 0.45 ms a case, beside pytest's own 1 ms. The "
    "version of 22 November, which the page then measured at 1.49 times a plain pytest that was slower that day, takes "
    "8 to 11% less CPU when it is run in turns with this one: since then trials have traces, versions and retries. A "
    "lighter start would mend most of it."
)

WHY_MISSED: dict[str, str] = {
    "CPU of 1,000 trivial stored cases: evalkit, `def`": "each body goes to a thread and comes back. Counted in "
    "instructions it is nearly the same work as `async def`; what it costs more are the switches between threads. "
    "Calling short functions where they stand would mend it, at the price of one slow function holding up all others.",
    "CPU of 1,000 trivial stored cases: evalkit, `async def`": _TRIVIAL,
    "CPU of 1,000 trivial stored cases: evalkit, `async def`, second run into the same store": _TRIVIAL,
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
