"""What evalkit shows in pytest's terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from evalkit.canonical import jsonable
from evalkit.case import Case
from evalkit.plaintext import wrapped
from evalkit.runs import Run
from evalkit.trial import Trial

_TRIALS = {
    "missed": ("missed", "m", ("MISSED", {"yellow": True})),
    "errored": ("errored", "e", ("ERRORED", {"red": True})),
    "unscored": ("unscored", "u", ("UNSCORED", {"yellow": True})),
}
_GATES = {
    ("pass", True): ("passed", "G", ("PASS", {"green": True})),
    ("fail", False): ("failed", "F", ("FAIL", {"red": True})),
    ("inconclusive", False): ("failed", "?", ("INCONCLUSIVE", {"red": True})),
    ("inconclusive", True): ("inconclusive", "?", ("INCONCLUSIVE", {"yellow": True})),
}
_LONGEST = 600


class Missed(AssertionError):
    """A case of a suite without gates that missed: what was asked, what came, and which score says so."""

    def __init__(self, case: Case, trial: Trial) -> None:
        lines = [f"{trial.case_id} {trial.outcome}:"]
        for score in trial.scores:
            if score.passed is False or score.status != "scored":
                shown = score.status if score.status != "scored" else f"{score.value:g}"
                lines.append(f"  {score.name} = {shown}" + (f": {score.explanation}" if score.explanation else ""))
                if score.error is not None and score.error.traceback:
                    lines.extend("    " + line for line in score.error.traceback.rstrip().splitlines())
        if trial.outcome == "unscored":
            lines.append("  no scorer gave a score, and what was not scored does not pass")
        lines.append(f"  input:    {_short(case.input)}")
        lines.append(f"  output:   {_short(trial.output.value)}")
        if case.expected is not None:
            lines.append(f"  expected: {_short(case.expected)}")
        if trial.output.trace_id is not None:
            lines.append(f"  trace:    evalkit traces show {trial.output.trace_id[:12]}")
        super().__init__("\n".join(lines))


def status_of(report: pytest.CollectReport | pytest.TestReport) -> Any:
    """Category, letter and word for what is ours; `None` for everything else."""
    if getattr(report, "evalkit_again", False):
        return "to run again", "R", ("TO RUN AGAIN", {"yellow": True})
    if getattr(report, "when", None) != "call":
        return None
    gate = getattr(report, "evalkit_gate", None)
    if gate is not None:
        return _GATES[gate, report.passed]
    outcome = getattr(report, "evalkit", None)
    if report.passed and outcome in _TRIALS:
        return _TRIALS[outcome]
    return None


def summary(
    reporter: pytest.TerminalReporter,
    run: Run,
    *,
    written: Mapping[str, Path],
    errors: Sequence[str],
    serial: Mapping[str, str],
    baseline: Run | None = None,
    earlier: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Write the closing section: the table, what needs to be said, and where the run is.

    `written` are the files made of the run, each under what it is.
    `earlier` is how many earlier runs of each suite there are on the same code and cases.
    """
    from evalkit.attempts import attempts
    from evalkit.summary import render

    writer = reporter._tw
    reporter.section("evals", sep="=")
    text = render(run, width=writer.fullwidth, color=writer.hasmarkup, baseline=baseline)
    writer.write(text if text.endswith("\n") else text + "\n")
    for suite, fixture in serial.items():
        if fixture in ("pytest's option", "max_concurrency"):
            continue
        writer.line(f"{suite}: cases ran one at a time, because they use {fixture}, which is about the whole process.")
    for sentence in attempts(run, earlier):
        for line in wrapped(sentence, writer.fullwidth):
            writer.line(line)
    for line in (run.degraded, *errors):
        if line:
            writer.line(line, red=True)
    where = f" in {_near(run.store)}" if run.store else ", not stored"
    writer.line(f"run {run.id} {run.status}{where}")
    for what, path in written.items():
        writer.line(f"{what} {_near(str(path))}")


def annotate(reporter: pytest.TerminalReporter, run: Run, root: Path) -> None:
    """Write the lines that GitHub Actions takes from its log, each at the start of a line and without colours."""
    from evalkit_reports.annotations import workflow_commands

    for line in workflow_commands(run, root=root):
        reporter._tw.line(line)


def _near(path: str) -> str:
    here = f"{Path.cwd()}/"
    return path.removeprefix("sqlite:///").removeprefix(here)


def write_report(
    run: Run, path: Path, *, baseline: Run | None = None, earlier: Mapping[str, int] = MappingProxyType({})
) -> Path:
    """Write the HTML report of a run, as its store has it, and return where it is.

    `baseline` is the run that its gates compare with. `earlier` counts earlier runs of each suite, where no store says.
    """
    from evalkit.store import open_store
    from evalkit_reports import write_html
    from evalkit_reports.context import Context

    if run.store is None or run.degraded:
        return write_html(run, path, around=Context(attempts=earlier))
    from evalkit.pages import write_stored

    with open_store(run.store, read_only=True) as store:
        return write_stored(store, run.id, path, baseline=None if baseline is None else baseline.id)


def write_summary(run: Run, target: str, root: Path, report: Path | None, **told: Any) -> Path | None:
    """Write the Markdown summary of a run, and return where it is; `None` where there is no such place here.

    `told` is what `render_markdown` takes besides.
    """
    from evalkit_reports.markdown import render_markdown, write_markdown

    shown = None if report is None else _near(str(report))
    return write_markdown(target, lambda limit: render_markdown(run, report=shown, limit=limit, **told), root=root)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(jsonable(value), ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"
