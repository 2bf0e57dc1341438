"""What a run cost, in one line for people."""

from __future__ import annotations

from decimal import Decimal

from evalkit.figures import count, figure
from evalkit.usage import Spending, Usage


def spent_line(spent: Spending) -> str:
    """`cost $0.42 (target $0.30, judges $0.12), 3 calls without a known price`; `""` where nothing was used.

    What is unknown is said, and never counted as nothing.
    """
    whole = spent.total
    if whole is None or (whole.calls == 0 and whole.cost is None and whole.input_tokens is None):
        return ""
    parts = [f"cost {_money(whole.cost)}" + _split(spent)]
    if whole.saved:
        parts.append(f"of which recorded answers saved {_money(whole.saved)}")
    if whole.unpriced:
        calls = whole.calls
        of = "all calls are" if calls == whole.unpriced else f"{count(whole.unpriced, 'call')}"
        parts.append(f"{of} without a known price")
    if whole.uncounted:
        parts.append(f"{count(whole.uncounted, 'call')} without token counts")
    tokens = _tokens(whole)
    return ", ".join(parts) + (f"; {tokens}" if tokens else "")


def _split(spent: Spending) -> str:
    if spent.judges is None:
        return ""
    target = None if spent.target is None else spent.target.cost
    return f" (target {_money(target)}, judges {_money(spent.judges.cost)})"


def _tokens(usage: Usage) -> str:
    if usage.input_tokens is None and usage.output_tokens is None:
        return ""
    read = "unknown" if usage.input_tokens is None else f"{usage.input_tokens:,}"
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    written = "unknown" if usage.output_tokens is None else f"{usage.output_tokens:,}"
    return f"tokens {read} in{cached}, {written} out"


def _money(amount: Decimal | None) -> str:
    return "unknown" if amount is None else figure(float(amount), "$")
