"""From a gate against a baseline and its pairs to a finding.

The difference is turned so that more is better. `not worse by δ` asks whether it is at least −δ, `better by δ`
whether it is more than δ: the whole interval on the good side is a pass, the whole interval on the bad side a fail,
anything else undecided. `no regression` is an alarm: it fails only where the whole interval is below 0.
"""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

from evalkit.gates.deciding import FEWEST_GRADED, FEWEST_REPEATED, Finding
from evalkit.gates.gate import Gate
from evalkit.gates.versus import Versus
from evalkit.gates.words import plural, sentence, subject
from evalkit.stats.columns import BUILTINS
from evalkit.stats.drops import cases_to_decide, detectable, mirrored
from evalkit.stats.intervals import Interval
from evalkit.stats.pairs import FEWEST_CHANGED, Pairs

DEFAULT_LEVEL = 0.95
"""The level of `no regression vs baseline`, which names none."""


def decide_claim(gate: Gate, found: Versus) -> Finding:
    """The finding of a gate against a baseline. A pure function: the same two always give the same."""
    if found.problem or found.data is None:
        return Finding(
            decision="fail",
            reason=(found.problem or "There is nothing to compare.") + _context(found),
            hint=_on_problem(gate),
        )
    return _Claim(gate, found, found.data).finding()


def _on_problem(gate: Gate) -> str:
    if gate.baseline is not None and gate.baseline.relative:
        return f"Write the margin as a plain number, such as {gate.metric} not worse than baseline by 0.02 @ 95%."
    return "Run the baseline again with this suite and its scorers, and name the new run."


def _context(found: Versus) -> str:
    told = ""
    if found.unpaired:
        told += f" {plural(found.unpaired, 'case')} the baseline does not have; the rest is compared."
    if found.absent:
        told += f" The run stopped early: {found.absent:,} of {plural(found.planned, 'trial')} never ran."
    if found.selection:
        told += f" Only a part of the suite was run ({found.selection}), so this says nothing about the rest."
    return told


class _Claim:
    """One claim on one set of pairs, with the words for it."""

    def __init__(self, gate: Gate, found: Versus, data: Pairs) -> None:
        assert gate.baseline is not None
        self.gate = gate
        self.found = found
        self.data = data
        self.claim = gate.baseline.claim
        self.relative = gate.baseline.relative
        self.margin = Fraction(gate.baseline.margin or 0) / (100 if self.relative else 1)
        self.level = gate.confidence or DEFAULT_LEVEL

    def finding(self) -> Finding:
        data = self.data
        seen = data.relative_difference if self.relative else data.difference
        observed = None if seen is None else float(seen)
        intervals = self._intervals()
        shown = Finding(decision="inconclusive", reason="", observed=observed, level=self.level)
        refusal = self._too_little(intervals)
        if refusal:
            if self.claim == "no regression" and not data.open and self._turned(data.difference or Fraction(0)) >= 0:
                reason = f"{self._seen()}: no drop was seen. {refusal}"
                return dataclasses.replace(shown, decision="pass", reason=reason + _context(self.found))
            return dataclasses.replace(
                shown, reason=f"{self._seen()}. {refusal}{_context(self.found)}", hint=self._on_too_little()
            )
        whole = dataclasses.replace(
            intervals[0], low=min(i.low for i in intervals), high=max(i.high for i in intervals)
        )
        raw = whole if self.found.higher_is_better else mirrored(whole)
        shown = dataclasses.replace(shown, low=raw.low, high=raw.high, method=raw.method)
        least_high = min(interval.high for interval in intervals)
        decided = self._no_regression(whole, least_high) if self.claim == "no regression" else self._by_margin(whole)
        reason = f"{self._seen()} ({self._span(raw)}). {decided.reason}{self._missing()}{_context(self.found)}"
        return dataclasses.replace(shown, decision=decided.decision, reason=reason, hint=decided.hint)

    # the numbers, turned so that more is better

    def _turned(self, value: Fraction) -> Fraction:
        return value if self.found.higher_is_better else -value

    def _intervals(self) -> list[Interval]:
        if self.relative:
            one = self.data.relative_interval(self.level)
            found = [] if one is None else [one]
        else:
            found = self.data.intervals(self.level)
        return found if self.found.higher_is_better else [mirrored(interval) for interval in found]

    def _holds(self, interval: Interval) -> bool:
        """Whether the whole interval is on the good side of what is claimed; not asked of `no regression`."""
        if self.claim == "not worse":
            return Fraction(interval.low) >= -self.margin
        return Fraction(interval.low) > self.margin if self.margin == 0 else Fraction(interval.low) >= self.margin

    def _misses(self, interval: Interval) -> bool:
        if self.claim == "not worse":
            return Fraction(interval.high) < -self.margin
        return Fraction(interval.high) < self.margin

    def _by_margin(self, interval: Interval) -> Finding:
        if self._holds(interval):
            worse = interval.high < 0
            if self.claim == "better":
                by = f" by {self._margin_text()} or more" if self.margin else ""
                reason = f"It is better than the baseline{by}, even after allowing for chance."
            elif worse:
                reason = (
                    f"It is worse than the baseline, but within the margin of {self._margin_text()}, "
                    "even after allowing for chance."
                )
            else:
                reason = f"It is not worse by more than {self._margin_text()}, even after allowing for chance."
            return Finding(decision="pass", reason=reason)
        if self._misses(interval):
            if self.claim == "better":
                short = f"better by {self._margin_text()}" if self.margin else "better"
                return Finding(decision="fail", reason=f"It is not {short}, even after allowing for chance.")
            return Finding(
                decision="fail",
                reason=f"It is worse by more than {self._margin_text()}, even after allowing for chance.",
                hint="Look at the cases that newly fail: evalkit compare.",
            )
        edge = self._margin_text() if self.claim == "better" else f"a loss of {self._margin_text()}"
        edge = "no difference" if self.claim == "better" and not self.margin else edge
        return Finding(
            decision="inconclusive", reason=f"Too close to tell: {edge} lies in between.", hint=self._on_undecided()
        )

    def _no_regression(self, interval: Interval, least_high: float) -> Finding:
        if interval.high < 0:
            return Finding(
                decision="fail",
                reason="It is worse than the baseline, even after allowing for chance.",
                hint="Look at the cases that newly fail: evalkit compare.",
            )
        if least_high < 0:
            return Finding(
                decision="inconclusive",
                reason="Whether it is worse depends on values that are missing.",
                hint=self._on_undecided(),
            )
        return Finding(decision="pass", reason=f"That is no evidence of a drop. {self._could_miss()}".rstrip())

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

    # the words

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

    def _span(self, raw: Interval) -> str:
        percent = format(100 * self.level, "g")
        ends = [self._difference(end) for end in (raw.low, raw.high)]
        return f"difference {ends[0]} to {ends[1]}, {percent}% interval by {raw.method}"

    def _value(self, value: float) -> str:
        return f"{value:.4g}{self._unit()}"

    def _difference(self, value: float) -> str:
        return f"{100 * value:+.3g}%" if self.relative else f"{value:+.3g}{self._unit()}"

    def _unit(self) -> str:
        unit = BUILTINS.get(self.gate.metric, "")
        return f" {unit}" if unit else ""

    def _margin_text(self) -> str:
        assert self.gate.baseline is not None
        return f"{format(self.gate.baseline.margin or 0, 'f')}{'%' if self.relative else self._unit()}"

    def _missing(self) -> str:
        if not self.data.open:
            return ""
        return (
            f" {plural(self.data.missing, 'pair')} of {self.data.cases:,} lack a value on a side; the interval allows "
            "for whatever they would have been."
        )

    def _could_miss(self) -> str:
        drop = detectable(self.data, level=self.level)
        if drop is None:
            return "So few cases would hardly show any drop: this says little about others."
        return (
            f"{plural(self.data.complete, 'case')} that change so much show only drops of "
            f"{drop:.2g}{self._unit()} or more (four times in five); a smaller one may be there."
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
            able = f" These {self.data.complete:,} detect only differences of {drop:.2g}{self._unit()} or more."
        if needed is None:
            return "What was seen is too near the margin for any number of cases; choose a wider one." + able
        return f"About {plural(needed, 'case')} would decide it if the cases go on changing as these did.{able}"

    def _would_decide(self, interval: Interval) -> bool:
        turned = interval if self.found.higher_is_better else mirrored(interval)
        return self._holds(turned) or self._misses(turned)
