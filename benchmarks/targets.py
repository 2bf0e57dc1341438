"""A target is a figure we said we would keep; whether we do is part of the result, whichever way it comes out."""

from __future__ import annotations

from dataclasses import dataclass

_START_UP = (
    "a session with one case takes 0.39 s of CPU where plain pytest takes 0.20 s. 0.07 s of that is the pytest plugin of "
    "anyio, which comes with openai and is loaded whether or not there are evals; 0.11 s is ours, most of it loading modules "
    "and making record classes."
)

_TRIVIAL = (
    _START_UP
    + " The rest is 0.25 to 0.3 ms a case beside pytest's own 0.5 ms, in many small steps: an event loop, a trace, records, "
    "redaction, rows. Beside a plain pytest that has anyio's plugin to load as well, the ratio "
    "was 1.48 and 1.52 in two sets of rounds on 29 November 2026."
)

WHY_MISSED: dict[str, str] = {
    "CPU of 1,000 trivial stored cases: evalkit, `def`": "as `async def`, and each body goes to a thread and comes back, which "
    "takes some 0.15 ms more. Calling short functions where they stand would mend it, at the price of one slow function "
    "holding up all others.",
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
