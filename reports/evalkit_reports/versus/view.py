"""What the templates of a comparison draw: sides, metrics, slices, versions; everything but the cases."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from evalkit.comparison import Candidates, Comparison, SuiteComparison
from evalkit.figures import count, figure, signed
from evalkit.registry.differing import Changes, difference
from evalkit.runs import Run
from evalkit.stats.differences import Difference
from evalkit.stats.moved import Moved, moved_slices
from evalkit_reports import words
from evalkit_reports.headline import Banner, banners
from evalkit_reports.versus.bars import DifferenceBar, Line, bar, interval, line, p_value, reach
from evalkit_reports.versus.changes import suite_of
from evalkit_reports.versus.verdict import Finding, finding, refusals

MOST_LINES = 400
"""Of the difference of a prompt."""

_OPERATIONAL = ("latency", "cost", "input_tokens", "output_tokens")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One run: `letter` is empty for the base, and for the candidate where there is only one."""

    letter: str
    name: str
    run_id: str
    decision: str
    facts: tuple[tuple[str, str], ...]
    commands: tuple[tuple[str, str], ...]
    finding: Finding | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SliceLine:
    """A slice that moved; `mark` is its q-value where it is marked, else empty."""

    letter: str
    metric: str
    slice: str
    base: str
    candidate: str
    difference: str
    interval: str
    improved: int
    regressed: int
    pairs: int
    mark: str
    bar: DifferenceBar


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VersionDiff:
    """A prompt or a model on both sides.

    `changes` is `None` where both are the same, or only one side has it; `more` lines of them were left out.
    """

    letter: str
    title: str
    kind: str
    changes: Changes | None
    more: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SuiteView:
    """One suite of all candidates."""

    number: int
    name: str
    sample: str
    scores: tuple[Line, ...]
    operations: tuple[Line, ...]
    equivalent: tuple[str, ...]
    slices: tuple[SliceLine, ...]
    versions: tuple[VersionDiff, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VersusView:
    """The whole page, cases excepted; `banners` have the name of their side before them."""

    title: str
    several: bool
    base: Side
    candidates: tuple[Side, ...]
    finding: Finding
    banners: tuple[tuple[str, Banner], ...]
    suites: tuple[SuiteView, ...]
    refusals: tuple[str, ...]
    evalkit: str


def versus_view(found: Candidates, letters: Sequence[str], *, title: str | None = None) -> VersusView:
    """The view of one or more candidates; `letters` name them."""
    comparisons = found.comparisons
    several = len(comparisons) > 1
    shown = letters if several else ("",)
    base = comparisons[0].base
    candidates = tuple(
        _side(one.candidate, letter, finding(found, at))
        for at, (one, letter) in enumerate(zip(comparisons, shown, strict=True))
    )
    names = dict.fromkeys(suite.name for one in comparisons for suite in one.suites if not suite.refused)
    sides = [_side(base, "", None), *candidates]
    runs = [base, *(one.candidate for one in comparisons)]
    return VersusView(
        title=title or _title(comparisons),
        several=several,
        base=sides[0],
        candidates=candidates,
        finding=_together(found, candidates) if several else finding(found, 0),
        banners=tuple((side.name, banner) for side, run in zip(sides, runs, strict=True) for banner in banners(run)),
        suites=tuple(_suite(number, name, found, shown) for number, name in enumerate(names)),
        refusals=refusals(comparisons, letters),
        evalkit=comparisons[0].candidate.provenance.evalkit,
    )


def _title(comparisons: Sequence[Comparison]) -> str:
    names = [suite.name for suite in comparisons[0].suites]
    what = ", ".join(names) if len(names) <= 3 else f"{names[0]}, {names[1]} and {len(names) - 2} more suites"
    return f"{what}: {count(len(comparisons) + 1, 'run')} compared" if what else f"{len(comparisons) + 1} runs"


def _together(found: Candidates, candidates: Sequence[Side]) -> Finding:
    said = [f"{side.name} {side.finding.word.lower()}" for side in candidates if side.finding]
    refused = all(one.is_refused for one in found.comparisons)
    return Finding(
        word="NOT COMPARED" if refused else f"{len(candidates)} CANDIDATES",
        shape="none",
        sentence="Against the base: " + ", ".join(said) + ".",
        reasons=(),
        more=0,
    )


def _side(run: Run, letter: str, found: Finding | None) -> Side:
    made = run.provenance
    name = "base" if found is None else f"candidate {letter}".rstrip()
    facts = [("Run", run.id), ("Started", words.moment(run.started_at))]
    if made.commit:
        facts.append(("Commit", made.commit[:12] + (" with uncommitted changes" if made.dirty else "")))
    if made.branch:
        facts.append(("Branch", made.branch))
    used = [version.title for suite in run.suites for version in suite.versions]
    facts += [("Version", title) for title in dict.fromkeys(used)]
    commands = [("Run it again", made.command)] if made.command else []
    return Side(
        letter=letter,
        name=name,
        run_id=run.id,
        decision=run.decision or "",
        facts=tuple(facts),
        commands=tuple(commands),
        finding=found,
    )


def _suite(number: int, name: str, found: Candidates, letters: Sequence[str]) -> SuiteView:
    several = len(found.comparisons) > 1
    compared = [
        (at, letters[at], one, suite)
        for at, one in enumerate(found.comparisons)
        for suite in one.suites
        if suite.name == name and not suite.refused
    ]
    by_metric: dict[str, list[tuple[str, Difference, float | None]]] = {}
    for at, letter, _, suite in compared:
        for metric in suite.metrics:
            if not metric.refused and metric.pairs + metric.unpaired:
                adjusted = found.adjusted[name, metric.name][at] if several else None
                by_metric.setdefault(metric.name, []).append((letter, metric, adjusted))
    quality = {key: rows for key, rows in by_metric.items() if key not in _OPERATIONAL}
    width = _widths(quality)
    return SuiteView(
        number=number,
        name=name,
        sample=", ".join(f"{letter} {count(suite.cases, 'case')} in both".strip() for _, letter, _, suite in compared),
        scores=tuple(
            line(metric, letter=letter, adjusted=adjusted, width=width[metric.unit])
            for rows in quality.values()
            for letter, metric, adjusted in rows
        ),
        operations=tuple(
            line(metric, letter=letter, adjusted=adjusted, width=reach([one for _, one, _ in rows]))
            for key, rows in by_metric.items()
            if key in _OPERATIONAL
            for letter, metric, adjusted in rows
        ),
        equivalent=tuple(_equivalent(letter, suite) for _, letter, _, suite in compared if _equal_metrics(suite)),
        slices=tuple(row for _, letter, one, suite in compared for row in _slices(letter, one, suite)),
        versions=tuple(row for _, letter, _, suite in compared for row in _versions(letter, suite)),
    )


def _widths(rows: dict[str, list[tuple[str, Difference, float | None]]]) -> dict[str, float]:
    """One axis for all scores of a unit, so that their bars can be held against each other."""
    found: dict[str, list[Difference]] = {}
    for row in rows.values():
        for _, metric, _ in row:
            found.setdefault(metric.unit, []).append(metric)
    return {unit: reach(metrics) for unit, metrics in found.items()}


def _equal_metrics(suite: SuiteComparison) -> list[Difference]:
    return [
        one
        for one in suite.metrics
        if one.equivalent_within is not None and (one.low or 0) <= 0 <= (one.high or 0) and not one.refused
    ]


def _equivalent(letter: str, suite: SuiteComparison) -> str:
    told = [f"{one.name} within ±{figure(one.equivalent_within, one.unit)}" for one in _equal_metrics(suite)]
    return f"{letter}: {', '.join(told)}" if letter else ", ".join(told)


def _slices(letter: str, comparison: Comparison, suite: SuiteComparison) -> list[SliceLine]:
    base = suite_of(comparison.base.suites, suite.name)
    candidate = suite_of(comparison.candidate.suites, suite.name)
    if base is None or candidate is None:
        return []
    moved = moved_slices(base, candidate, suite.metrics)
    rising = {one.name: one.higher_is_better for one in suite.metrics}
    width = reach(moved)
    return [_slice(letter, one, width, rising=rising[one.name]) for one in moved]


def _slice(letter: str, one: Moved, width: float, *, rising: bool) -> SliceLine:
    told = " · ".join(f"{key}={value}" for key, value in one.slice.items())
    state = "plain"
    if one.is_marked:
        state = "better" if one.improved > one.regressed else "worse"
    return SliceLine(
        letter=letter,
        metric=one.name,
        slice=told,
        base=figure(one.base),
        candidate=figure(one.candidate),
        difference=signed(one.difference),
        interval=interval(one.low, one.high, ""),
        improved=one.improved,
        regressed=one.regressed,
        pairs=one.pairs,
        mark=f"q {p_value(one.q_value)}" if one.is_marked else "",
        bar=bar(
            (one.difference, one.low, one.high),
            width=width,
            unit="",
            good="right" if rising else "left",
            state=state,
            name=f"{one.name} in {told}",
        ),
    )


def _versions(letter: str, suite: SuiteComparison) -> list[VersionDiff]:
    made: list[VersionDiff] = []
    for pair in suite.versions:
        one = pair.candidate or pair.base
        changes = None
        if pair.base is not None and pair.candidate is not None and pair.base.digest != pair.candidate.digest:
            changes = difference(pair.base, pair.candidate)
        more = 0
        if changes is not None and len(changes.lines) > MOST_LINES:
            more = len(changes.lines) - MOST_LINES
            changes = dataclasses.replace(changes, lines=changes.lines[:MOST_LINES])
        made.append(
            VersionDiff(
                letter=letter, title=pair.title, kind=one.kind if one is not None else "", changes=changes, more=more
            )
        )
    return made
