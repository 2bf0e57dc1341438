"""One suite: its table, its verdicts, and what was not measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalkit import asides
from evalkit.comparison import SuiteComparison, VersionPair
from evalkit.figures import count
from evalkit.runs import Run, SuiteRun, worst
from evalkit.summary import table as lines_of
from evalkit.tablelines import Line
from evalkit_reports.markdown import changed, neutral
from evalkit_reports.markdown.fitting import Detail
from evalkit_reports.markdown.states import stated
from evalkit_reports.markdown.tables import Column, table


def section(
    run: Run, suite: SuiteRun, compared: SuiteComparison | None, detail: Detail, *, named: bool
) -> Iterator[str]:
    """The lines of one suite, under a heading where it is `named`; `compared` is `None` without a baseline."""
    state = worst([verdict for verdict in run.verdicts if verdict.suite == suite.info.name])
    if named:
        name = neutral.code(suite.info.name, 80)
        yield from ("", f"### {stated(state, name) if state else name}", "")
    dataset = f"dataset {neutral.code(suite.info.dataset.name, 80)} ({suite.info.dataset.digest[:8]})"
    yield f"{neutral.prose(asides.outcomes(suite))}; {dataset}."
    versions = _versions(suite, compared)
    if versions:
        yield from ("", ", ".join(versions[: detail.cases]) + _more(len(versions) - detail.cases, "version") + ".")
    metrics = {} if compared is None else {metric.name: metric for metric in compared.metrics}
    lines = list(lines_of(run, suite.info.name, metrics))
    yield ""
    yield from table(_columns(lines), detail.rows, "metrics and gates") or ["No metrics."]
    yield from _said(_sentences(run, suite, lines, compared), detail)
    if compared is None:
        yield from changed.unsuccessful(suite, detail)
    else:
        yield from changed.newly(suite, compared, detail)
        yield from changed.prompt_diffs(compared.versions, detail)


def _columns(lines: Sequence[Line]) -> list[Column]:
    prose, compared = neutral.prose, any(line.versus for line in lines)
    return [
        Column(title="metric", cells=[neutral.code(line.metric, in_table=True) for line in lines]),
        Column(title="value", cells=[prose(line.value) for line in lines], right=True),
        Column(title="95% interval", cells=[prose(f"{line.interval} {line.tag}".strip()) for line in lines]),
        Column(title="cases×trials", cells=[prose(line.size) for line in lines], right=True),
        Column(title="missing", cells=[prose(line.missing) for line in lines], right=True),
        Column(title="rerun ±", cells=[prose(line.rerun) for line in lines], right=True),
        Column(title="vs baseline", cells=[prose(line.versus or "–") if compared else "" for line in lines]),
        Column(title="gate", cells=[neutral.code(line.gate, in_table=True) if line.gate else "" for line in lines]),
        Column(title="verdict", cells=[_verdict(line) for line in lines]),
    ]


def _verdict(line: Line) -> str:
    return stated(line.decision.lower(), line.verdict) if line.decision else ""


def _sentences(run: Run, suite: SuiteRun, lines: Sequence[Line], compared: SuiteComparison | None) -> Iterator[str]:
    """What the table does not say, the weightiest first; reasons of gates that did not pass stand at the top."""
    yield from filter(None, (asides.unstopped(suite),))
    yield from asides.raised(suite)
    if compared is not None and compared.refused:
        yield f"Not compared with the baseline: {compared.refused}."
    elif compared is not None:
        yield from (f"Not compared, {one.name}: {one.refused}." for one in compared.metrics if one.refused)
    yield from (text for text, _ in asides.of_judges(suite))
    yield from asides.remarks(run, suite.info.name)
    yield from (" ".join(line.below) for line in lines if line.decision == "PASS" and line.below)


def _said(sentences: Iterator[str], detail: Detail) -> Iterator[str]:
    told = list(sentences)
    if told:
        yield ""
    yield from (f"- {neutral.prose(text, detail.length)}" for text in told[: detail.sentences])
    if len(told) > detail.sentences:
        yield f"- {count(len(told) - detail.sentences, 'more remark')}"


def _versions(suite: SuiteRun, compared: SuiteComparison | None) -> list[str]:
    if compared is not None and compared.versions:
        return [pair_text(pair) for pair in compared.versions]
    return [neutral.prose(version.title, 160) for version in suite.versions]


def pair_text(pair: VersionPair) -> str:
    """A prompt or a model of both sides, in one line."""
    return neutral.prose(pair.title, 240)


def _more(hidden: int, noun: str) -> str:
    return f", and {count(hidden, f'more {noun}')}" if hidden > 0 else ""
