"""What was asked, in twelve digits: two runs with the same fingerprint put the same question to the same thing."""

from __future__ import annotations

from evalkit.canonical import digest
from evalkit.runs import Run, SuiteRun


def fingerprint(run: Run) -> str:
    """The first twelve hex digits of the SHA-256 of what the run was made of.

    That is the commit and, for each suite, the dataset, the scorers, the gates, the prompts and models, the repeats,
    the seed and what was selected of it. Results, times and machines are no part of it, nor are uncommitted changes.
    """
    return digest([run.provenance.commit, sorted((_asked(suite) for suite in run.suites), key=str)])[:12]


def _asked(suite: SuiteRun) -> list[object]:
    info = suite.info
    return [
        info.name,
        info.dataset.digest,
        [[scorer.name, scorer.version, scorer.pass_mark] for scorer in info.scorers],
        list(info.gates),
        [[version.kind, version.name, version.digest] for version in suite.versions],
        info.repeat,
        info.seed,
        [info.planned, info.declared, info.selection],
    ]
