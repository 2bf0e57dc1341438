"""A token bucket: so much per minute, with a little room for a burst."""

from __future__ import annotations

_BURST_SECONDS = 6.0


class Bucket:
    """Lets through `per_minute` units a minute on average, and never more than `capacity` at once.

    The capacity is what six seconds bring, at least 1. In any stretch of t seconds no more than
    `capacity + t * per_minute / 60` units pass, unless one take alone is larger than the bucket: it then waits for a
    full one and leaves a debt. Times are seconds of one clock that never goes back; the bucket starts full.
    """

    __slots__ = ("_at", "_level", "capacity", "rate")

    def __init__(self, per_minute: float) -> None:
        self.rate = per_minute / 60.0
        self.capacity = max(1.0, self.rate * _BURST_SECONDS)
        self._level = self.capacity
        self._at: float | None = None

    def level(self, now: float) -> float:
        """How much there is; below 0 is a debt."""
        if self._at is not None and now > self._at:
            self._level = min(self.capacity, self._level + (now - self._at) * self.rate)
        if self._at is None or now > self._at:
            self._at = now
        return self._level

    def wait(self, amount: float, now: float) -> float:
        """Seconds until `amount` can be taken; 0 for now."""
        missing = min(amount, self.capacity) - self.level(now)
        # Below a billionth is what floats lose in the refilling, and waiting for it would never end.
        return missing / self.rate if missing > 1e-9 else 0.0

    def take(self, amount: float, now: float) -> None:
        """Take `amount`; below 0 gives back what was taken too much, up to the brim."""
        self._level = min(self.capacity, self.level(now) - amount)
