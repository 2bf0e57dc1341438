"""One claim on one set of pairs: the verdict that follows, and the words for it.

The difference is turned so that more is better. `not worse by δ` asks whether it is at least −δ, `better by δ`
whether it is more than δ: the whole interval on the good side is a pass, the whole interval on the bad side a fail,
anything else undecided. `no regression` is an alarm: it fails only where the whole interval is below 0. Where the
interval lies within ±δ on both sides the two runs are equivalent, which is said (Schuirmann's two one-sided tests).
"""

from __future__ import annotations

import abc
import dataclasses
import math
from decimal import ROUND_CEILING, Context
from fractions import Fraction

from evalkit.gates.deciding import Finding
from evalkit.gates.gate import Gate
from evalkit.gates.versus import Versus
from evalkit.gates.words import plural
from evalkit.stats.columns import BUILTINS
from evalkit.stats.drops import mirrored
from evalkit.stats.intervals import Interval

DEFAULT_LEVEL = 0.95
"""The level of `no regression vs baseline`, which names none."""


def context(found: Versus) -> str:
    """What a reader has to know besides: cases without a partner, a run that stopped, a part of the suite."""
    told = ""
    if found.unpaired:
        told += f" {plural(found.unpaired, 'case')} the baseline does not have; the rest is compared."
    if found.absent:
        told += f" The run stopped early: {found.absent:,} of {plural(found.planned, 'trial')} never ran."
    if found.selection:
        told += f" Only a part of the suite was run ({found.selection}), so this says nothing about the rest."
    return told


class Claim(abc.ABC):
    """One claim on what was compared: the verdict, and the words that all kinds of comparison share."""

    def __init__(self, gate: Gate, found: Versus) -> None:
        assert gate.baseline is not None
        self.gate = gate
        self.found = found
        self.claim = gate.baseline.claim
        self.relative = gate.baseline.relative
        self.margin = Fraction(gate.baseline.margin or 0) / (100 if self.relative else 1)
        self.level = gate.confidence or DEFAULT_LEVEL

    def finding(self) -> Finding:
        """The finding on this claim."""
        seen = self._difference_seen()
        intervals = self._intervals()
        shown = Finding(
            decision="inconclusive", reason="", observed=None if seen is None else float(seen), level=self.level
        )
        refusal = self._too_little(intervals)
        if refusal:
            if self.claim == "no regression" and not self._open_pairs and self._turned(Fraction(seen or 0)) >= 0:
                reason = f"{self._seen()}: no drop was seen. {refusal}"
                return dataclasses.replace(shown, decision="pass", reason=reason + context(self.found))
            return dataclasses.replace(
                shown, reason=f"{self._seen()}. {refusal}{context(self.found)}", hint=self._on_too_little()
            )
        whole = dataclasses.replace(
            intervals[0], low=min(i.low for i in intervals), high=max(i.high for i in intervals)
        )
        raw = whole if self.found.higher_is_better else mirrored(whole)
        shown = dataclasses.replace(shown, low=raw.low, high=raw.high, method=raw.method)
        least_high = min(interval.high for interval in intervals)
        decided = self._no_regression(whole, least_high) if self.claim == "no regression" else self._by_margin(whole)
        reason = f"{self._seen()} ({self._span(raw)}). {decided.reason}{self._missing()}{context(self.found)}"
        return dataclasses.replace(shown, decision=decided.decision, reason=reason, hint=decided.hint)

    # what was compared

    @property
    @abc.abstractmethod
    def _open_pairs(self) -> int:
        """How many pairs lack a value on a side."""

    @abc.abstractmethod
    def _difference_seen(self) -> Fraction | float | None:
        """The difference that was seen, candidate minus baseline; `None` where there is none."""

    @abc.abstractmethod
    def _intervals(self) -> list[Interval]:
        """Its intervals, turned so that more is better, under the ways to fill in what is missing."""

    @abc.abstractmethod
    def _too_little(self, intervals: list[Interval]) -> str:
        """Why there is no interval to rest a verdict on, or nothing."""

    @abc.abstractmethod
    def _seen(self) -> str:
        """What was seen, as the beginning of a sentence."""

    @abc.abstractmethod
    def _pairs(self) -> int:
        """How many pairs there should be."""

    @abc.abstractmethod
    def _could_miss(self) -> str:
        """What these pairs would not have shown."""

    @abc.abstractmethod
    def _on_too_little(self) -> str:
        """What to do where there is no interval."""

    @abc.abstractmethod
    def _on_undecided(self) -> str:
        """The cheapest way to a decision."""

    # the verdict

    def _turned(self, value: Fraction) -> Fraction:
        return value if self.found.higher_is_better else -value

    def _holds(self, interval: Interval) -> bool:
        """Whether the whole interval is on the good side of what is claimed; not asked of `no regression`."""
        if self.claim == "not worse":
            return Fraction(interval.low) >= -self.margin
        return Fraction(interval.low) > self.margin if self.margin == 0 else Fraction(interval.low) >= self.margin

    def _misses(self, interval: Interval) -> bool:
        """Whether the whole interval is on the bad side of what is claimed."""
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
                if Fraction(interval.high) <= self.margin:
                    reason += (
                        f" A gain of more is ruled out as well: the two are equivalent within ±{self._margin_text()}."
                    )
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
            decision="inconclusive",
            reason=f"Too close to tell: {edge} lies in between.",
            hint=self._on_undecided(),
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
        return Finding(
            decision="pass",
            reason=f"That is no evidence of a drop.{self._within(interval)} {self._could_miss()}".rstrip(),
        )

    def _within(self, interval: Interval) -> str:
        """The narrowest margin in which the two are equivalent, where neither is shown to be better."""
        furthest = max(abs(interval.low), abs(interval.high))
        if interval.low > 0 or math.isinf(furthest):
            return ""
        margin = Context(prec=2, rounding=ROUND_CEILING).create_decimal(repr(furthest))
        return f" The two are equivalent within ±{margin}{self.unit}."

    def _span(self, raw: Interval) -> str:
        percent = format(100 * self.level, "g")
        ends = [self._difference(end) for end in (raw.low, raw.high)]
        return f"difference {ends[0]} to {ends[1]}, {percent}% interval by {raw.method}"

    def _difference(self, value: float) -> str:
        return f"{100 * value:+.3g}%" if self.relative else f"{value:+.3g}{self.unit}"

    def _margin_text(self) -> str:
        assert self.gate.baseline is not None
        return f"{format(self.gate.baseline.margin or 0, 'f')}{'%' if self.relative else self.unit}"

    def _missing(self) -> str:
        if not self._open_pairs:
            return ""
        return (
            f" {plural(self._open_pairs, 'pair')} of {self._pairs():,} lack a value on a side; the interval allows "
            "for whatever they would have been."
        )

    @property
    def unit(self) -> str:
        """The unit of the metric after a space, or nothing."""
        unit = BUILTINS.get(self.gate.metric, "")
        return f" {unit}" if unit else ""
