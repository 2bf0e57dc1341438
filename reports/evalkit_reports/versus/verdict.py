"""The first thing a reader of a comparison sees: better, worse, both, or nothing shown, and by what."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from evalkit.comparison import Candidates, Comparison
from evalkit.figures import count, figure, signed
from evalkit.stats.differences import Difference
from evalkit_reports.versus.bars import interval, p_value, state_of

_OPERATIONAL = ("latency", "cost", "input_tokens", "output_tokens")
_MOST_REASONS = 5
SHAPES = {
    "BETTER": "pass",
    "WORSE": "fail",
    "MIXED": "inconclusive",
}
"""The words that have a shape of their own."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One metric that differs: `state` is `better` or `worse`; what it costs and takes is `aside`."""

    state: str
    suite: str
    metric: str
    text: str
    aside: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one comparison comes to: `shape` is the state whose icon it has, `more` counts reasons left out."""

    word: str
    shape: str
    sentence: str
    reasons: tuple[Reason, ...]
    more: int


def finding(found: Candidates, at: int) -> Finding:
    """What the candidate at place `at` comes to. Latency, cost and tokens are told, and make it no better or worse."""
    comparison = found.comparisons[at]
    reasons = sorted(_reasons(found, at), key=lambda reason: (reason.aside, reason.state != "worse"))
    states = {reason.state for reason in reasons if not reason.aside}
    word = _word(comparison, states)
    return Finding(
        word=word,
        shape=SHAPES.get(word, "none"),
        sentence=_sentence(comparison, word),
        reasons=tuple(reasons[:_MOST_REASONS]),
        more=max(len(reasons) - _MOST_REASONS, 0),
    )


def _word(comparison: Comparison, states: set[str]) -> str:
    if comparison.is_refused:
        return "NOT COMPARED"
    if states == {"better", "worse"}:
        return "MIXED"
    if states:
        return "BETTER" if "better" in states else "WORSE"
    return "IDENTICAL" if is_identical(comparison) else "NO CLEAR DIFFERENCE"


def is_identical(comparison: Comparison) -> bool:
    """Whether every suite was compared, and every output and score of every case is the same on both sides."""
    return same_outputs(comparison) and not any(
        metric.higher or metric.lower
        for suite in comparison.suites
        for metric in suite.metrics
        if metric.name not in _OPERATIONAL
    )


def same_outputs(comparison: Comparison) -> bool:
    """Whether every suite was compared and every output of every case is the same on both sides."""
    return bool(comparison.suites) and all(
        not suite.refused and suite.cases and not suite.unpaired and len(suite.identical) == suite.cases
        for suite in comparison.suites
    )


def _sentence(comparison: Comparison, word: str) -> str:
    if word == "NOT COMPARED":
        return "These two runs cannot be compared."
    cases = sum(suite.cases for suite in comparison.suites)
    failing = sum(len(suite.newly_failing) for suite in comparison.suites)
    passing = sum(len(suite.newly_passing) for suite in comparison.suites)
    identical = sum(len(suite.identical) for suite in comparison.suites)
    if word == "IDENTICAL":
        told = f"All outputs of {count(cases, 'case')} are identical: the two runs do not differ in what was answered."
    else:
        told = f"Of {count(cases, 'case')} in both runs {_newly(failing, 'fail')} and {_newly(passing, 'pass')}. "
        if same_outputs(comparison):
            told += "All outputs are identical: what differs is what scorers said of the same outputs."
        else:
            told += f"{identical:,} {'has an identical output' if identical == 1 else 'have identical outputs'}."
    unpaired = sum(len(suite.unpaired) for suite in comparison.suites)
    alone = f" {count(unpaired, 'case')} ran on one side only." if unpaired else ""
    return told + alone


def _newly(number: int, verb: str) -> str:
    singular = f"{verb}es" if verb.endswith("s") else f"{verb}s"
    return f"{number:,} newly {verb}" if number > 1 else f"{'one' if number else 'none'} newly {singular}"


def _reasons(found: Candidates, at: int) -> Iterator[Reason]:
    several = len(found.comparisons) > 1
    suites = [suite for suite in found.comparisons[at].suites if not suite.refused]
    for suite in suites:
        for one in suite.metrics:
            adjusted = found.adjusted[suite.name, one.name][at] if several else None
            state = state_of(one, adjusted)
            if not one.refused and state != "plain":
                yield Reason(
                    state=state,
                    suite=suite.name if len(suites) > 1 else "",
                    metric=one.name.replace("_", " ") if one.name in _OPERATIONAL else one.name,
                    text=_told(one, adjusted),
                    aside=one.name in _OPERATIONAL,
                )


def _told(one: Difference, adjusted: float | None) -> str:
    p = f", p {_equals(one.p_value)}" if one.p_value is not None else ""
    if adjusted is not None:
        p = f", Holm's p {_equals(adjusted)}"
    return (
        f"{figure(one.base, one.unit)} → {figure(one.candidate, one.unit)}, {signed(one.difference, one.unit)} "
        f"({one.level * 100:.4g}%: {interval(one.low, one.high, one.unit)}{p}; "
        f"{len(one.improved):,} better, {len(one.regressed):,} worse of {count(one.pairs, 'pair')})"
    )


def _equals(value: float) -> str:
    text = p_value(value)
    return text.replace("<", "< ") if text.startswith("<") else f"= {text}"


def refusals(comparisons: Sequence[Comparison], letters: Sequence[str]) -> tuple[str, ...]:
    """Why suites and metrics were not compared, one sentence each."""
    told: dict[str, None] = {}
    for letter, comparison in zip(letters, comparisons, strict=True):
        of = f" of {letter}" if len(comparisons) > 1 else ""
        for suite in comparison.suites:
            if suite.refused:
                told[f"{suite.name}{of}: not compared, {suite.refused}."] = None
            for one in suite.metrics:
                if one.refused:
                    told[f"{one.name}{of} in {suite.name}: not compared, {one.refused}."] = None
    return tuple(told)
