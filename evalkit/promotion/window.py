"""A freeze window of a policy: a time that comes again each day or week, or one with dates, in a time zone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import zoneinfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"(?:(?P<day>[a-z]{3}) )?(?P<hour>[01][0-9]|2[0-4]):(?P<minute>[0-5][0-9])")
_WEEK = 7 * 1440


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when to when an alias does not move, the end not included.

    `start` and `end` are both `22:00` (each day), both `fri 16:00` (each week), or both a date or a date and time in
    ISO 8601; the end of a date alone is the end of that day. All are in the time zone `timezone`. Raises `ValueError`,
    with a sentence, for anything else.
    """

    start: str
    end: str
    timezone: str = "UTC"
    reason: str = ""

    def __post_init__(self) -> None:
        try:
            zone = zoneinfo.ZoneInfo(self.timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f'there is no time zone "{self.timezone}"; write one such as Europe/Berlin') from None
        first, last = _minutes(self.start), _minutes(self.end)
        if first is not None and last is not None:
            if (" " in self.start) != (" " in self.end):
                raise ValueError("`from` and `to` are both a time, or both a day of the week and a time")
            if first == last:
                raise ValueError("it begins when it ends")
        elif first is not None or last is not None:
            raise ValueError("`from` and `to` are of two kinds; write both as a time, or both as a date")
        elif _moment(self.start, zone) >= _moment(self.end, zone, is_end=True):
            raise ValueError("it ends before it begins")

    @property
    def text(self) -> str:
        """The window as people say it."""
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.start} to {self.end} {self.timezone}{why}"

    def holds(self, now: dt.datetime) -> bool:
        """Whether `now`, an aware time, lies in it."""
        zone = zoneinfo.ZoneInfo(self.timezone)
        first, last = _minutes(self.start), _minutes(self.end)
        if first is None or last is None:
            return _moment(self.start, zone) <= now < _moment(self.end, zone, is_end=True)
        local = now.astimezone(zone)
        minute = local.hour * 60 + local.minute
        length = 1440
        if " " in self.start:
            minute, length = minute + local.weekday() * 1440, _WEEK
        return (minute - first) % length < (last - first) % length


def _minutes(text: str) -> int | None:
    """Minutes since midnight, or since Monday's; `None` for what is no time of the day or week."""
    found = _CLOCK.fullmatch(text)
    if found is None or (found["day"] is not None and found["day"] not in DAYS):
        return None
    minutes = int(found["hour"]) * 60 + int(found["minute"])
    if minutes > 1440:
        return None
    return minutes + (DAYS.index(found["day"]) * 1440 if found["day"] else 0)


def _moment(text: str, zone: dt.tzinfo, *, is_end: bool = False) -> dt.datetime:
    try:
        if len(text) == 10:
            day = dt.date.fromisoformat(text) + dt.timedelta(days=1 if is_end else 0)
            return dt.datetime(day.year, day.month, day.day, tzinfo=zone)
        found = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(f'"{text}" is no time: write 22:00, fri 16:00, 2026-12-20 or 2026-12-20T18:00') from None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)
