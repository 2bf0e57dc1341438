"""Claims on F1, Matthews' correlation and κ: the figure of two runs, on the same cases."""

from __future__ import annotations

from fractions import Fraction

from evalkit.gates.claim import Claim
from evalkit.gates.gate import Gate
from evalkit.gates.versus import Versus
from evalkit.gates.words import plural, sentence, subject
from evalkit.stats.agreement import FEWEST_CASES
from evalkit.stats.intervals import Interval
from evalkit.stats.labelled import Labelled, cases_needed


class LabelClaim(Claim):
    """A claim on a figure of labels; the interval is a bootstrap that draws a case with both its answers."""

    def __init__(self, gate: Gate, found: Versus, data: Labelled) -> None:
        super().__init__(gate, found)
        self.data = data

    @property
    def _open_pairs(self) -> int:
        return self.data.groups - self.data.complete

    def _pairs(self) -> int:
        return self.data.groups

    def _difference_seen(self) -> Fraction | float | None:
        return self.data.value

    def _intervals(self) -> list[Interval]:
        found = self.data.interval(self.level) if self.data.groups >= FEWEST_CASES else None
        return [] if found is None else [found]

    def _too_little(self, intervals: list[Interval]) -> str:
        data = self.data
        if data.groups < FEWEST_CASES:
            return (
                f"{plural(data.groups, self._unit_noun)} are too few for an interval of {subject(self.gate)} to be "
                f"trusted; it takes {FEWEST_CASES}."
            )
        return "" if intervals else f"No {self._unit_noun} has its labels on both sides."

    def _seen(self) -> str:
        data = self.data
        name = sentence(subject(self.gate))
        before, after = data.values[0], data.values[-1]
        if before is None or after is None:
            return f"{name} has no value on one of the sides"
        better, worse, stayed = data.changes
        counts = f"{better:,} improved, {worse:,} regressed, {stayed:,} stayed"
        kind = " (macro-F1)" if data.kind == "macro-F1" else ""
        pairs = plural(data.complete, "pair")
        return f"{name}{kind} went from {float(before):.4g} to {float(after):.4g} on {pairs}: {counts}"

    def _could_miss(self) -> str:
        return "A smaller drop may be there."

    def _on_too_little(self) -> str:
        if self._open_pairs:
            return "Let the run finish, or repair what raised, so that each case has its labels on both sides."
        return "Add cases."

    def _on_undecided(self) -> str:
        if self._open_pairs:
            return "Repair what is missing first: score the stored outputs again, or let the run finish."
        edge = float(self.margin if self.claim == "better" else -self.margin)
        needed = self._needed(edge)
        if needed is None:
            return "What was seen is too near the margin for any number of cases; choose a wider one."
        return f"About {plural(needed, self._unit_noun)} would decide it if the cases go on changing as these did."

    def _needed(self, edge: float) -> int | None:
        found = self._intervals()
        return cases_needed(self.data, edge, found[0]) if found else None

    @property
    def _unit_noun(self) -> str:
        return "cluster" if self.data.clustered else "case"
