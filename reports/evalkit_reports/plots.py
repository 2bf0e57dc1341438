"""One distribution for each score of a suite, and for latency, tokens and cost, whatever of it is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from evalkit.runs import SuiteRun
from evalkit.score import Score
from evalkit.trial import Trial
from evalkit_reports import words
from evalkit_reports.charts import Histogram, Part, histogram, label_counts, parts
from evalkit_reports.measures import missing


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One distribution: exactly one of `segments`, `bars` and `labels` is filled.

    `score` is the name by which the case table can be filtered, `None` for latency, tokens and cost.
    `absent` says what is not in the plot, and is empty where everything is.
    """

    name: str
    score: str | None
    about: str
    absent: str
    segments: tuple[Part, ...] = ()
    bars: Histogram | None = None
    labels: tuple[tuple[str, int, float], ...] = ()


def plots(suite: SuiteRun) -> tuple[Plot, ...]:
    """The distributions of `suite`, scores in the order they first appear."""
    raised = sum(trial.output.error is not None and not trial.scores for trial in suite.trials)
    by_name: dict[str, list[Score]] = {}
    for trial in suite.trials:
        for score in trial.scores:
            by_name.setdefault(score.name, []).append(score)
    made = [_score_plot(name, scores, raised) for name, scores in by_name.items()]
    made += _usage_plots(suite.trials)
    return tuple(plot for plot in made if plot is not None)


def _score_plot(name: str, scores: Sequence[Score], raised: int) -> Plot | None:
    unscored = sum(score.status == "unscored" for score in scores)
    errored = sum(score.status == "error" for score in scores)
    ended = f"{words.count(raised, 'trial')} that raised before scoring" if raised else ""
    absent = "; ".join(part for part in (missing(unscored, errored), ended) if part)
    values = [score.value for score in scores if score.value is not None]
    labels = [score.label for score in scores if score.value is None and score.label is not None]
    if values and set(values) <= {0.0, 1.0}:
        yes = sum(value == 1.0 for value in values)
        whole = (("1", "pass", yes), ("0", "fail", len(values) - yes))
        lacking = (("unscored", "unscored", unscored), ("errored", "errored", errored))
        about = f"{yes:,} of {len(values):,} are 1 ({words.share(yes, len(values))})"
        return Plot(name=name, score=name, about=about, absent=absent, segments=parts([*whole, *lacking]))
    if values:
        shares = min(values) >= 0 and max(values) <= 1
        return _numbers(name, values, "", score=name, absent=absent, shares=shares)
    if labels:
        about = words.count(len(set(labels)), "label")
        return Plot(name=name, score=name, about=about, absent=absent, labels=label_counts(labels))
    nothing = parts([("unscored", "unscored", unscored), ("errored", "errored", errored)])
    return Plot(name=name, score=name, about="nothing was scored", absent=absent, segments=nothing) if nothing else None


def _usage_plots(trials: Sequence[Trial]) -> list[Plot | None]:
    usages = [trial.output.usage for trial in trials]
    return [
        _known("latency", (trial.output.latency for trial in trials), "s"),
        _known("tokens", (usage.total_tokens if usage else None for usage in usages), "tokens"),
        _known("cost", (usage.cost if usage else None for usage in usages), "$"),
    ]


def _known(name: str, found: Iterable[object], unit: str) -> Plot | None:
    everything = [None if value is None else float(str(value)) for value in found]
    values = [value for value in everything if value is not None]
    if not values:
        return None
    unknown = len(everything) - len(values)
    return _numbers(name, values, unit, score=None, absent=f"{unknown:,} unknown" if unknown else "")


def _numbers(
    name: str, values: Sequence[float], unit: str, *, score: str | None, absent: str, shares: bool = False
) -> Plot:
    bars = histogram(values, unit, shares=shares)
    median, p95 = bars.marks
    about = f"median {median[2]}, p95 {p95[2]}" + (", logarithmic axis" if bars.logarithmic else "")
    return Plot(name=name, score=score, about=about, absent=absent, bars=bars)
