"""From a gate against a baseline and what was compared to a finding."""

from __future__ import annotations

import math
from fractions import Fraction

from evalkit.gates.claim import Claim, context
from evalkit.gates.deciding import FEWEST_GRADED, FEWEST_REPEATED, Finding
from evalkit.gates.gate import Gate
from evalkit.gates.label_claims import LabelClaim
from evalkit.gates.versus import Versus
from evalkit.gates.words import plural, sentence, subject
from evalkit.stats.drops import cases_to_decide, detectable, mirrored
from evalkit.stats.intervals import Interval
from evalkit.stats.labelled import Labelled
from evalkit.stats.pairs import FEWEST_CHANGED, Pairs


def decide_claim(gate: Gate, found: Versus) -> Finding:
    """The finding of a gate against a baseline. A pure function: the same two always give the same."""
    if found.problem or found.data is None:
        return Finding(
            decision="fail",
            reason=(found.problem or "There is nothing to compare.") + context(found),
            hint=_on_problem(gate),
        )
    if isinstance(found.data, Labelled):
        return LabelClaim(gate, found, found.data).finding()
    return _PairClaim(gate, found, found.data).finding()


def _on_problem(gate: Gate) -> str:
    if gate.baseline is not None and gate.baseline.relative:
        return f"Write the margin as a plain number, such as {gate.metric} not worse than baseline by 0.02 @ 95%."
    return "Run the baseline again with this suite and its scorers, and name the new run."


class _PairClaim(Claim):
    """A claim on the mean of paired cases."""

    def __init__(self, gate: Gate, found: Versus, data: Pairs) -> None:
        super().__init__(gate, found)
        self.data = data

    @property
    def _open_pairs(self) -> int:
        return self.data.missing

    def _pairs(self) -> int:
        return self.data.cases

    def _difference_seen(self) -> Fraction | float | None:
        return self.data.relative_difference if self.relative else self.data.difference

    def _intervals(self) -> list[Interval]:
        if self.relative:
            one = self.data.relative_interval(self.level)
            found = [] if one is None else [one]
        else:
            found = self.data.intervals(self.level)
        return found if self.found.higher_is_better else [mirrored(interval) for interval in found]

    def _too_little(self, intervals: list[Interval]) -> str:
        """Why there is no interval to rest a verdict on, or nothing."""
        data, name = self.data, self.gate.metric
        if data.cases < 2:
            return "One case alone says nothing about others."
        if not data.complete:
            return "So there is nothing to compare."
        measured = data.shape == "unbounded"
        if data.open and (self.relative or any(math.isinf(pair.low) or math.isinf(pair.high) for pair in data.open)):
            return f"{plural(data.missing, 'pair')} of {data.cases:,} lack a value, and {name} has no bounds for them."
        if self.relative and data.relative_difference is None:
            return f"{name} has cases at 0 or below, of which no percentage can be taken."
        fewest = FEWEST_GRADED if measured or data.shape == "unit" else FEWEST_REPEATED
        if not data.is_exact and data.cases < fewest:
            kind = {"binary": "repeated trials", "unit": "graded scores"}.get(data.shape, "measured values")
            return (
                f"{plural(data.cases, 'case')} of {kind} are too few for an interval to be trusted; it takes {fewest}."
            )
        if not intervals:
            return (
                f"Only {data.changed:,} of {plural(data.cases, 'case')} changed at all, and what the others would do "
                f"cannot be told from them; it takes {FEWEST_CHANGED} that changed."
            )
        return ""

    def _seen(self) -> str:
        data, gate = self.data, self.gate
        up, down = (data.higher, data.lower) if self.found.higher_is_better else (data.lower, data.higher)
        counts = f"{up:,} improved, {down:,} regressed, {data.complete - up - down:,} stayed"
        name = sentence(subject(gate))
        if not data.complete:
            return f"{name} has no pair with all its values"
        before, after = (float(side / data.complete) for side in (data.base, data.candidate))
        where = plural(data.complete, "pair")
        return f"{name} went from {self._value(before)} to {self._value(after)} on {where}: {counts}"

    def _value(self, value: float) -> str:
        return f"{value:.4g}{self.unit}"

    def _could_miss(self) -> str:
        drop = detectable(self.data, level=self.level)
        if drop is None:
            return "So few cases would hardly show any drop: this says little about others."
        return (
            f"{plural(self.data.complete, 'case')} that change so much show only drops of "
            f"{drop:.2g}{self.unit} or more (four times in five); a smaller one may be there."
        )

    def _on_too_little(self) -> str:
        if self.data.open:
            return "Let the run finish, or repair what raised, so that each case has its values on both sides."
        if self.data.cases < FEWEST_GRADED:
            return "Add cases."
        return "Gate on the value itself, or with an absolute margin on a score between 0 and 1."

    def _on_undecided(self) -> str:
        if self.data.open:
            return "Repair what is missing first: score the stored outputs again, or let the run finish."
        needed = cases_to_decide(self.data, self._would_decide, level=self.level, relative=self.relative)
        drop = None if self.relative else detectable(self.data, level=self.level)
        able = ""
        if drop is not None:
            able = f" These {self.data.complete:,} detect only differences of {drop:.2g}{self.unit} or more."
        if needed is None:
            return "What was seen is too near the margin for any number of cases; choose a wider one." + able
        return f"About {plural(needed, 'case')} would decide it if the cases go on changing as these did.{able}"

    def _would_decide(self, interval: Interval) -> bool:
        turned = interval if self.found.higher_is_better else mirrored(interval)
        return self._holds(turned) or self._misses(turned)
