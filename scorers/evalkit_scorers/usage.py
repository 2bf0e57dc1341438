"""Scorers of what an output cost: time, tokens, money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.options import choice
from evalkit_scorers.wording import unscored

if TYPE_CHECKING:
    from evalkit.trial import Output


@factory
def latency() -> Scorer:
    """How long the function under test took, in seconds: a score, the lower the better.

    It is `trace.latency`: the function alone, without set-up and scoring. Hold it against a limit with a pass
    mark: `latency() <= 2.5`. Unknown is unscored, never 0.
    """

    @scorer(name="latency", version="1", blocking=False)
    def score(trace: Output) -> Score | float:
        return unscored("the latency is unknown") if trace.latency is None else trace.latency

    return score


@factory
def tokens(kind: Literal["total", "input", "output"] = "total") -> Scorer:
    """How many tokens the function under test used: a score, the lower the better.

    It is what `trace.usage` says; `kind="total"` is input and output together. Hold it against a limit with a pass
    mark: `tokens("output") <= 500`. Unknown is unscored, never 0; so is a total with one half unknown.
    """
    choice("tokens", "kind", kind, ("total", "input", "output"))

    @scorer(name="tokens", version="1", config={"kind": kind}, blocking=False)
    def score(trace: Output) -> Score | int:
        used: int | None = None
        if trace.usage is not None:
            used = getattr(trace.usage, f"{kind}_tokens")
        return unscored(f"the number of {kind} tokens is unknown") if used is None else used

    return score


@factory
def cost() -> Scorer:
    """What the function under test cost, in US dollars: a score, the lower the better.

    It is `trace.usage.cost`. Hold it against a limit with a pass mark: `cost() <= 0.01`. Unknown is unscored,
    never 0.
    """

    @scorer(name="cost", version="1", blocking=False)
    def score(trace: Output) -> Score | float:
        if trace.usage is None or trace.usage.cost is None:
            return unscored("the cost is unknown")
        return float(trace.usage.cost)

    return score
