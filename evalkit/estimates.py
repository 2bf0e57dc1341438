"""What a run would roughly cost, judging by the latest run of each suite that knows what it cost."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from evalkit import grid
from evalkit.errors import NotFound
from evalkit.figures import count, figure, interval
from evalkit.plaintext import clean, wrapped
from evalkit.runs import Run, SuiteInfo, SuiteRun
from evalkit.stats.special import t_quantile
from evalkit.usage import Usage, summed

RUNS_LOOKED_AT = 20
"""How many runs of a suite are looked at, newest first, for one that knows its costs."""

LEVEL = 0.95


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What `trials` trials of a suite would use, if they are like those of the run `run`.

    Money is in US dollars. `low` to `high` is where the cost of so many trials will lie 19 times in 20, and `None` for
    a cost that is unknown or known of one trial only. `run` is `None` where no earlier run says anything; `known` is
    how many of its trials knew their cost, `unpriced` how many of its calls have no known price.
    """

    suite: str
    trials: int
    run: str | None = None
    cost: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    known: int = 0
    unpriced: int = 0


def estimate(suite: str, trials: int, runs: Iterable[Run]) -> Estimate:
    """The estimate for so many trials of a suite by the first of `runs` that knows the cost of one, or its tokens."""
    for run in runs:
        for before in run.suites:
            if before.info.name == suite:
                found = _by(before, trials)
                if found.cost is not None or found.input_tokens is not None or found.output_tokens is not None:
                    return dataclasses.replace(found, run=run.id)
    return Estimate(suite=suite, trials=trials)


def _by(before: SuiteRun, trials: int) -> Estimate:
    used = [summed([trial.output.usage, *(score.usage for score in trial.scores)]) for trial in before.trials]
    known = [usage for usage in used if usage is not None]
    costs = [float(usage.cost) for usage in known if usage.cost is not None]
    low = high = None
    mean = math.fsum(costs) / len(costs) if costs else 0.0
    if len(costs) > 1:
        deviation = math.sqrt(math.fsum((cost - mean) ** 2 for cost in costs) / (len(costs) - 1))
        # The new trials scatter around the mean, which itself was only seen on so many.
        spread = deviation * math.sqrt(trials + trials * trials / len(costs))
        half = abs(t_quantile((1 - LEVEL) / 2, len(costs) - 1)) * spread
        low, high = _money(max(mean * trials - half, 0.0)), _money(mean * trials + half)
    return Estimate(
        suite=before.info.name,
        trials=trials,
        cost=_money(mean * trials) if costs else None,
        low=low,
        high=high,
        input_tokens=_tokens([usage.input_tokens for usage in known], trials),
        output_tokens=_tokens([usage.output_tokens for usage in known], trials),
        known=len(costs),
        unpriced=sum(_without_price(usage) for usage in known),
    )


def _money(amount: float) -> Decimal:
    return Decimal(repr(round(amount, 6)))


def _tokens(figures: Sequence[int | None], trials: int) -> int | None:
    known = [tokens for tokens in figures if tokens is not None]
    return round(sum(known) / len(known) * trials) if known else None


def _without_price(usage: Usage) -> int:
    return usage.unpriced or (0 if usage.cost is not None else usage.calls or 0)


def estimates(url: str, suites: Sequence[SuiteInfo]) -> list[Estimate]:
    """The estimate for each of the suites, as planned, by the runs in the store at `url`.

    A store that is not there knows nothing, and is not made. Raises `StoreError` for one that cannot be read.
    """
    from evalkit.store import open_store

    try:
        store = open_store(url, read_only=True)
    except NotFound:
        return [Estimate(suite=info.name, trials=info.planned) for info in suites]
    with store:

        def runs(suite: str) -> Iterator[Run]:
            for summary in store.runs(suite=suite, limit=RUNS_LOOKED_AT):
                yield store.load(summary.id, payload=False)

        return [estimate(info.name, info.planned, runs(info.name)) for info in suites]


def render(found: Sequence[Estimate], *, width: int) -> str:
    """The estimates as a table with a total, and what is not known in words. Ends with a line end."""
    rows = [*found, *([total(found)] if len(found) > 1 else [])]
    columns = [
        grid.Column(title="suite", texts=[clean(one.suite) for one in rows], least=18),
        grid.Column(title="trials", texts=[f"{one.trials:,}" for one in rows], right=True),
        grid.Column(title="cost", texts=[_dollars(one.cost) for one in rows], right=True),
        grid.Column(title="19 times in 20", texts=[_span(one) for one in rows]),
        grid.Column(title="tokens in", texts=[_figure(one.input_tokens) for one in rows], right=True),
        grid.Column(title="tokens out", texts=[_figure(one.output_tokens) for one in rows], right=True),
        grid.Column(title="by the run", texts=[(one.run or "")[:13] for one in rows]),
    ]
    fitted = grid.fit([columns, columns[:3] + columns[4:], columns[:3]], width)
    lines = [grid.header(fitted)]
    for number in range(len(rows)):
        lines.extend(grid.lines(fitted, number))
    for text in _remarks(found):
        lines.extend(wrapped(text, width))
    return "\n".join(lines) + "\n"


def total(found: Sequence[Estimate]) -> Estimate:
    """The sum over suites. What one of them does not know is left out of it; the range is that of the sum."""
    costs = [one.cost for one in found if one.cost is not None]
    cost = sum(costs, Decimal(0)) if costs else None
    low = high = None
    halves = [(one.high - one.low) / 2 for one in found if one.high is not None and one.low is not None]
    if cost is not None and len(halves) == len(costs):
        half = Decimal(repr(round(math.sqrt(sum(float(half) ** 2 for half in halves)), 6)))
        low, high = max(cost - half, Decimal(0)), cost + half
    return Estimate(
        suite="total" if len(costs) == len(found) else "total of what is known",
        trials=sum(one.trials for one in found),
        cost=cost,
        low=low,
        high=high,
        input_tokens=_sum([one.input_tokens for one in found]),
        output_tokens=_sum([one.output_tokens for one in found]),
    )


def _sum(figures: Sequence[int | None]) -> int | None:
    known = [number for number in figures if number is not None]
    return sum(known) if known else None


def _remarks(found: Sequence[Estimate]) -> Iterator[str]:
    for one in found:
        name = clean(one.suite)
        if one.run is None:
            yield f"{name}: unknown, as no earlier run of it that is stored says what it used."
        elif one.cost is None:
            yield f"{name}: the cost is unknown, as the run {one.run[:13]} knows tokens and no price."
        elif one.unpriced:
            calls = count(one.unpriced, "call")
            yield f"{name}: {calls} of the run {one.run[:13]} had no known price and are left out."
    yield "Nothing was run."


def _figure(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def _dollars(amount: Decimal | None) -> str:
    return "unknown" if amount is None else figure(float(amount), "$")


def _span(one: Estimate) -> str:
    if one.low is None or one.high is None:
        return ""
    return interval(float(one.low), float(one.high), "$")
