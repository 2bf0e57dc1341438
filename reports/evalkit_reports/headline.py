"""The first thing a reader sees: the verdict in one word, the reasons, and what to be wary of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from evalkit.asides import unstopped
from evalkit.attempts import attempts
from evalkit.runs import Run, Verdict
from evalkit_reports import words

_MOST_REASONS = 4
_WORDS = {"pass": "PASS", "fail": "FAIL", "inconclusive": "INCONCLUSIVE"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why: one gate and what it saw. What to do next stands with the gates."""

    state: str
    suite: str
    gate: str
    text: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """`state` is `pass`, `fail`, `inconclusive` or `none`; `more` counts the reasons that are not listed."""

    state: str
    word: str
    sentence: str
    reasons: tuple[Reason, ...]
    more: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """Something that weakens what the page says: a part that did not run, or was not stored."""

    word: str
    text: str


def headline(run: Run) -> Headline:
    """The verdict of `run` and why. Without gates there is no verdict, and the outcomes are told instead."""
    state = run.decision or "none"
    open_gates = [verdict for verdict in run.verdicts if verdict.decision != "pass"]
    open_gates.sort(key=lambda verdict: verdict.decision != "fail")
    several = len(run.suites) > 1
    reasons = tuple(
        Reason(
            state=verdict.decision,
            suite=verdict.suite if several else "",
            gate=verdict.gate,
            text=verdict.reason,
        )
        for verdict in open_gates[:_MOST_REASONS]
    )
    return Headline(
        state=state,
        word=_WORDS.get(state, "NO VERDICT"),
        sentence=_judged(run.verdicts) if run.verdicts else _unjudged(run),
        reasons=reasons,
        more=max(len(open_gates) - _MOST_REASONS, 0),
    )


def _judged(verdicts: Sequence[Verdict]) -> str:
    whole = len(verdicts)
    failed = sum(verdict.decision == "fail" for verdict in verdicts)
    undecided = sum(verdict.decision == "inconclusive" for verdict in verdicts)
    if not failed and not undecided:
        return "The gate passes." if whole == 1 else f"All {whole} gates pass."
    said = []
    if failed:
        said.append(f"{failed} of {words.count(whole, 'gate')} failed")
    if undecided:
        said.append(f"{undecided} of {words.count(whole, 'gate')} could not be decided on this much data")
    return "; ".join(said) + "."


def _unjudged(run: Run) -> str:
    trials = [trial for suite in run.suites for trial in suite.trials]
    if run.status != "complete" and any(suite.info.gates for suite in run.suites):
        return f"The run ended before its gates were judged; {words.count(len(trials), 'trial')} finished."
    if not trials:
        return "Nothing was run."
    passed = sum(trial.outcome == "passed" for trial in trials)
    return f"No gates were declared, so each case speaks for itself: {passed:,} of {len(trials):,} trials passed."


def banners(run: Run, earlier: Mapping[str, int] | None = None) -> tuple[Banner, ...]:
    """What limits this run: it did not finish, ran in part, lost trials, was not stored whole, or is one of several.

    `earlier` is how often each suite was run before at this commit on these cases.
    """
    found: list[Banner] = []
    if run.status == "running":
        found.append(Banner(word="Still running", text="This page was written before the run ended."))
    elif run.status != "complete":
        found.append(
            Banner(word=run.status.capitalize(), text="The run did not finish; what follows is what was done by then.")
        )
    for suite in run.suites:
        info = suite.info
        done = len(suite.trials)
        if info.is_partial:
            why = f" ({info.selection})" if info.selection else ""
            ran, verb = (done, "run") if info.planned == info.declared else (info.planned, "selected")
            text = (
                f"{info.name}: {ran:,} of {words.count(info.declared, 'trial')} were {verb}{why}. "
                "A partial run is no baseline and no evidence for a promotion."
            )
            found.append(Banner(word="Partial", text=text))
        if done < info.planned:
            lost = info.planned - done
            found.append(
                Banner(word="Not run", text=f"{info.name}: {lost:,} of {words.count(info.planned, 'planned trial')}.")
            )
        if why := unstopped(suite):
            found.append(Banner(word="Not stopped early", text=f"{info.name}: {why}"))
    told = tuple(attempts(run, earlier or {}))
    if told:
        found.append(Banner(word="Run again", text=" ".join(told)))
    if run.degraded:
        found.append(Banner(word="Degraded", text=f"Not everything could be stored: {run.degraded}"))
    if run.provenance.dirty:
        text = "The checkout had uncommitted changes, so the commit alone does not give back this code."
        found.append(Banner(word="Dirty", text=text))
    return tuple(found)
