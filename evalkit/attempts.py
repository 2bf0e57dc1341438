"""Which attempt a run is: how often its suites were run before on the same commit and the same cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evalkit.runs import Run

WHY = (
    "Running again until it is green misleads: a suite a little below its gate passes in 33 % of single runs, but in "
    "70 % of cases at least once in three."
)
"""For a true share of 0.88, 100 cases and a gate at 0.9: the chance of 90 or more right ones, once and in three."""


def attempts(run: Run, earlier: Mapping[str, int]) -> Iterator[str]:
    """A sentence for each suite with gates that was run before, and why that matters; nothing for a first run.

    `earlier` is what the store says of the run (`Store.earlier_runs`).
    """
    told = False
    commit = (run.provenance.commit or "")[:10]
    changed = " with uncommitted changes, which may have been others each time," if run.provenance.dirty else ""
    for suite in run.suites:
        before = earlier.get(suite.info.name, 0)
        if before and suite.info.gates:
            told = True
            yield f"{suite.info.name}: {ordinal(before + 1)} run at commit {commit}{changed} on the same cases."
    if told:
        yield WHY


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `11th`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
