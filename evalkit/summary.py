"""The table of a run's metrics and gates as plain text, for the terminal of pytest and of the command line."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from evalkit import asides
from evalkit.asides import BUILTINS_SHOWN, shown
from evalkit.errors import GateError
from evalkit.figures import METHODS, count, figure, interval, signed, signed_interval
from evalkit.plaintext import Paint, clean, fitted, wrapped
from evalkit.runs import Metric, Run, SuiteRun, Verdict
from evalkit.spending import spent_line
from evalkit.tablelines import COLOURS, Line, laid_out

if TYPE_CHECKING:
    from evalkit.stats.differences import Difference


def render(run: Run, *, width: int, color: bool, baseline: Run | None = None) -> str:
    """What came out of a run: for each suite its metrics with intervals, its gates with verdicts, and the reasons.

    No line is longer than `width` columns (60 at least): columns that say the least are left out first, and gates
    are wrapped. With `color`, verdicts carry ANSI colours. With a `baseline`, each metric also has its paired
    difference to it. Ends with a line end.
    """
    width = max(width, 60)
    paint = Paint(on=color)
    parts: list[str] = []
    for suite in run.suites:
        found, refusal = compared(suite, baseline)
        lines = list(table(run, suite.info.name, found))
        heading = f"{clean(suite.info.name)}: {asides.outcomes(suite)}"
        text = [paint(fitted(heading, width), "1")]
        if suite.versions:
            text.extend(wrapped(clean(", ".join(version.title for version in suite.versions)), width))
        text.extend(_below_heading(run, suite, width, paint))
        if refusal:
            text.extend(paint(line, "33") for line in wrapped(clean(refusal), width))
        if lines:
            text.extend(laid_out(lines, width, paint))
        else:
            text.append(f"No metrics: the run is {run.status}.")
        text.extend(_below_table(run, suite, width, paint))
        parts.append("\n".join(text))
    parts.extend(_closing(run, width, paint))
    return "\n\n".join(parts) + "\n" if parts else "The run has no suites.\n"


def table(run: Run, suite: str, compared: Mapping[str, Difference] | None = None) -> Iterator[Line]:
    """The lines of one suite: each score, then what every suite has, each followed by the gates that are on it.

    `compared` has the difference of each metric to a baseline.
    """
    differing = compared or {}
    metrics = [metric for metric in run.metrics if metric.suite == suite]
    reruns = _reruns(run.suite(suite), metrics)
    gated = [_Gated.of(verdict) for verdict in run.verdicts if verdict.suite == suite]
    for metric in shown(metrics):
        label, *others = _labels(metric)
        mine = [gate for gate in gated if gate.metric == metric.name]
        gated = [gate for gate in gated if gate.metric != metric.name]
        on_it = [gate for gate in mine if gate.label == label or gate.label in others]
        unknown = metric.value is None and not metric.scored + metric.errored
        silent = metric.name in BUILTINS_SHOWN and unknown
        versus = _versus(_alike(differing.get(metric.name), metric), metric.unit)
        rerun = reruns.get((metric.name, metric.statistic))
        if not on_it and not silent:
            yield dataclasses.replace(_line(metric, label=label, rerun=rerun), versus=versus)
        for gate in on_it:
            line = _line(metric, label=label, gate=gate, rerun=rerun)
            yield dataclasses.replace(line, versus=line.versus or versus)
            versus = ""
        for gate in mine:
            if gate not in on_it:
                yield _line(_like(metric, gate.label, metrics), label=gate.label, gate=gate)
    for gate in gated:
        yield _line(None, label=gate.label, gate=gate)


def compared(suite: SuiteRun, baseline: Run | None) -> tuple[Mapping[str, Difference], str]:
    """The differences of a suite's metrics to the baseline, and why there are none."""
    before = (
        next((other for other in baseline.suites if other.info.name == suite.info.name), None) if baseline else None
    )
    if baseline is None or before is None:
        return {}, ""
    from evalkit.stats.differences import dataset_refusal, differences

    why = dataset_refusal(before, suite)
    if why:
        return {}, f"Not compared with the baseline {baseline.id[:13]}: {why}."
    found = {one.name: one for one in differences(before, suite, p_values=False)}
    refused = [f"{one.name}, {one.refused}" for one in found.values() if one.refused]
    return found, f"Not compared with the baseline: {'; '.join(refused)}." if refused else ""


def _alike(difference: Difference | None, metric: Metric) -> Difference | None:
    """The difference of a total, beside a total: what is compared is the mean of a case."""
    if difference is None or metric.statistic != "sum":
        return difference
    ends = (difference.difference, difference.low, difference.high)
    total, low, high = (None if end is None else end * difference.pairs for end in ends)
    return dataclasses.replace(difference, difference=total, low=low, high=high)


def _versus(difference: Difference | None, unit: str) -> str:
    """`-0.025 (-0.15,+0.09) 1↑2↓`: the paired difference, its interval, and how many cases went which way."""
    if difference is None or difference.refused or difference.difference is None:
        return ""
    text = signed(difference.difference, unit)
    if difference.low is not None and difference.high is not None:
        text += f" {signed_interval(difference.low, difference.high, unit)}"
    return f"{text} {len(difference.improved):,}↑{len(difference.regressed):,}↓"


def _versus_of(verdict: Verdict, unit: str) -> str:
    """The same from the numbers of a verdict against a baseline."""
    pairs = verdict.inputs.get("pairs")
    if verdict.observed is None or not isinstance(pairs, dict):
        return ""
    from evalkit.stats.paired import LOG_RATIO

    relative = verdict.method == LOG_RATIO
    text = f"{100 * verdict.observed:+.3g}%" if relative else signed(verdict.observed, unit)
    if verdict.low is not None and verdict.high is not None:
        scale = 100 if relative else 1
        text += f" {signed_interval(scale * verdict.low, scale * verdict.high, '' if relative else unit)}"
    up, down = pairs["higher"], pairs["lower"]
    return f"{text} {up:,}↑{down:,}↓" if verdict.inputs.get("higher_is_better", True) else f"{text} {down:,}↑{up:,}↓"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Gated:
    """A verdict with its gate taken apart: which metric it is on, what it calls it, and what it asks of it."""

    verdict: Verdict
    metric: str
    label: str
    rule: str
    is_paired: bool = False

    @property
    def is_told(self) -> bool:
        """Whether its sentences are shown: a comparison that passes still says what it could have missed."""
        return self.is_paired or self.verdict.decision != "pass"

    @classmethod
    def of(cls, verdict: Verdict) -> _Gated:
        from evalkit.gates import parse

        try:
            gate = parse(verdict.gate)
        except GateError:  # a stored gate of a grammar that this version does not read
            return cls(verdict=verdict, metric="", label=verdict.gate, rule="")
        each, _, bare = str(gate).rpartition("each case: ")
        rule = ("each case " if each or bare != str(gate) else "") + bare.removeprefix(gate.subject).strip()
        paired = gate.baseline is not None
        return cls(verdict=verdict, metric=gate.metric, label=gate.subject, rule=rule, is_paired=paired)


def _like(metric: Metric, label: str, metrics: Sequence[Metric]) -> Metric:
    """The metric of that label, for its interval, or one of the same name and unit that knows nothing else."""
    for other in metrics:
        if label in _labels(other):
            return other
    return dataclasses.replace(metric, value=None, low=None, high=None, method="")


def _labels(metric: Metric) -> tuple[str, ...]:
    """How a gate may call a metric, the shortest first."""
    from evalkit.gates.gate import DEFAULT_STATISTIC, Gate

    chosen = next(iter(metric.slice.items()), None)
    long = Gate(metric=metric.name, statistic=metric.statistic, slice=chosen).subject
    if metric.statistic in ("mean", "rate") or metric.statistic == DEFAULT_STATISTIC.get(metric.name):
        return Gate(metric=metric.name, slice=chosen).subject, long
    return (long,)


def _reruns(suite: SuiteRun, metrics: Sequence[Metric]) -> dict[tuple[str, str], float]:
    """The rerun error of each mean and rate over all cases; empty where nothing was repeated."""
    if suite.info.repeat < 2:
        return {}
    from evalkit.stats.variance import rerun_errors

    names = [(metric.name, metric.statistic) for metric in metrics if not metric.slice]
    return rerun_errors(suite, names)


def _line(metric: Metric | None, *, label: str, gate: _Gated | None = None, rerun: float | None = None) -> Line:
    unit = metric.unit if metric else ""
    verdict = gate.verdict if gate else None
    own = verdict is not None and verdict.observed is not None and gate is not None and not gate.is_paired
    source: Metric | Verdict | None = verdict if own else metric
    if source is None:
        source = verdict
    assert source is not None
    value = source.value if isinstance(source, Metric) else source.observed
    low, high, level, method = source.low, source.high, source.level, source.method
    if low is None and high is None and metric is not None and metric.value == value:
        low, high, level, method = metric.low, metric.high, metric.level, metric.method
    tag = METHODS.get(method, method) if (low, high) != (None, None) else ""
    if tag and level not in (None, 0.95):
        tag += f" {100 * (level or 0):g}%"
    missing = source.unscored + source.errored
    line = Line(
        metric=clean(label),
        value=figure(value, unit),
        interval=interval(low, high, unit),
        tag=tag,
        size=_size(source),
        missing=f"{missing:,}",
        rerun="" if rerun is None else figure(rerun, unit),
    )
    if gate is None or verdict is None:
        return line
    return dataclasses.replace(
        line,
        versus=_versus_of(verdict, unit) if gate.is_paired else "",
        gate=clean(gate.rule),
        decision=verdict.decision.upper(),
        fragile=verdict.fragile and verdict.decision == "pass",
        below=tuple(clean(part) for part in _sentences(verdict)) if gate.is_told else (),
    )


def _sentences(verdict: Verdict) -> Iterator[str]:
    if verdict.reason:
        yield verdict.reason
    if verdict.hint:
        yield verdict.hint


def _size(source: Metric | Verdict) -> str:
    """`40×3`: cases and trials of each; `76/400` where fewer trials ran than there are cases."""
    if source.trials < source.cases:
        return f"{source.trials:,}/{source.cases:,}"
    return f"{source.cases:,}×{_repeats(source)}"


def _repeats(source: Metric | Verdict) -> str:
    if not source.cases:
        return "0"
    exact, rest = divmod(source.trials, source.cases)
    return str(exact) if not rest else f"{source.trials / source.cases:.1f}"


def _below_heading(run: Run, suite: SuiteRun, width: int, paint: Paint) -> Iterator[str]:
    told = [(asides.partial(run, suite), "33"), (asides.unstopped(suite), "2")]
    told += [(text, "31") for text in asides.raised(suite)]
    for text, code in told:
        if text:
            yield from (paint(line, code) for line in wrapped(clean(text), width))


def _below_table(run: Run, suite: SuiteRun, width: int, paint: Paint) -> Iterator[str]:
    told = [(text, "2") for text in asides.remarks(run, suite.info.name)]
    told += [(text, "33" if aloud else "2") for text, aloud in asides.of_judges(suite)]
    for text, code in told:
        yield from (paint(f"  {line}", code) for line in wrapped(clean(text), width - 2))


def _closing(run: Run, width: int, paint: Paint) -> Iterator[str]:
    spent = spent_line(run.usage())
    if spent:
        yield "\n".join(wrapped(spent, width))
    if not run.verdicts:
        return
    decisions = Counter(verdict.decision for verdict in run.verdicts)
    told = [
        paint(f"{decisions[name]} {name}", COLOURS[name.upper()])
        for name in ("pass", "fail", "inconclusive")
        if decisions[name]
    ]
    text = f"{count(len(run.verdicts), 'gate')}: " + ", ".join(told)
    note = asides.by_chance(run.verdicts)
    if note:
        text += "\n" + "\n".join(paint(line, "2") for line in wrapped(note, width))
    yield text
