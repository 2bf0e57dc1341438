"""What a score can be drawn against: latency, cost, tokens, the length of the output, whatever of it is known."""

from __future__ import annotations

import dataclasses

from evalkit.runs import SuiteRun

_FEWEST = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """The choices of a scatter plot: names of scores with values, and `(key, words)` of the quantities.

    The page draws it itself, from the same index as the case table.
    """

    scores: tuple[str, ...]
    quantities: tuple[tuple[str, str], ...]


def scatter(suite: SuiteRun) -> Scatter | None:
    """The choices for `suite`; `None` where there are too few trials, or nothing to draw."""
    if len(suite.trials) < _FEWEST:
        return None
    scores = dict.fromkeys(score.name for trial in suite.trials for score in trial.scores if score.value is not None)
    outputs = [trial.output for trial in suite.trials]
    usages = [output.usage for output in outputs if output.usage is not None]
    known = (
        ("latency", "latency", any(output.latency is not None for output in outputs)),
        ("cost", "cost", any(usage.cost is not None for usage in usages)),
        ("tokens", "tokens", any(usage.total_tokens is not None for usage in usages)),
        ("length", "length of the output", any(output.value is not None for output in outputs)),
    )
    quantities = tuple((key, told) for key, told, is_known in known if is_known)
    return Scatter(scores=tuple(scores), quantities=quantities) if scores and quantities else None
