"""Stored runs judged by a policy: its gates, those of the suites, and its rules on evidence."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evalkit.errors import GateError, NotFound, Refusal
from evalkit.gates import Gate, Reference, check, judge, parse, with_defaults
from evalkit.promoting.current import present
from evalkit.promoting.evidence import Cited, collect, load_runs
from evalkit.promotion import Evidence, Promotion, RuleVerdict
from evalkit.promotion.policy import ANY_SUITE, Policy
from evalkit.promotion.rules import on_evidence, on_present
from evalkit.runs import Run, SuiteRun, Verdict
from evalkit.versions import SubjectKind

if TYPE_CHECKING:
    from evalkit.store import Store


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The evidence and what the policy says of it."""

    evidence: Evidence
    verdicts: tuple[RuleVerdict, ...]


def judge_runs(
    store: Store,
    policy: Policy,
    *,
    kind: SubjectKind,
    name: str,
    alias: str,
    to_digest: str,
    runs: Sequence[str],
    baselines: Sequence[str],
    now: dt.datetime,
) -> Judged:
    """The runs of those ids, judged by the policy, compared with the first of the runs `baselines` that has the suite.

    Raises `Refusal` where the runs are no evidence of that version at all; see `collect`.
    """
    found = collect(load_runs(store, runs), kind=kind, name=name, to_digest=to_digest)
    references = References(store, baselines)
    gates = on_gates(policy, found.cited, references)
    at_hand = {one.suite.info.name: references.run_of(one.suite.info.name) for one in found.cited}
    used = {suite: run for suite, run in at_hand.items() if run}
    evidence = dataclasses.replace(
        found.evidence, baselines=used, baseline=next(iter(used.values()), None), collected_at=now
    )
    current = on_present(policy, evidence, present(store, evidence, found.cited, alias=alias))
    return Judged(evidence=evidence, verdicts=(*gates, *on_evidence(policy, evidence, now), *current))


class References:
    """The runs that gates compare with: those given, and those that gates name themselves. Each is loaded once."""

    def __init__(self, store: Store, baselines: Sequence[str]) -> None:
        self._store = store
        self._ids = list(baselines)
        self._runs: dict[str, Run] = {}

    def _load(self, run_id: str) -> Run:
        if run_id not in self._runs:
            run = self._store.load(run_id, payload=False)
            if run.is_partial:
                raise Refusal(
                    "baseline",
                    f"The run {run_id} cannot be a baseline: it is partial, or has not ended well.",
                    why="The cases that it lacks may be the very ones that differ.",
                    hint="Name a complete run; `evalkit runs` lists them.",
                )
            self._runs[run_id] = run
        return self._runs[run_id]

    def of(self, suite: str) -> Reference | None:
        """The suite in the first of the runs that has it."""
        for run_id in self._ids:
            for found in self._load(run_id).suites:
                if found.info.name == suite:
                    return Reference(suite=found, run=run_id)
        return None

    def run_of(self, suite: str) -> str:
        """The id of that run, empty where there is none."""
        found = self.of(suite)
        return "" if found is None else found.run

    def named(self, gates: Sequence[Gate], suite: str, before: dt.datetime) -> dict[str, Reference]:
        """What the gates name themselves, by that name; one that cannot be found is left out.

        `before` is when the run began that is judged: `last` is the last one before it.
        """
        made: dict[str, Reference] = {}
        for gate in gates:
            if gate.baseline is not None and gate.baseline.run:
                try:
                    run = self._load(self._store.resolve(gate.baseline.run, before=before))
                    made[gate.baseline.run] = Reference(suite=run.suite(suite), run=run.id)
                except (NotFound, KeyError):
                    continue
        return made


def on_gates(policy: Policy, cited: Sequence[Cited], references: References) -> list[RuleVerdict]:
    """What the gates say: the policy's own, and, unless it says otherwise, those that each suite declared."""
    found: list[RuleVerdict] = []
    shared = [parse(line, where=f"the policy {policy.name}") for line in policy.gates_for(ANY_SUITE)]
    placed: set[str] = set()
    for one in cited:
        suite = one.suite
        chosen = [gate for gate in shared if _has(suite, gate)]
        placed.update(str(gate) for gate in chosen)
        chosen.extend(parse(line, where=f"the policy {policy.name}") for line in policy.gates_for(suite.info.name))
        found.extend(_on_suite(one, chosen, policy, references))
    for gate in shared:
        if str(gate) not in placed:
            found.append(_missing(str(gate), "", f"No suite has anything that {gate} is on."))
    names = {one.suite.info.name for one in cited}
    for suite_name, lines in policy.gates.items():
        if suite_name != ANY_SUITE and suite_name not in names:
            found.extend(_missing(line, suite_name, f"No run has the suite {suite_name}.") for line in lines)
    return found


def _on_suite(one: Cited, chosen: Sequence[Gate], policy: Policy, references: References) -> list[RuleVerdict]:
    suite, gates = one.suite, list(chosen)
    if policy.own_gates:
        said = {str(gate) for gate in gates}
        own = [parse(line, where=suite.info.location) for line in suite.info.gates]
        gates.extend(gate for gate in own if str(gate) not in said)
    if not gates:
        return [_by_case(suite)]
    reference = references.of(suite.info.name)
    named = references.named(gates, suite.info.name, one.run.started_at)
    return [_on_gate(gate, suite, reference, named) for gate in with_defaults(gates)]


def _on_gate(gate: Gate, suite: SuiteRun, reference: Reference | None, named: Mapping[str, Reference]) -> RuleVerdict:
    try:
        check([gate], suite.info, suite.cases, known=_names(suite), possible=(), baseline=reference, named=named)
        [verdict] = judge([gate], suite, baseline=reference, named=named)
    except GateError as error:
        return RuleVerdict(
            rule="gate",
            text=str(gate),
            decision="inconclusive",
            suite=suite.info.name,
            reason=" ".join(part for part in (error.what, error.why) if part),
            hint=error.hint or "",
        )
    return _rule_verdict(verdict, gate)


def _rule_verdict(verdict: Verdict, gate: Gate) -> RuleVerdict:
    return RuleVerdict(
        rule="gate",
        text=verdict.gate,
        decision=verdict.decision,
        suite=verdict.suite,
        slice="" if gate.slice is None else "=".join(gate.slice),
        observed=_figure(verdict.observed),
        low=_figure(verdict.low),
        high=_figure(verdict.high),
        n=verdict.cases,
        reason=verdict.reason,
        hint=verdict.hint,
    )


def _by_case(suite: SuiteRun) -> RuleVerdict:
    """A suite without any gate: then each case decides, as it does in a session."""
    passed = sum(trial.outcome == "passed" for trial in suite.trials)
    scored = any(score.status == "scored" for trial in suite.trials for score in trial.scores)
    base = RuleVerdict(
        rule="gate",
        text="every trial passes",
        decision="pass",
        suite=suite.info.name,
        observed=f"{passed} of {len(suite.trials)}",
        n=len(suite.trials),
        reason=f"{passed:,} of {len(suite.trials):,} trials passed, and the suite has no gate.",
    )
    hint = "Give the suite a gate, or the policy one for it."
    if not scored:
        return dataclasses.replace(base, decision="inconclusive", reason="Nothing was scored.", hint=hint)
    return base if passed == len(suite.trials) else dataclasses.replace(base, decision="fail", hint=hint)


def _missing(line: str, suite: str, reason: str) -> RuleVerdict:
    return RuleVerdict(
        rule="gate",
        text=line,
        decision="fail",
        suite=suite,
        reason=reason,
        hint="Give a run of the suite that has it.",
    )


def _names(suite: SuiteRun) -> set[str]:
    return {score.name for trial in suite.trials for score in trial.scores} | {
        scorer.name for scorer in suite.info.scorers
    }


def _has(suite: SuiteRun, gate: Gate) -> bool:
    return gate.is_builtin or gate.metric in _names(suite)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def in_force(history: Sequence[Promotion], digest: str | None) -> tuple[str, ...]:
    """The runs that the promotion in force rests on: what gates compare with, where nobody says otherwise."""
    for one in reversed(history):
        if one.state == "applied" and one.to_digest == digest and one.evidence is not None:
            return one.evidence.runs
    return ()
