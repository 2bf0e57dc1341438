"""How things are now: what evidence is held against, before it is used.

Nobody can ask a stored run what its suite would look like today. What can be asked is what the newest comparable run
of the suite had: one that is whole, of the same branch, and not of a dirty checkout unless the evidence is. Runs that
people make to try something, on other branches or with uncommitted changes, do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from evalkit.promoting.evidence import Cited
from evalkit.promotion import Evidence
from evalkit.promotion.rules import Present
from evalkit.runs import Provenance, SuiteInfo
from evalkit.trust import standing

if TYPE_CHECKING:
    from evalkit.store import Store
    from evalkit.store.listing import RunSummary

MOST_RUNS = 50
"""How many of the newest runs of a suite are looked at."""

_BRANCHES = (
    "GITHUB_HEAD_REF",
    "GITHUB_REF",
    "CI_COMMIT_REF_NAME",
    "BUILDKITE_BRANCH",
    "CIRCLE_BRANCH",
    "BUILD_SOURCEBRANCH",
)


def present(store: Store, evidence: Evidence, cited: Sequence[Cited], *, alias: str) -> Present:
    """How things are now, for that evidence; `cited` are its suites as they were just read again."""
    from evalkit.promoting.evidence import run_digest

    datasets: dict[str, str] = {}
    scorers: dict[str, str] = {}
    standings: dict[str, str] = {}
    known = store.calibrations()
    for one in cited:
        info = one.suite.info
        newest = _newest(store, one) or info
        datasets[info.name] = newest.dataset.digest
        scorers.update({f"{info.name}/{scorer.name}": scorer.version for scorer in newest.scorers})
        standings.update(
            {
                f"{info.name}/{scorer.name}": standing(scorer.name, scorer.version, known)
                for scorer in info.scorers
                if scorer.is_judge
            }
        )
    return Present(
        run_digest=run_digest(cited),
        datasets=datasets,
        scorers=scorers,
        standings=standings,
        others=_others(store, evidence, alias),
    )


def _newest(store: Store, cited: Cited) -> SuiteInfo | None:
    """The suite in its newest comparable run; `None` where that is the one that is cited."""
    name, run = cited.suite.info.name, cited.run
    for summary in store.runs(suite=name, limit=MOST_RUNS):
        if summary.id == run.id or summary.started_at <= run.started_at:
            return None
        if not _could_count(summary, run.provenance):
            continue
        found = store.load(summary.id, payload=False)
        if _branch(found.provenance) == _branch(run.provenance):
            return found.suite(name).info
    return None


def _could_count(summary: RunSummary, provenance: Provenance) -> bool:
    if provenance.branch is not None and summary.branch != provenance.branch:
        return False  # known without reading the run; a job of CI without a branch is looked at more closely
    return not summary.partial and not (summary.dirty and not provenance.dirty)


def _branch(provenance: Provenance) -> str | None:
    return provenance.branch or next((provenance.ci[key] for key in _BRANCHES if provenance.ci.get(key)), None)


def _others(store: Store, evidence: Evidence, alias: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in evidence.others:
        kind: Literal["prompt", "model"] = "prompt" if key.startswith("prompt/") else "model"
        there = store.alias(kind, key.partition("/")[2], alias)
        if there is not None:
            found[key] = there.digest
    return found
