"""`evalkit compare`: two runs, case by case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from evalkit import grid
from evalkit.cli import contest
from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import COMPARE, ends, moment, version_shape
from evalkit.comparison import Candidates, Comparison, SuiteComparison, compare, compare_all
from evalkit.errors import EvalkitError
from evalkit.figures import METHODS, count, figure, signed, signed_interval
from evalkit.plaintext import Paint, clean, wrapped
from evalkit.runs import Run
from evalkit.stats.differences import Difference

SHOWN = 12


class NotComparable(EvalkitError):
    """Two runs that have nothing in common which could be compared."""


@click.command(name="compare", cls=CommonCommand)
@click.argument("base", metavar="BASE")
@click.argument("candidates", metavar="CANDIDATE...", nargs=-1, required=True)
@json_option
@click.option("--markdown", "as_markdown", is_flag=True, help="As Markdown, for a pull request.")
@click.option(
    "--html",
    "page",
    metavar="PATH",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the comparison as one self-contained HTML file, too.",
)
@pass_invocation
def command(
    invocation: Invocation,
    base: str,
    candidates: Sequence[str],
    as_json: bool,
    as_markdown: bool,
    page: Path | None,
) -> None:
    """Compare two runs case by case: per metric, and which cases newly fail or newly pass.

    Cases are paired by id. A suite on two versions of its dataset is not compared, nor is a metric whose scorer has
    changed. Each difference has its 95% interval, which is the one that a gate on it uses, and the p-value of no
    difference. Of several candidates each is compared with BASE, with p-values that allow for there being several.
    """
    if as_json and as_markdown:
        raise click.UsageError("--json and --markdown are two forms of the same: give one.")
    if as_markdown and len(candidates) > 1:
        raise click.UsageError("--markdown compares two runs; give one candidate.")
    with invocation.open_store() as store:
        first, *others = (store.load(store.resolve(name), traces=False) for name in (base, *candidates))
    if page is not None:
        from evalkit_reports.versus import write_versus

        written = write_versus(first, others, page)
        click.echo(f"{written} ({written.stat().st_size / 1_000_000:.1f} MB)", err=as_json or as_markdown)
    if len(others) > 1:
        several(invocation, compare_all(first, others), as_json=as_json)
        return
    comparison = compare(first, others[0])
    if as_json:
        emit_json({"schema": COMPARE, **compared_shape(comparison)})
    refuse(comparison)
    if as_markdown:
        from evalkit_reports import render_comparison

        click.echo(render_comparison(comparison), nl=False)
    elif not as_json:
        for line in _text(comparison, invocation.width, invocation.paint()):
            click.echo(line)


def several(invocation: Invocation, found: Candidates, *, as_json: bool) -> None:
    """Print the comparison of several candidates with one base. Raises `NotComparable` where none can be compared."""
    if as_json:
        emit_json(
            {
                "schema": COMPARE,
                "base": found.comparisons[0].base.id,
                "candidates": [compared_shape(one) for one in found.comparisons],
                "holm": [
                    {"suite": suite, "metric": metric, "p_values": list(adjusted)}
                    for (suite, metric), adjusted in found.adjusted.items()
                ],
            }
        )
    if all(comparison.is_refused for comparison in found.comparisons):
        refuse(found.comparisons[0])
    if not as_json:
        for line in contest.lines(found, invocation.width, invocation.paint()):
            click.echo(line)


def refuse(comparison: Comparison) -> None:
    """Raise `NotComparable` where nothing of the two runs can be compared, with the reasons."""
    if comparison.is_refused:
        reasons = [f"{suite.name}: {_refusal(suite)}" for suite in comparison.suites]
        raise NotComparable(
            "These two runs cannot be compared.",
            why="\n".join(reasons) or "Neither has a suite.",
            hint="Run both on one version of the dataset, with one version of the scorers.",
        )


def _refusal(suite: SuiteComparison) -> str:
    return suite.refused or "; ".join(f"{metric.name}: {metric.refused}" for metric in suite.metrics)


def _text(comparison: Comparison, width: int, paint: Paint) -> Iterator[str]:
    for side, run in (("base", comparison.base), ("candidate", comparison.candidate)):
        yield clean(f"{side:<10} {run.id}  {moment(run.started_at)}  {_state(run)}")
    for suite in comparison.suites:
        yield ""
        title = clean(f"{suite.name}: {suite.refused or count(suite.cases, 'case') + ' in both'}")
        yield from (paint(line, "1") for line in wrapped(title, width))
        for pair in suite.versions:
            yield from wrapped(clean(pair.title), width)
        if suite.refused:
            continue
        compared = [metric for metric in suite.metrics if not metric.refused and metric.pairs + metric.unpaired]
        if compared:
            columns = grid.fit((_columns(compared, level) for level in range(6)), width)
            yield paint(grid.header(columns), "2")
            for number in range(len(compared)):
                yield from grid.lines(columns, number)
        yield from _equivalent(compared, width)
        for metric in suite.metrics:
            if metric.refused:
                yield from wrapped(clean(f"{metric.name}: not compared, {metric.refused}"), width)
        yield from _cases("newly failing", suite.newly_failing, width, paint, "31")
        yield from _cases("newly passing", suite.newly_passing, width, paint, "32")
        yield from _cases("in one run only", suite.unpaired, width, paint, "33")
        if suite.cases and len(suite.identical) == suite.cases:
            text = f"All {count(suite.cases, 'output')} are identical: the two runs do not differ in what was answered."
            yield from wrapped(text, width)
        elif suite.identical:
            yield f"{len(suite.identical):,} of {count(suite.cases, 'case')} have identical outputs."
    yield ""
    yield from wrapped(
        "An interval that has 0 inside it shows no difference, and does not show that there is none. p is how often "
        "chance alone would give so large a difference; with many metrics, some are small by chance.",
        width,
    )


def _equivalent(metrics: Sequence[Difference], width: int) -> Iterator[str]:
    """Within which margins the two runs are shown to be the same, where neither is shown to be better."""
    found = [
        f"{metric.name} within ±{figure(metric.equivalent_within, metric.unit)}"
        for metric in metrics
        if metric.equivalent_within is not None and (metric.low or 0) <= 0 <= (metric.high or 0)
    ]
    if found:
        yield from wrapped(clean(f"Equivalent at 95%: {', '.join(found)}."), width)


def _state(run: Run) -> str:
    return f"{run.status}, partial" if run.is_partial and run.status == "complete" else run.status


def _cases(title: str, ids: Sequence[str], width: int, paint: Paint, colour: str) -> Iterator[str]:
    if ids:
        more = f", and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
        text = clean(f"{title} ({len(ids):,}): " + ", ".join(ids[:SHOWN]) + more)
        yield from (paint(line, colour) for line in wrapped(text, width))


def _columns(metrics: Sequence[Difference], level: int) -> list[grid.Column]:
    """The columns; each level leaves one more thing out."""
    moved = [f"{len(metric.improved):,}↑ {len(metric.regressed):,}↓" for metric in metrics]
    columns = [
        grid.Column(title="metric", texts=[clean(metric.name) for metric in metrics], least=14 if level else None)
    ]
    if level < 5:
        columns += [
            grid.Column(title="base", texts=[figure(metric.base, metric.unit) for metric in metrics], right=True),
            grid.Column(
                title="candidate", texts=[figure(metric.candidate, metric.unit) for metric in metrics], right=True
            ),
        ]
    columns += [
        grid.Column(
            title="difference", texts=[signed(metric.difference, metric.unit) for metric in metrics], right=True
        ),
        grid.Column(title="95% interval", texts=[_interval(metric, level) for metric in metrics]),
        grid.Column(title="better, worse" if level < 2 else "cases", texts=moved, right=True),
    ]
    if level < 4:
        columns.append(grid.Column(title="p", texts=[_p_value(metric) for metric in metrics], right=True))
        columns.append(grid.Column(title="pairs", texts=[f"{metric.pairs:,}" for metric in metrics], right=True))
    if level < 2:
        columns.append(grid.Column(title="equal", texts=[f"{metric.equal:,}" for metric in metrics], right=True))
    if level < 3:
        columns.append(grid.Column(title="unpaired", texts=[f"{metric.unpaired:,}" for metric in metrics], right=True))
    return columns


def _interval(metric: Difference, level: int) -> str:
    if metric.low is None or metric.high is None:
        return ""
    ends = signed_interval(metric.low, metric.high, metric.unit)
    return ends if level else f"{ends} {METHODS.get(metric.method, metric.method)}"


def _p_value(metric: Difference) -> str:
    if metric.p_value is None:
        return "–"
    return "<0.001" if metric.p_value < 0.001 else f"{metric.p_value:.3f}"


def compared_shape(comparison: Comparison) -> dict[str, Any]:
    """One comparison as plain data."""
    return {
        "base": comparison.base.id,
        "candidate": comparison.candidate.id,
        "refused": comparison.is_refused,
        "suites": [
            {
                "suite": suite.name,
                "refused": suite.refused or None,
                "versions": [
                    {"base": version_shape(pair.base), "candidate": version_shape(pair.candidate)}
                    for pair in suite.versions
                ],
                "cases": suite.cases,
                "metrics": [
                    {
                        "name": metric.name,
                        "unit": metric.unit,
                        "refused": metric.refused or None,
                        "base": metric.base,
                        "candidate": metric.candidate,
                        "difference": metric.difference,
                        "interval": ends(metric.low, metric.high),
                        "level": metric.level,
                        "method": metric.method,
                        "equivalent_within": metric.equivalent_within,
                        "p_value": metric.p_value,
                        "test": metric.test,
                        "pairs": metric.pairs,
                        "missing": metric.missing,
                        "higher": list(metric.higher),
                        "lower": list(metric.lower),
                        "higher_is_better": metric.higher_is_better,
                        "improved": len(metric.improved),
                        "regressed": len(metric.regressed),
                        "equal": metric.equal,
                        "unpaired": metric.unpaired,
                    }
                    for metric in suite.metrics
                ],
                "newly_failing": list(suite.newly_failing),
                "newly_passing": list(suite.newly_passing),
                "identical": list(suite.identical),
                "unpaired": list(suite.unpaired),
            }
            for suite in comparison.suites
        ],
    }
