"""What was used: tokens and money."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from decimal import Decimal


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a call, a trial or a run used. `None` means unknown, which is not zero.

    Tokens are integers, `cost` is in US dollars; `cached_tokens` are those of `input_tokens` that the provider had
    cached. `calls` is how many model calls this is the sum of, `None` where nobody counted. `uncounted` of them came
    back without token counts and `unpriced` of them have no known price: the sums are then of the others alone, and
    whoever shows them has to say so. `cost` is what the calls cost when they are paid for; `saved` is the part of it
    that was not paid, as a recorded answer was used (`None` where none was). What was spent is `spent`, and that is
    what a limit on spending counts.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None
    cached_tokens: int | None = None
    calls: int | None = None
    uncounted: int = 0
    unpriced: int = 0
    saved: Decimal | None = None

    @property
    def spent(self) -> Decimal | None:
        """What was paid: the cost without what was saved, or `None` where the cost is unknown."""
        return self.cost if self.cost is None or self.saved is None else self.cost - self.saved

    @property
    def total_tokens(self) -> int | None:
        """Input and output together, or `None` where either is unknown."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens


def summed(usages: Iterable[Usage | None]) -> Usage | None:
    """The sum of `usages`; a figure is `None` where none of them knew it. `None` where there are none."""
    known = [usage for usage in usages if usage is not None]
    if not known:
        return None
    return Usage(
        input_tokens=_sum(usage.input_tokens for usage in known),
        output_tokens=_sum(usage.output_tokens for usage in known),
        cost=_money(usage.cost for usage in known),
        cached_tokens=_sum(usage.cached_tokens for usage in known),
        calls=_sum(usage.calls for usage in known),
        uncounted=sum(usage.uncounted for usage in known),
        unpriced=sum(usage.unpriced for usage in known),
        saved=_money(usage.saved for usage in known),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a run used, split into the functions under test (`target`) and the scorers (`judges`).

    `None` is for a side that used nothing that anybody knows of.
    """

    target: Usage | None = None
    judges: Usage | None = None

    @property
    def total(self) -> Usage | None:
        """Both together, `None` where there is neither."""
        return summed((self.target, self.judges))


def _sum(figures: Iterable[int | None]) -> int | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known else None


def _money(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known[1:], known[0]) if known else None
