"""How many calls may be in flight: more while all goes well, fewer by the share that is turned away."""

from __future__ import annotations

import math

_GAIN = 0.5
_CROWDED = 0.5
_FLOOR = 1.0
_FEW = 8
"""With fewer than so many in flight, one that is turned away says little about how many are too many."""


class Window:
    """The number of calls that may be in flight, learnt from the answers; unlimited until a call is turned away.

    The answers are taken in rounds, a round being as many answers as there were calls in flight. After a round the
    size is multiplied by `1 - share / 2`, where `share` is the share of the calls that were turned away (429),
    smoothed over rounds, and one is added unless most of them were. So a service that turns everybody away is halved
    each round, down to 1, while one that fails a call now and then for reasons of its own keeps nearly all its
    concurrency: at a steady 3% the size settles around 66. The rule is that of DCTCP (Alizadeh et al., SIGCOMM 2010),
    with the share of refused calls in the place of the share of marked packets.
    """

    __slots__ = ("_answers", "_length", "_peak", "_refused", "_share", "size", "top")

    def __init__(self, *, top: int | None = None) -> None:
        self.top = math.inf if top is None else float(top)
        self.size = self.top
        self._share: float | None = None
        self._answers = 0
        self._refused = 0
        self._length = self._peak = 1

    @property
    def room(self) -> float:
        """How many calls may be in flight: a whole number, or infinity."""
        return self.size if math.isinf(self.size) else math.floor(self.size)

    @property
    def crowded(self) -> bool:
        """Whether most calls of late were turned away."""
        return self._share is not None and self._share >= _CROWDED

    def limit(self, top: int) -> None:
        """Never let more than `top` in flight from now on; the smallest that was ever said holds."""
        self.top = min(self.top, float(top))
        self.size = min(self.size, self.top)

    def answered(self, *, refused: bool, in_flight: int) -> None:
        """Take note of an answer; `in_flight` counts the call that was answered too."""
        if self._answers == 0:
            self._length = self._peak = max(1, in_flight)
        self._answers += 1
        self._refused += refused
        self._peak = max(self._peak, in_flight)
        if self._answers >= self._length:
            self._settle()

    def _settle(self) -> None:
        share = self._refused / self._answers
        self._answers = self._refused = 0
        if share == 0 and self._share is None:
            return  # never turned away: there is nothing to learn yet
        self._share = share if self._share is None else (1 - _GAIN) * self._share + _GAIN * share
        if share > 0 and (self.crowded or self._peak >= max(_FEW, self.room / 2)):
            # Where fewer were in flight than were allowed, the allowance was not what was too much.
            self.size = min(self.size, self._peak) * (1 - self._share / 2)
        if share < _CROWDED:
            self.size += 1
        self.size = max(_FLOOR, min(self.size, self.top))
