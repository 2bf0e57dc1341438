"""Checking gates before anything runs, so that nobody pays for a run that cannot answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn

from evalkit.canonical import canonical_json
from evalkit.case import Case
from evalkit.errors import GateError, did_you_mean
from evalkit.gates.advice import reachable
from evalkit.gates.comparable import check_kind, check_reference, check_size
from evalkit.gates.deciding import FEWEST_GRADED, FEWEST_REPEATED
from evalkit.gates.gate import LABEL_STATISTICS, Gate, is_quantile, quoted
from evalkit.gates.meaning import is_share
from evalkit.gates.versus import Reference
from evalkit.gates.words import plural
from evalkit.runs import SuiteInfo
from evalkit.stats.agreement import FEWEST_CASES
from evalkit.stats.columns import BUILTINS
from evalkit.stats.power import perfect_cases, quantile_cases
from evalkit.stats.ranks import share_of
from evalkit.stats.repeats import fewest_trials, is_reducer, takes_passes
from evalkit.stats.resampling import require_stats
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
        _check_metric(gate, known, possible)
        if gate.rests_on_people:
            _check_by_people(gate)
            continue
        check_kind(gate)
        _check_trials(gate, info)
    if gates and not known and not possible and not info.scorers:
        _refuse(
            gates[0],
            "the suite has no scorer, so no gate of it can ever pass",
            hint="Add scorers=[…] to the suite.",
        )
    others = [gate for gate in gates if not gate.rests_on_people]
    for gate in others:
        check_reference(gate, info, baseline, named, known)
    for gate in others:
        count = info.dataset.size if gate.slice is None else _slice_size(gate, cases, info)
        if not info.is_partial and count is not None:
            _check_evidence(gate, info, count, _clusters(gate, cases, info))


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
    if not gate.metric:
        if len(known) > 1:
            names = sorted(known)
            _refuse(
                gate,
                f"the suite has {len(names)} scorers, and {gate.reduces_by} is of one",
                hint="Write " + " or ".join(f"{gate.reduces_by}({quoted(name)})" for name in names[:4]) + ".",
            )
        return
    names = sorted(known) + [name for name in BUILTINS if name not in known]
    raise GateError(
        f'The gate "{gate.text or gate}" is on "{gate.metric}", which nothing in this suite gives.'
        + (did_you_mean(gate.metric, [*known, *BUILTINS]) or did_you_mean(gate.metric, possible)),
        where=gate.where,
        why="Known here: " + ", ".join(names) + ".",
        hint="A gate is on a scorer's name, a name that a scorer gives its scores, or a built-in metric.",
    )


def _check_by_people(gate: Gate) -> None:
    what = "a judge's agreement" if gate.judge else "a corrected metric"
    if gate.baseline is not None or gate.slice is not None:
        _refuse(
            gate,
            f"{what} is of a whole suite, and neither compared with a baseline nor taken of a slice",
            hint=f"Write {gate.subject} >= 0.8 @ 95%.",
        )


def _check_trials(gate: Gate, info: SuiteInfo) -> None:
    """Whether there are trials enough of each case for what is asked of them."""
    if not is_reducer(gate.reduces_by) or info.repeat >= (fewest := fewest_trials(gate.reduces_by)):
        return
    has = "once" if info.repeat == 1 else f"{info.repeat} times"
    _refuse(
        gate,
        f"{gate.reduces_by} takes at least {fewest} trials of every case, and the suite runs each {has}",
        why=None if fewest > 2 else "What one trial gives says nothing about what the next would.",
        hint=f"Write repeat={fewest} or more in the suite.",
    )


def _clusters(gate: Gate, cases: Sequence[Case], info: SuiteInfo) -> int | None:
    """How many clusters the cases of a gate are in, where the suite names a key for them."""
    if info.cluster is None:
        return None
    chosen = cases if gate.slice is None else [cases[at] for at in members(cases, *gate.slice)]
    return len({canonical_json(case.metadata.get(info.cluster, f"#{case.id}")) for case in chosen})


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


def _check_evidence(gate: Gate, info: SuiteInfo, cases: int, clusters: int | None) -> None:
    level = gate.confidence
    if gate.statistic in LABEL_STATISTICS and not gate.judge:
        _check_labels(gate, cases if clusters is None else clusters, clusters)
        return
    if gate.baseline is not None:
        check_size(gate, info, cases, is_graded=not _is_right_or_wrong(gate, info))
        return
    if level is None:
        return
    if clusters is not None and clusters < FEWEST_REPEATED:
        _refuse(
            gate,
            f"evidence takes at least {FEWEST_REPEATED} clusters of cases, and there {_are(clusters)}",
            why=f"With cluster={info.cluster!r} the clusters are what is counted, not the cases.",
            hint=f'Add cases of other clusters, or leave out "@ {format(gate.level or 0, "f")}%".',
        )
    if is_quantile(gate.reduces_by) or gate.reduces_by == "median":
        _check_quantile(gate, cases if clusters is None else clusters, level)
        return
    repeated = clusters is not None or (info.repeat > 1 and not _is_settled(gate, info))
    graded = gate.is_builtin and gate.metric != "errors"
    if is_reducer(gate.reduces_by):
        graded = not _is_settled(gate, info)
    fewest = FEWEST_GRADED if graded else FEWEST_REPEATED if repeated else 2
    if cases < fewest:
        kind = "measured values" if gate.is_builtin else "repeated trials" if repeated else "measured values"
        _unreachable(gate, fewest, cases, why=f"An interval of {kind} cannot be trusted on fewer than {fewest} cases.")
    if _is_right_or_wrong(gate, info):
        _check_share(gate, cases if clusters is None else clusters, level, repeated=repeated, clusters=clusters)


def _check_labels(gate: Gate, units: int, clusters: int | None) -> None:
    """Whether a bootstrap has enough to draw from, and can be made at all."""
    if gate.level is None and gate.baseline is None:
        return
    require_stats()
    if units < FEWEST_CASES:
        _unreachable(
            gate,
            FEWEST_CASES,
            units,
            why=f"An interval of {gate.statistic} is drawn from the cases themselves, and fewer say too little.",
            noun="case" if clusters is None else "cluster",
            even="",
        )


def _is_settled(gate: Gate, info: SuiteInfo) -> bool:
    """Whether a reducer leaves one right-or-wrong value of each case, such as pass^k of k trials."""
    statistic = gate.reduces_by
    if not is_reducer(statistic) or not takes_passes(statistic):
        return False
    return statistic == "majority" or info.repeat == fewest_trials(statistic)


def _are(number: int) -> str:
    return "is 1" if number == 1 else f"are {number}"


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


def _check_share(gate: Gate, cases: int, level: float, *, repeated: bool, clusters: int | None) -> None:
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
        noun = "case" if clusters is None else "cluster"
        _unreachable(
            gate,
            needed,
            cases,
            why=f"The most that {plural(cases, noun)} can show is {gate.operator} {best:g}, if every one {perfect}.",
            noun=noun,
        )


def _check_quantile(gate: Gate, cases: int, level: float) -> None:
    share = float(share_of(gate.reduces_by))
    needed = quantile_cases(share, upper=not gate.wants_more, level=level)
    if cases < needed:
        side = "lower" if gate.wants_more else "upper"
        _unreachable(gate, needed, cases, why=f"Fewer cases give {gate.reduces_by} no {side} limit at all.")


def _unreachable(
    gate: Gate, needed: int, cases: int, *, why: str, noun: str = "case", even: str = " even if every case passes"
) -> NoReturn:
    graded = ""
    if not gate.is_builtin and gate.statistic is None and needed > FEWEST_GRADED:
        graded = f" If the score is graded rather than right or wrong, write {gate.metric}.mean."
    where = "the suite has" if gate.slice is None else "the slice has"
    _refuse(
        gate,
        f"it needs at least {plural(needed, noun)}{even}, and {where} {cases:,}",
        why=why,
        hint=_cheaper(gate) + graded,
    )


def _cheaper(gate: Gate) -> str:
    if gate.baseline is not None:
        return f"Add cases, or gate on the figure itself: {gate.subject} >= 0.8."
    return f'Add cases, ask for less, or leave out "@ {format(gate.level or 0, "f")}%" to judge these cases only.'


def _listed(names: Sequence[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
