"""The rows that the templates draw: everything on the page but the cases, as text and geometry."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence

from evalkit.asides import raised
from evalkit.canonical import jsonable
from evalkit.case import CLUSTER
from evalkit.comparison import Comparison, SuiteComparison
from evalkit.runs import SAME_OUTPUT, STOP, Provenance, Run, SuiteRun, Verdict, spending
from evalkit.stats.marks import slice_marks
from evalkit.stats.remarks import remarks, standings
from evalkit.trial import Trial
from evalkit.versions import Version
from evalkit_reports import words
from evalkit_reports.bounds import figure
from evalkit_reports.changes import BETTER, SAME, WORSE
from evalkit_reports.charts import Part, parts
from evalkit_reports.context import Context, PromotionView
from evalkit_reports.headline import Banner, Headline, banners, headline
from evalkit_reports.judgecards import CardView, judge_cards
from evalkit_reports.matrix import Matrix, matrices
from evalkit_reports.measures import Measures, MetricRow, OperationRow, SliceTable, missing
from evalkit_reports.plots import Plot, plots
from evalkit_reports.scatter import Scatter, scatter
from evalkit_reports.steadiness import Steadiness, steadiness
from evalkit_reports.trend import Trend, trends

_TOLD = frozenset({STOP, CLUSTER, SAME_OUTPUT})
"""What the metadata of a suite keep that is told in words elsewhere."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """One gate as it was decided; `state` is `pass`, `fail` or `inconclusive`."""

    suite: str
    gate: str
    state: str
    observed: str
    interval: str
    method: str
    sample: str
    missing: str
    reason: str
    hint: str
    fragile: bool
    accepted: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SuiteView:
    """One suite: what it ran on, what became of its trials, its gates, metrics, plots and slices."""

    number: int
    name: str
    state: str
    about: tuple[tuple[str, str], ...]
    sample: str
    outcomes: tuple[Part, ...]
    outcome_text: str
    gates: tuple[GateRow, ...]
    metrics: tuple[MetricRow, ...]
    operations: tuple[OperationRow, ...]
    plots: tuple[Plot, ...]
    slices: tuple[SliceTable, ...]
    scorers: tuple[tuple[str, str, str], ...]
    standings: tuple[str, ...]
    remarks: tuple[str, ...]
    cards: tuple[CardView, ...]
    raised: tuple[str, ...]
    baseline: BaselineView | None
    trends: tuple[Trend, ...]
    scatter: Scatter | None
    matrices: tuple[Matrix, ...]
    steadiness: Steadiness
    prompts: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BaselineView:
    """What became of the cases of a suite since the baseline. `refused` says why that cannot be told."""

    run: str
    refused: str
    counts: tuple[tuple[str, str, int], ...]
    versions: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """The whole page, cases excepted."""

    title: str
    run_id: str
    headline: Headline
    banners: tuple[Banner, ...]
    facts: tuple[tuple[str, str], ...]
    suites: tuple[SuiteView, ...]
    provenance: tuple[tuple[str, str], ...]
    packages: tuple[tuple[str, str], ...]
    ci: tuple[tuple[str, str], ...]
    commands: tuple[tuple[str, str], ...]
    outcomes: tuple[Part, ...]
    outcome_text: str
    planned: int
    evalkit: str
    baseline: str
    promotions: tuple[PromotionView, ...]


def page_view(
    run: Run, *, title: str | None = None, around: Context | None = None, comparison: Comparison | None = None
) -> PageView:
    """The page of `run`; the title is made from the suites' names unless given.

    `around` is what is known beside the run, `comparison` that with its baseline.
    """
    outcomes = _outcomes(run.suites)
    known = around or Context()
    return PageView(
        title=title or _title(run),
        run_id=run.id,
        headline=headline(run),
        banners=banners(run, known.attempts) + tuple(Banner(word=word, text=text) for word, text in known.notes),
        facts=_facts(run),
        suites=tuple(_suite_view(number, suite, run, known, comparison) for number, suite in enumerate(run.suites)),
        provenance=_provenance(run),
        packages=_pairs(run.provenance.packages),
        ci=_pairs(run.provenance.ci),
        commands=_commands(run),
        outcomes=outcomes,
        outcome_text=_told(outcomes),
        planned=sum(part.count for part in outcomes),
        evalkit=run.provenance.evalkit,
        baseline=_named(known.baseline),
        promotions=known.promotions,
    )


def _named(run: Run | None) -> str:
    """A run as a reader may recognise it: the beginning of its id, when, and at which commit."""
    if run is None:
        return ""
    commit = f" at {run.provenance.commit[:10]}" if run.provenance.commit else ""
    return f"{run.id[:13]} of {words.moment(run.started_at)[:10]}{commit}"


def _title(run: Run) -> str:
    names = [suite.info.name for suite in run.suites]
    if len(names) > 3:
        return f"{names[0]}, {names[1]} and {len(names) - 2} more suites"
    return ", ".join(names) or "A run without suites"


def _facts(run: Run) -> tuple[tuple[str, str], ...]:
    trials = [trial for suite in run.suites for trial in suite.trials]
    cases = sum(len(suite.cases) for suite in run.suites)
    facts = [("Cases", f"{cases:,}")]
    if len(trials) != cases:
        facts.append(("Trials", f"{len(trials):,}"))
    facts.append(("Started", words.moment(run.started_at)))
    if run.finished_at is not None:
        facts.append(("Took", words.seconds((run.finished_at - run.started_at).total_seconds())))
    facts += _used(trials)
    return tuple(facts)


def _used(trials: Sequence[Trial]) -> list[tuple[str, str]]:
    """Totals of tokens and cost; a total over some trials only says over how many."""
    usages = [trial.output.usage for trial in trials if trial.output.usage is not None]
    tokens = [usage.total_tokens for usage in usages if usage.total_tokens is not None]
    costs = [usage.cost for usage in usages if usage.cost is not None]
    used: list[tuple[str, str]] = []
    if tokens:
        used.append(("Tokens", f"{sum(tokens):,}" + _of(len(tokens), len(trials))))
    if costs:
        used.append(("Cost", words.dollars(sum(costs[1:], costs[0])) + _of(len(costs), len(trials))))
    judges = spending(trials).judges
    if judges is not None:
        unpriced = f" ({words.count(judges.unpriced, 'call')} without a known price)" if judges.unpriced else ""
        used.append(("Cost of judges", words.dollars(judges.cost) + unpriced))
    return used


def _of(known: int, whole: int) -> str:
    return "" if known == whole else f" ({known:,} of {whole:,} known)"


def _suite_view(number: int, suite: SuiteRun, run: Run, around: Context, comparison: Comparison | None) -> SuiteView:
    info = suite.info
    verdicts = [verdict for verdict in run.verdicts if verdict.suite == info.name]
    compared = _compared(comparison, info.name)
    measures = Measures(
        [metric for metric in run.metrics if metric.suite == info.name],
        verdicts,
        marks=slice_marks(suite),
        differences=() if compared is None or compared.refused else compared.metrics,
    )
    outcomes = _outcomes([suite])
    states = [verdict.decision for verdict in verdicts]
    cards = judge_cards(suite, around.cards)
    about = [
        ("Dataset", info.dataset.name + (f" ({info.dataset.source})" if info.dataset.source else "")),
        ("Dataset digest", info.dataset.digest),
        ("Cases in dataset", f"{info.dataset.size:,}"),
        *((version.kind.capitalize(), version.title.partition(" ")[2]) for version in suite.versions),
        ("Repeat", str(info.repeat)),
        ("Seed", str(info.seed)),
        *([("Cluster", info.cluster)] if info.cluster else []),
        *([("Stops early", info.stop.rule)] if info.stop else []),
        ("Declared at", info.location),
        ("Test", info.nodeid),
        *((f"metadata {key}", str(value)) for key, value in info.metadata.items() if key not in _TOLD),
    ]
    return SuiteView(
        number=number,
        name=info.name,
        state=next((state for state in ("fail", "inconclusive", "pass") if state in states), ""),
        about=tuple(about),
        sample=_sample(suite),
        outcomes=outcomes,
        outcome_text=_told(outcomes),
        gates=tuple(gate_row(verdict) for verdict in verdicts),
        metrics=measures.scores(),
        operations=measures.operations(),
        plots=plots(suite),
        slices=measures.slices(),
        scorers=tuple((scorer.name, scorer.version, scorer.pass_mark or "") for scorer in info.scorers),
        standings=() if any(card.figures for card in cards) else tuple(standings(suite)),
        remarks=tuple(remarks(suite)),
        cards=cards,
        raised=tuple(raised(suite)),
        baseline=_baseline(compared, around.baseline),
        trends=trends(run, info.name, around.earlier.get(info.name, ())),
        scatter=scatter(suite),
        matrices=matrices(suite),
        steadiness=steadiness(suite),
        prompts=tuple((version.title, _body(version)) for version in suite.versions),
    )


def _compared(comparison: Comparison | None, suite: str) -> SuiteComparison | None:
    return next((one for one in comparison.suites if one.name == suite), None) if comparison is not None else None


def _baseline(compared: SuiteComparison | None, baseline: Run | None) -> BaselineView | None:
    if compared is None:
        return None
    counts = (
        ("newly failing", WORSE, len(compared.newly_failing)),
        ("newly passing", BETTER, len(compared.newly_passing)),
        ("with the very same output", SAME, len(compared.identical)),
    )
    return BaselineView(
        run=_named(baseline),
        refused=compared.refused,
        counts=counts,
        versions=tuple(pair.title for pair in compared.versions),
    )


def _body(version: Version) -> str:
    """What a version is: the text of a prompt, anything else as JSON over several lines."""
    text = version.body.get("text")
    if isinstance(text, str):
        return text
    try:
        return json.dumps(jsonable(version.body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return "a value nested too deep to be shown"


def _sample(suite: SuiteRun) -> str:
    cases, trials = len(suite.cases), len(suite.trials)
    return words.count(cases, "case") + ("" if cases == trials else f", {words.count(trials, 'trial')}")


def _outcomes(suites: Sequence[SuiteRun]) -> tuple[Part, ...]:
    counts = dict.fromkeys(("passed", "missed", "errored", "unscored"), 0)
    not_run = 0
    for suite in suites:
        for trial in suite.trials:
            counts[trial.outcome] += 1
        not_run += max(suite.info.planned - len(suite.trials), 0)
    return parts([*((name, name, amount) for name, amount in counts.items()), ("not run", "notrun", not_run)])


def _told(outcomes: Sequence[Part]) -> str:
    return ", ".join(f"{part.count:,} {part.name}" for part in outcomes) or "nothing was run"


def gate_row(verdict: Verdict) -> GateRow:
    """One verdict as text."""
    level = f"{verdict.level * 100:.4g}%" if verdict.level is not None else ""
    span = f"{figure(verdict, verdict.low)} – {figure(verdict, verdict.high)}"
    accepted = ""
    if verdict.decision == "inconclusive" and verdict.on_inconclusive != "fail":
        accepted = "counts as a pass here" if verdict.on_inconclusive == "pass" else "is a warning here"
    repeats = verdict.cases and verdict.trials != verdict.cases
    return GateRow(
        suite=verdict.suite,
        gate=verdict.gate,
        state=verdict.decision,
        observed=figure(verdict, verdict.observed),
        interval="" if verdict.low is None and verdict.high is None else span,
        method=" ".join(part for part in (level, verdict.method) if part),
        sample=words.count(verdict.cases, "case") + (f", {words.count(verdict.trials, 'trial')}" if repeats else ""),
        missing=missing(verdict.unscored, verdict.errored),
        reason=verdict.reason,
        hint=verdict.hint,
        fragile=verdict.fragile,
        accepted=accepted,
    )


def _provenance(run: Run) -> tuple[tuple[str, str], ...]:
    made = run.provenance
    rows = [
        ("Run", run.id),
        ("Status", run.status),
        ("Started", words.moment(run.started_at)),
        ("Finished", words.moment(run.finished_at)),
        ("Commit", (made.commit or words.UNKNOWN) + _checkout(made)),
        ("Branch", made.branch or words.UNKNOWN),
        ("Seed", str(run.seed)),
        ("evalkit", made.evalkit or words.UNKNOWN),
        ("Python", made.python or words.UNKNOWN),
        ("Platform", made.platform or words.UNKNOWN),
        ("Host", made.host or words.UNKNOWN),
        ("User", made.user or words.UNKNOWN),
        ("Store", run.store or "none: this run was not stored"),
    ]
    return tuple(rows)


def _checkout(made: Provenance) -> str:
    if made.commit is None or made.dirty is None:
        return ""
    return ", with uncommitted changes" if made.dirty else ", clean"


def _commands(run: Run) -> tuple[tuple[str, str], ...]:
    """What to type to run it again, and to ask the store about it."""
    made = run.provenance
    found: list[tuple[str, str]] = []
    if made.command:
        checkout = f"git checkout {made.commit}\n" if made.commit else ""
        found.append(("Run it again", checkout + made.command))
    if run.store is not None:
        found.append(("See it in the terminal", f"evalkit show {run.id}"))
        found.append(("Judge it again, with no call to a model", f"evalkit gate {run.id}"))
    return tuple(found)


def _pairs(mapping: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(mapping.items()))
