"""Lines that make GitHub show the worst results beside the code of their suite.

GitHub Actions reads them from the log of a step (`::error file=…,line=…::text`) and shows ten of a kind for a step.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from evalkit.asides import raised
from evalkit.plaintext import clean
from evalkit.runs import Run, SuiteRun

MOST = 10
_LONGEST = 900
_TITLE = 160


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One line for the log. `level` is `error`, or `warning` for what does not fail the session; `rank` is how bad."""

    level: str
    rank: int
    location: str
    title: str
    text: str

    def command(self, folder: str) -> str:
        """The workflow command; paths are below `folder`, which is the project's from the root of the checkout."""
        path, _, line = self.location.rpartition(":")
        file = path if folder in ("", ".") else f"{folder}/{path}"
        title = _property(clean(self.title)[:_TITLE])
        return f"::{self.level} file={_property(file)},line={_property(line)},title={title}::{_data(self.text)}"


def workflow_commands(run: Run, *, root: Path, environ: Mapping[str, str] = os.environ) -> list[str]:
    """At most ten workflow commands for what went wrong in `run`, the worst first; none for a run without fault.

    Failed gates come first, then gates that could not be decided, then what raised, then cases that missed in suites
    without gates, one line for each suite. `root` is the project's root, from which suites name their files.
    """
    folder = _below(environ.get("GITHUB_WORKSPACE"), root)
    found = sorted((one for suite in run.suites for one in _of(run, suite)), key=lambda one: one.rank)
    return [one.command(folder) for one in found[:MOST]]


def _of(run: Run, suite: SuiteRun) -> Iterator[Annotation]:
    info = suite.info
    verdicts = [verdict for verdict in run.verdicts if verdict.suite == info.name]
    for verdict in verdicts:
        accepted = verdict.decision == "inconclusive" and verdict.on_inconclusive != "fail"
        if verdict.decision == "pass" or (accepted and verdict.on_inconclusive == "pass"):
            continue
        yield Annotation(
            level="warning" if accepted else "error",
            rank={"fail": 0, "inconclusive": 4 if accepted else 1}[verdict.decision],
            location=info.location,
            title=f"{verdict.decision.upper()}: {verdict.gate}",
            text=f"{info.name}: {verdict.reason} {verdict.hint}".rstrip(),
        )
    for text in raised(suite):
        yield Annotation(
            level="warning" if verdicts else "error",
            rank=5 if verdicts else 2,
            location=info.location,
            title=f"ERROR in {info.name}",
            text=text,
        )
    missed = [trial.case_id for trial in suite.trials if trial.outcome in ("missed", "unscored")]
    if missed and not verdicts:
        more = f" and {len(missed) - MOST:,} more" if len(missed) > MOST else ""
        yield Annotation(
            level="error",
            rank=3,
            location=info.location,
            title=f"FAIL: {info.name}",
            text=f"{len(missed):,} of {len(suite.trials):,} trials did not pass: {', '.join(missed[:MOST])}{more}",
        )


def _below(workspace: str | None, root: Path) -> str:
    """The project's folder from the root of the checkout; empty where that is the same, or not known."""
    if not workspace:
        return ""
    try:
        return root.resolve().relative_to(Path(workspace).resolve()).as_posix()
    except ValueError:
        return ""


def _data(text: str) -> str:
    return clean(text)[:_LONGEST].replace("%", "%25")


def _property(text: str) -> str:
    return clean(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
