"""Numbers as people read them, with their unit: seconds, dollars, tokens, shares."""

from __future__ import annotations

METHODS = {
    "Clopper-Pearson": "cp",
    "Korn-Graubard": "kg",
    "Student t": "t",
    "order statistics": "os",
    "Wilson": "w",
    "BCa bootstrap": "bca",
    "Tango": "tango",
    "fractional Tango": "f-tango",
    "paired t": "t",
    "log-ratio t": "lr",
    "confidence sequence": "cs",
    "prior-posterior ratio": "ppr",
}
"""The short names of the methods that make intervals, for tables."""


def figure(value: float | None, unit: str = "") -> str:
    """`value` with its unit: `0.925`, `1.24 s`, `85 ms`, `$0.0132`, `$0.00000542`, `1,204`; `–` for `None`.

    A share is never rounded to 0 or 1 unless it is 0 or 1: 0.9996 is not `1.000`.
    """
    if value is None:
        return "–"
    if unit == "s":
        return _seconds(value)
    if unit in ("$", "USD"):
        return f"${value:,.2f}" if abs(value) >= 1 or value == 0 else f"${_part(value)}"
    if unit == "tokens":
        return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:,.1f}"
    return _number(value) + (f" {unit}" if unit else "")


def interval(low: float | None, high: float | None, unit: str = "") -> str:
    """`0.796–0.984`; a limit that the data do not give is `?`; `` where there is neither."""
    if low is None and high is None:
        return ""
    ends = ["?" if end is None else figure(end, unit) for end in (low, high)]
    for suffix in (" s", " ms", " µs"):
        if all(end.endswith(suffix) for end in ends):
            ends[0] = ends[0].removesuffix(suffix)
    return "–".join(ends)


def signed(value: float | None, unit: str = "") -> str:
    """A difference with its sign: `+0.025`, `-120 ms`, `0.000`; `–` for `None`."""
    if value is None:
        return "–"
    text = figure(abs(value), unit)
    return text if value == 0 else ("+" if value > 0 else "-") + text


def signed_interval(low: float, high: float, unit: str = "") -> str:
    """The interval of a difference in brackets, both ends with a sign: `(-0.15,+0.09)`, `(-2 ms,+8 ms)`."""
    if unit:
        return f"({signed(low, unit)},{signed(high, unit)})"
    return f"({low:+.2g},{high:+.2g})"


def duration(seconds: float) -> str:
    """A duration as people say it: `0.4 s`, `12 s`, `3 min 20 s`, `1 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(number: int, noun: str) -> str:
    """`1 case`, `2 cases`, `1,204 cases`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _part(value: float) -> str:
    # of a dollar: a call may cost a few millionths of one, and people do not read 5.4e-06
    text = f"{value:.4g}"
    return f"{value:.{2 - int(text.partition('e')[2])}f}".rstrip("0") if "e" in text else text


def _seconds(value: float) -> str:
    size = abs(value)
    if size < 0.5e-6:  # less than any clock tells apart
        return "0 s"
    if size >= 10:
        return f"{value:.0f} s" if size >= 100 else f"{value:.1f} s"
    if size >= 1:
        return f"{value:.2f} s"
    if size >= 0.001:
        return f"{value * 1000:.0f} ms" if size >= 0.01 else f"{value * 1000:.1f} ms"
    return f"{value * 1_000_000:.0f} µs"


def _number(value: float) -> str:
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    for places in (3, 4, 5, 6):
        shown = f"{value:.{places}f}"
        if float(shown) not in (0.0, 1.0) or value in (0.0, 1.0):
            return shown
    return f"{value:.3g}"
