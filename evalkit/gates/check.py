"""Checking gates before anything runs, so that nobody pays for a run that cannot answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn

from evalkit.case import Case
from evalkit.errors import GateError, did_you_mean
from evalkit.gates.advice import reachable
from evalkit.gates.comparable import check_kind, check_reference, check_size
from evalkit.gates.deciding import FEWEST_GRADED, FEWEST_REPEATED
from evalkit.gates.gate import Gate, is_quantile
from evalkit.gates.meaning import is_share
from evalkit.gates.support import refuse_unsupported
from evalkit.gates.versus import Reference
from evalkit.gates.words import plural
from evalkit.runs import SuiteInfo
from evalkit.stats.columns import BUILTINS
from evalkit.stats.power import perfect_cases, quantile_cases
from evalkit.stats.ranks import share_of
from evalkit.stats.slices import TAG, choices, members


def check(
    gates: Sequence[Gate],
    info: SuiteInfo,
    cases: Sequence[Case],
    *,
    known: Collection[str],
    possible: Collection[str],
    baseline: Reference | None = None,
    named: Mapping[str, Reference] = MappingProxyType({}),
) -> None:
    """Raise `GateError` for the first gate that names nothing or can never pass.

    `cases` are those selected to run; `known` the names of the suite's scorers, `possible` further names that a
    scorer may give its scores (they are accepted, not suggested first). Refused are: forms this version cannot
    decide, an unknown metric, gates where nothing can be scored, a slice without a case, and evidence that could
    not suffice even if every case passed, with the number of cases it takes. Whether there are cases enough is not
    asked of a partial selection, which is no evidence anyway. `baseline` is the same suite in the run that gates
    compare with, and `named` has those that gates name themselves; a comparison without one is refused, and one
    with another version of the dataset or of a scorer.
    """
    for gate in gates:
        refuse_unsupported(gate)
        _check_metric(gate, known, possible)
        check_kind(gate)
    if gates and not known and not possible and not info.scorers:
        _refuse(
            gates[0],
            "the suite has no scorer, so no gate of it can ever pass",
            hint="Add scorers=[…] to the suite.",
        )
    for gate in gates:
        check_reference(gate, info, baseline, named, known)
    for gate in gates:
        count = info.dataset.size if gate.slice is None else _slice_size(gate, cases, info)
        if not info.is_partial and count is not None:
            _check_evidence(gate, info, count)


def _refuse(gate: Gate, what: str, *, why: str | None = None, hint: str | None = None) -> NoReturn:
    raise GateError(f'The gate "{gate.text or gate}": {what}.', where=gate.where, why=why, hint=hint)


def _check_metric(gate: Gate, known: Collection[str], possible: Collection[str]) -> None:
    if gate.metric in BUILTINS:
        if gate.metric in known:
            _refuse(
                gate,
                f'a scorer of the suite has the name "{gate.metric}", which is that of a built-in metric',
                hint=f'Name the scorer otherwise: ….named("{gate.metric}_score").',
            )
        return
    if gate.metric in known or gate.metric in possible:
        return
    names = sorted(known) + [name for name in BUILTINS if name not in known]
    raise GateError(
        f'The gate "{gate.text or gate}" is on "{gate.metric}", which nothing in this suite gives.'
        + (did_you_mean(gate.metric, [*known, *BUILTINS]) or did_you_mean(gate.metric, possible)),
        where=gate.where,
        why="Known here: " + ", ".join(names) + ".",
        hint="A gate is on a scorer's name, a name that a scorer gives its scores, or a built-in metric.",
    )


def _slice_size(gate: Gate, cases: Sequence[Case], info: SuiteInfo) -> int | None:
    assert gate.slice is not None
    key, value = gate.slice
    found = len(members(cases, key, value))
    if found or info.is_partial:
        return found or None
    offered = choices(cases)
    if key == TAG:
        tags = offered.get(TAG, [])
        hint = did_you_mean(value, tags).strip() or (
            f"The tags are: {_listed(tags)}." if tags else "No case has a tag."
        )
        if value in offered:
            hint = f"{value} is a metadata key: write {gate.metric}[{value}={offered[value][0]}]."
        _refuse(gate, f'no case has the tag "{value}", so the slice is empty', hint=hint)
    if key not in offered:
        keys = [name for name in offered if name != TAG]
        hint = did_you_mean(key, keys).strip() or (
            f"The metadata keys are: {_listed(keys)}." if keys else "No case has metadata."
        )
        _refuse(gate, f'no case has the metadata key "{key}", so the slice is empty', hint=hint)
    hint = did_you_mean(value, offered[key]).strip() or f"The values of {key} are: {_listed(offered[key])}."
    _refuse(gate, f"no case has {key}={value}, so the slice is empty", hint=hint)


def _check_evidence(gate: Gate, info: SuiteInfo, cases: int) -> None:
    level = gate.confidence
    if gate.baseline is not None:
        check_size(gate, info, cases, is_graded=not _is_right_or_wrong(gate, info))
        return
    if level is None:
        return
    if is_quantile(gate.reduces_by) or gate.reduces_by == "median":
        _check_quantile(gate, cases, level)
        return
    repeated = info.repeat > 1
    fewest = FEWEST_GRADED if gate.is_builtin and gate.metric != "errors" else FEWEST_REPEATED if repeated else 2
    if cases < fewest:
        kind = "repeated trials" if repeated else "measured values"
        _unreachable(gate, fewest, cases, why=f"An interval of {kind} cannot be trusted on fewer than {fewest} cases.")
    if _is_right_or_wrong(gate, info):
        _check_share(gate, cases, level, repeated=repeated)


def _is_right_or_wrong(gate: Gate, info: SuiteInfo) -> bool:
    """Whether the bound is to be read as a share of right cases.

    A scorer with a pass mark is graded, and so is a score whose `.mean` is asked for by name; the bounds that a
    graded score can reach depend on the data. Bounds beyond [0, 1] speak of another scale.
    """
    if is_share(gate):
        return True
    if gate.is_builtin or gate.statistic is not None:
        return False
    if gate.baseline is None and not 0 <= gate.bound <= 1:
        return False
    return not any(scorer.name == gate.metric and scorer.pass_mark for scorer in info.scorers)


def _check_share(gate: Gate, cases: int, level: float, *, repeated: bool) -> None:
    bound = float(gate.bound if gate.wants_more else 1 - gate.bound)
    needed = perfect_cases(bound, level=level, repeated=repeated)
    if needed is None:
        _refuse(
            gate,
            "no number of cases can show this, since the next case may always be different",
            hint=f"Leave the level out, write `each case: {gate.metric} {gate.operator} {gate.threshold}{gate.unit}`, "
            "or ask for less than everything.",
        )
    if cases < needed:
        best = reachable(cases, level, repeated=repeated)
        best = best if gate.wants_more else round(1 - best, 3)
        perfect = "passes" if gate.wants_more else "is free of it"
        _unreachable(
            gate,
            needed,
            cases,
            why=f"The most that {plural(cases, 'case')} can show is {gate.operator} {best:g}, if every one {perfect}.",
        )


def _check_quantile(gate: Gate, cases: int, level: float) -> None:
    share = float(share_of(gate.reduces_by))
    needed = quantile_cases(share, upper=not gate.wants_more, level=level)
    if cases < needed:
        side = "lower" if gate.wants_more else "upper"
        _unreachable(gate, needed, cases, why=f"Fewer cases give {gate.reduces_by} no {side} limit at all.")


def _unreachable(gate: Gate, needed: int, cases: int, *, why: str) -> NoReturn:
    graded = ""
    if not gate.is_builtin and gate.statistic is None and needed > FEWEST_GRADED:
        graded = f" If the score is graded rather than right or wrong, write {gate.metric}.mean."
    where = "the suite has" if gate.slice is None else "the slice has"
    _refuse(
        gate,
        f"it needs at least {plural(needed, 'case')} even if every case passes, and {where} {cases:,}",
        why=why,
        hint=f'Add cases, ask for less, or leave out "@ {format(gate.level or 0, "f")}%" to judge these cases only.'
        + graded,
    )


def _listed(names: Sequence[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
