"""Numbers, times and money as people read them. What is not known is a dash, never a zero."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

UNKNOWN = "–"
SHARE = "share"
"""The unit of a number from 0 to 1 that is told in per cent."""

_SECONDS = ("s", "sec", "seconds")
_DOLLARS = ("$", "usd", "USD")


def number(value: float | None) -> str:
    """`0.925`, `1,319`, `12.4`, `3.2e-06`: three decimals below ten, four figures above, whole numbers whole."""
    if value is None:
        return UNKNOWN
    size = abs(value)
    if not math.isfinite(size):
        return str(value)
    if size >= 1000 or (value == int(value) and size >= 2):
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:.1f}"
    if size >= 10:
        return f"{value:.2f}"
    if 0 < size < 0.0005:
        return f"{value:.2g}"
    return f"{value:.3f}"


def seconds(value: float | None) -> str:
    """`840 µs`, `12 ms`, `1.24 s`, `3 min 05 s`, `2 h 10 min`."""
    if value is None:
        return UNKNOWN
    if value <= 0:
        return "0 s" if value == 0 else f"{value:.3g} s"
    if value < 0.000_9995:
        return f"{value * 1_000_000:.0f} µs"
    if value < 0.9995:
        return f"{value * 1000:.3g} ms"
    if value < 59.95:
        return f"{value:.3g} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def dollars(value: float | Decimal | None) -> str:
    """`$12.40`, `$0.0031`: cents, or two figures where cents would say zero."""
    if value is None:
        return UNKNOWN
    amount = float(value)
    if amount == 0 or abs(amount) >= 1:
        return f"${value:,.2f}"
    places = 1 - math.floor(math.log10(abs(amount)))
    return f"${value:.{max(2, min(places, 10))}f}"


def measure(value: float | None, unit: str) -> str:
    """`value` with its unit; seconds and dollars in the form above, any other unit behind the number."""
    if value is None:
        return UNKNOWN
    if unit in _SECONDS:
        return seconds(value)
    if unit in _DOLLARS:
        return dollars(value)
    if unit == SHARE:
        return f"{100 * value:.3g}%"
    return f"{_short(value)} {unit}" if unit else number(value)


def signed(value: float | None, unit: str) -> str:
    """A difference with its sign: `+0.014`, `−3.2%`, `+120 ms`; `±0` for none."""
    if value is None:
        return UNKNOWN
    if value == 0:
        return "±0"
    size = f"{100 * abs(value):.3g} points" if unit == SHARE else measure(abs(value), unit)
    return ("+" if value > 0 else "−") + size


def interval(low: float | None, high: float | None, unit: str) -> str:
    """`0.796 – 0.984`, with a dash for a side that is open; empty where there is no interval."""
    if low is None and high is None:
        return ""
    if unit and unit not in (*_SECONDS, *_DOLLARS, SHARE):
        return f"{_short(low)} – {_short(high)} {unit}"
    return f"{measure(low, unit)} – {measure(high, unit)}"


def _short(value: float | None) -> str:
    """Four figures, and no zeros behind them."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def count(amount: int, noun: str, plural: str | None = None) -> str:
    """`1 case`, `1,319 cases`."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"


def share(part: int, whole: int) -> str:
    """`56.3%`; 0% and 100% only where it is exactly that."""
    if whole == 0:
        return UNKNOWN
    percent = 100 * part / whole
    if 0 < part < whole:
        percent = min(max(percent, 0.1), 99.9)
    return f"{percent:.3g}%" if percent < 10 else f"{percent:.1f}%".replace(".0%", "%")


def moment(when: dt.datetime | None) -> str:
    """`2026-11-22 21:01:04 UTC`."""
    return UNKNOWN if when is None else when.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
