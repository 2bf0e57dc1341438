"""A comparison of two runs as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalkit.comparison import Comparison, SuiteComparison
from evalkit.figures import METHODS, count, figure, signed, signed_interval
from evalkit.runs import Run
from evalkit.stats.differences import Difference
from evalkit_reports.fingerprint import fingerprint
from evalkit_reports.markdown import changed, neutral
from evalkit_reports.markdown.fitting import COMMENT, Detail, fitting
from evalkit_reports.markdown.suite import pair_text
from evalkit_reports.markdown.tables import Column, table
from evalkit_reports.words import moment

MARK = "evalkit-compare"
_NOTE = (
    "An interval that has 0 inside it shows no difference, and does not show that there is none. With many metrics, "
    "some p are small by chance."
)


def render_comparison(comparison: Comparison, *, limit: int = COMMENT) -> str:
    """The comparison in at most `limit` bytes of UTF-8 (16 KiB at least), ending with a line end."""

    def render(detail: Detail) -> str:
        text = "\n".join(_page(comparison, detail))
        return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"

    return fitting(render, limit, len(comparison.suites))


def _page(comparison: Comparison, detail: Detail) -> Iterator[str]:
    names = sorted(suite.name for suite in comparison.suites)
    yield neutral.comment(MARK, names if len(names) <= 10 else [*names[:10], str(len(names))])
    yield "## Two runs, case by case"
    yield ""
    for side, run in (("base", comparison.base), ("candidate", comparison.candidate)):
        yield f"- {side} {_about(run)}"
    shown = comparison.suites if detail.suites is None else comparison.suites[: detail.suites]
    for suite in shown:
        yield from _suite(comparison.candidate, suite, detail)
    if len(shown) < len(comparison.suites):
        yield from ("", f"{count(len(comparison.suites) - len(shown), 'more suite')}.")
    yield from ("", _NOTE)


def _about(run: Run) -> str:
    commit = f", commit {neutral.code(run.provenance.commit[:12])}" if run.provenance.commit else ""
    state = f"{run.status}, partial" if run.is_partial and run.status == "complete" else run.status
    return f"{neutral.code(run.id)}, {moment(run.started_at)}, {state}{commit}, fingerprint `{fingerprint(run)}`"


def _suite(candidate: Run, suite: SuiteComparison, detail: Detail) -> Iterator[str]:
    yield from ("", f"### {neutral.code(suite.name, 80)}", "")
    if suite.refused:
        yield f"Not compared: {neutral.prose(suite.refused, detail.length)}."
        return
    yield f"{count(suite.cases, 'case')} in both runs. {_identical(suite)}".rstrip()
    if suite.versions:
        yield from ("", ", ".join(pair_text(pair) for pair in suite.versions[: detail.cases]) + ".")
    compared = [one for one in suite.metrics if not one.refused and one.pairs + one.unpaired]
    yield ""
    yield from table(_columns(compared), detail.rows, "metrics") or ["No metric could be compared."]
    refused = [one for one in suite.metrics if one.refused]
    if refused:
        yield ""
    for one in refused[: detail.sentences]:
        yield f"- {neutral.code(one.name)} was not compared: {neutral.prose(one.refused, detail.length)}"
    if len(refused) > detail.sentences:
        yield f"- {len(refused) - detail.sentences:,} more were not compared"
    run = next((one for one in candidate.suites if one.info.name == suite.name), None)
    if run is not None:
        yield from changed.newly(run, suite, detail)
    yield from changed.prompt_diffs(suite.versions, detail)


def _identical(suite: SuiteComparison) -> str:
    if suite.cases and len(suite.identical) == suite.cases:
        return "All outputs are identical: the two runs do not differ in what was answered."
    return f"{len(suite.identical):,} have identical outputs." if suite.identical else ""


def _columns(metrics: Sequence[Difference]) -> list[Column]:
    prose = neutral.prose
    return [
        Column(title="metric", cells=[neutral.code(one.name, in_table=True) for one in metrics]),
        Column(title="base", cells=[prose(figure(one.base, one.unit)) for one in metrics], right=True),
        Column(title="candidate", cells=[prose(figure(one.candidate, one.unit)) for one in metrics], right=True),
        Column(title="difference", cells=[prose(signed(one.difference, one.unit)) for one in metrics], right=True),
        Column(title="95% interval", cells=[_interval(one) for one in metrics]),
        Column(
            title="better, worse",
            cells=[f"{len(one.improved):,}↑ {len(one.regressed):,}↓" for one in metrics],
            right=True,
        ),
        Column(title="p", cells=[p_value(one.p_value) for one in metrics], right=True),
        Column(title="pairs", cells=[f"{one.pairs:,}" for one in metrics], right=True),
        Column(title="missing", cells=[f"{one.missing:,}" for one in metrics], right=True),
    ]


def _interval(one: Difference) -> str:
    if one.low is None or one.high is None:
        return ""
    return neutral.prose(
        f"{signed_interval(one.low, one.high, one.unit)} {METHODS.get(one.method, one.method)}".rstrip()
    )


def p_value(value: float | None) -> str:
    """Three decimals, or that it is below 0.001; a dash where there is none."""
    return "–" if value is None else neutral.prose("<0.001" if value < 0.001 else f"{value:.3f}")
