"""The trials of one suite as columns: one value per trial for each score and each built-in quantity.

Trials are read once. Everything after that works on flat lists, so that many slices of many cases stay quick.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Mapping, Sequence
from typing import Literal

from evalkit.canonical import canonical_json
from evalkit.runs import SuiteRun
from evalkit.trial import Trial

Shape = Literal["binary", "unit", "unbounded", "label"]
"""`binary`: every value is 0 or 1. `unit`: every value lies in [0, 1]. `label`: there are only words."""

SCORED, UNSCORED, ERRORED, FAILED = 1, 2, 3, 4
"""What became of a trial in a column: a value; none; the scorer raised; the function under test raised."""

_LABELLED = 5
"""While reading: a word and no value. It is a score where there are only words, and none beside numbers."""

BUILTINS: Mapping[str, str] = {
    "errors": "",
    "latency": "s",
    "cost": "$",
    "input_tokens": "tokens",
    "output_tokens": "tokens",
}
"""The metrics that every suite has without a scorer, with their units."""


@dataclasses.dataclass(slots=True, kw_only=True)
class Column:
    """One quantity: `values` and `states` have one entry per trial, `None` where there is no value.

    `passed` is the assertion, or the comparison with the pass mark, per trial. `shape` is filled when all
    trials are read, and is that of the whole suite, so that a slice is never measured by another rule.
    `builtin` columns are measured, not judged: a function that raised has a latency but no quality.
    `assertions` is whether every value is one that can only be right or wrong; `settled` whether a `binary` shape
    is certain, since nothing is missing that might have been a number in between.
    """

    name: str
    unit: str = ""
    builtin: bool = False
    scorer: str = ""
    shape: Shape = "binary"
    assertions: bool = True
    settled: bool = True
    values: list[float | None] = dataclasses.field(default_factory=list)
    states: bytearray = dataclasses.field(default_factory=bytearray)
    passed: list[bool | None] = dataclasses.field(default_factory=list)
    labels: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The columns of one suite.

    `case_of` has the index in `case_ids` for each trial; `planned` says for each case how many trials there
    should be, so that what is absent is counted as missing. `clusters` numbers the cluster of each case, where the
    suite names a metadata key for it.
    """

    suite: SuiteRun
    case_ids: tuple[str, ...]
    case_of: list[int]
    planned: list[int]
    columns: dict[str, Column]
    clusters: list[int] | None = None

    @property
    def absent(self) -> int:
        """How many planned trials never ran."""
        return sum(self.planned) - len(self.case_of)

    @property
    def anything_scored(self) -> bool:
        """Whether any scorer gave any score or label at all; the built-in quantities do not count."""
        return any(
            not column.builtin and (SCORED in column.states or column.labels) for column in self.columns.values()
        )


def read(suite: SuiteRun) -> Table:
    """The table of a suite. Of several attempts at one trial the last one counts."""
    trials = _last_attempts(suite.trials)
    index = {case.id: position for position, case in enumerate(suite.cases)}
    for trial in trials:
        index.setdefault(trial.case_id, len(index))
    case_of = [index[trial.case_id] for trial in trials]
    planned = _planned(suite, len(index), case_of)
    scores = _score_columns(suite, trials)
    complete = sum(planned) == len(trials)
    for column in scores.values():
        scored, failed = column.states.count(SCORED), column.states.count(FAILED)
        told = scored > 0 or (complete and failed == len(trials))  # of values never seen nothing is certain
        column.settled = (column.assertions and told) or (complete and scored == len(trials))
    columns = _builtin_columns(trials) | scores
    return Table(
        suite=suite,
        case_ids=tuple(index),
        case_of=case_of,
        planned=planned,
        columns=columns,
        clusters=_clusters(suite, len(index)),
    )


def _clusters(suite: SuiteRun, cases: int) -> list[int] | None:
    """The number of each case's cluster; a case that does not say which is a cluster of its own."""
    key = suite.info.cluster
    if key is None:
        return None
    numbers: dict[str, int] = {}
    found: list[int] = []
    for position in range(cases):
        metadata = suite.cases[position].metadata if position < len(suite.cases) else {}
        name = f"={canonical_json(metadata[key]).decode()}" if metadata.get(key) is not None else f"#{position}"
        found.append(numbers.setdefault(name, len(numbers)))
    return found


def _last_attempts(trials: Sequence[Trial]) -> list[Trial]:
    last: dict[tuple[str, int], Trial] = {}
    for trial in trials:
        key = (trial.case_id, trial.number)
        if key not in last or last[key].attempt <= trial.attempt:
            last[key] = trial
    return list(last.values())


def _planned(suite: SuiteRun, cases: int, case_of: Sequence[int]) -> list[int]:
    """How many trials each case should have.

    Where a selection took only some trials of a case and the run then stopped, it is not recorded which ones are
    absent; they are laid on the cases that have the fewest.
    """
    repeat = max(suite.info.repeat, 1)
    seen = [0] * cases
    for case in case_of:
        seen[case] += 1
    total = suite.info.planned or cases * repeat
    if total >= cases * repeat:
        return [max(count, repeat) for count in seen]
    planned = list(seen)
    fewest = [(count, case) for case, count in enumerate(seen)]
    heapq.heapify(fewest)
    for _ in range(total - len(case_of)):
        count, case = fewest[0]
        planned[case] = count + 1
        heapq.heapreplace(fewest, (count + 1, case))
    return planned


def _builtin_columns(trials: Sequence[Trial]) -> dict[str, Column]:
    columns = {name: Column(name=name, unit=unit, builtin=True, shape="unbounded") for name, unit in BUILTINS.items()}
    errors, latency, cost = columns["errors"], columns["latency"], columns["cost"]
    read_in, written = columns["input_tokens"], columns["output_tokens"]
    errors.shape = "binary"
    for trial in trials:
        usage = trial.output.usage
        errors.values.append(1.0 if trial.outcome == "errored" else 0.0)
        latency.values.append(trial.output.latency)
        cost.values.append(None if usage is None or usage.cost is None else float(usage.cost))
        read_in.values.append(None if usage is None or usage.input_tokens is None else float(usage.input_tokens))
        written.values.append(None if usage is None or usage.output_tokens is None else float(usage.output_tokens))
    for column in columns.values():
        column.states = bytearray(UNSCORED if value is None else SCORED for value in column.values)
        column.passed = [None] * len(trials)
    return columns


def _score_columns(suite: SuiteRun, trials: Sequence[Trial]) -> dict[str, Column]:
    total = len(trials)
    columns: dict[str, Column] = {}
    raised: dict[str, set[int]] = {}
    again: dict[tuple[str, int], list[float]] = {}

    def column_of(name: str, scorer: str) -> Column:
        column = columns.get(name)
        if column is None:
            column = columns[name] = Column(
                name=name, scorer=scorer, values=[None] * total, states=bytearray(total), passed=[None] * total
            )
        return column

    for position, trial in enumerate(trials):
        for score in trial.scores:
            column = column_of(score.name, score.scorer)
            value = score.value
            if value is None and score.passed is not None and score.status == "scored":
                value = float(score.passed)
            if score.status == "error":
                raised.setdefault(score.scorer or score.name, set()).add(position)
                column.states[position] = ERRORED
                continue
            if score.label is not None:
                column.labels[score.label] = column.labels.get(score.label, 0) + 1
            if value is None or score.status != "scored":
                column.states[position] = column.states[position] or (UNSCORED if score.label is None else _LABELLED)
                continue
            column.assertions = column.assertions and score.kind == "assertion"
            before = column.values[position]
            if before is None:
                column.values[position], column.passed[position] = value, score.passed
            else:  # a list of several scores under one name: their mean
                several = again.setdefault((score.name, position), [before])
                several.append(value)
                column.values[position] = sum(several) / len(several)
                if score.passed is not None:
                    column.passed[position] = score.passed and column.passed[position] is not False
            if column.states[position] != ERRORED:
                column.states[position] = SCORED
    for declared in suite.info.scorers:
        if not any(column.scorer == declared.name for column in columns.values()):
            column_of(declared.name, declared.name)
    _drop_empty_names(columns)
    for column in columns.values():
        _settle(column, trials, raised.get(column.scorer or column.name, set()))
    return columns


def _drop_empty_names(columns: dict[str, Column]) -> None:
    """Leave out the name a scorer has only when it raises or is silent, where its scores have other names otherwise."""
    telling = {column.scorer for column in columns.values() if _tells(column)}
    for column in list(columns.values()):
        if column.name == column.scorer and column.name in telling and not _tells(column):
            del columns[column.name]


def _tells(column: Column) -> bool:
    return SCORED in column.states or _LABELLED in column.states


def _settle(column: Column, trials: Sequence[Trial], raised: set[int]) -> None:
    """Give a state to each trial without one, take the values of trials that failed away, and find the shape."""
    known = {value for value in column.values if value is not None}
    labelled = UNSCORED if known else SCORED
    for position, trial in enumerate(trials):
        error = trial.output.error
        state = column.states[position]
        if state == _LABELLED:
            state = column.states[position] = labelled
        if error is not None and (not error.is_assertion or state != SCORED):
            column.states[position] = FAILED
        elif state == 0:
            column.states[position] = ERRORED if position in raised else UNSCORED
        if column.states[position] != SCORED:
            column.values[position] = column.passed[position] = None
    known = {value for value in column.values if value is not None}
    if not known:
        column.shape = "label" if column.labels else "binary"
    elif known <= {0.0, 1.0}:
        column.shape = "binary"
    else:
        column.shape = "unit" if min(known) >= 0 and max(known) <= 1 else "unbounded"
