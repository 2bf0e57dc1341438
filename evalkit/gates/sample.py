"""What one gate is decided from: the sufficient statistics of its metric in its slice, and nothing else."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from evalkit.errors import did_you_mean
from evalkit.gates.gate import LABEL_STATISTICS, Gate
from evalkit.stats import labelled
from evalkit.stats.clusters import Cluster
from evalkit.stats.columns import BUILTINS, ERRORED, FAILED, SCORED, Column, Table
from evalkit.stats.labelled import Labelled
from evalkit.stats.labels import MOST_LABELS, NO_ANSWER, units_of
from evalkit.stats.means import Means, Open, means, pass_rates, per_case
from evalkit.stats.ranks import Ranks, Recording, ranks
from evalkit.stats.repeats import fewest_trials, is_reducer, reduced, takes_passes, too_few
from evalkit.stats.sequential import Seen
from evalkit.stats.slices import members
from evalkit.stats.totals import Each, Total, each, total

Data = Means | Ranks | Total | Each | Labelled


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The numbers a gate is decided from.

    `cases` and `planned` are what should have run, `trials` what did; `scored + unscored + errored` are the trials.
    `failed` trials raised in the function under test and count as 0 where the gate asks for more. `problem` is why
    the gate cannot pass whatever the numbers are, and empty otherwise; a gate on errors has its numbers all the
    same. `selection` says which part of the suite was
    run, `None` for all of it. `stopped` is after how many cases the suite stopped because everything was decided,
    and empty where it did not; `early` has the counts of that moment where they foretell the whole suite.
    """

    data: Data | None
    cases: int
    trials: int
    planned: int
    scored: int
    unscored: int
    errored: int
    failed: int = 0
    problem: str = ""
    selection: str | None = None
    stopped: str = ""
    early: Seen | None = None

    @property
    def absent(self) -> int:
        """How many planned trials never ran."""
        return max(self.planned - self.trials, 0)


def sample(gate: Gate, table: Table) -> Sample:
    """The sample of a gate in the trials of a suite."""
    positions = None if gate.slice is None else members(table.suite.cases, *gate.slice)
    column = table.columns.get(gate.metric or _only_score(table))
    info = table.suite.info
    selection = (info.selection or "a part of the trials") if info.is_partial else None
    problem = _problem(gate, table, column, positions)
    found = dataclasses.replace(counted(table, column, positions), problem=problem, selection=selection)
    if column is None or (problem and not (gate.metric == "errors" and found.trials)):
        return found
    if gate.statistic in LABEL_STATISTICS:
        data = labels_of(gate, [(table, column.name)], positions)
        problem = label_problem(gate, data)
        return dataclasses.replace(found, data=None if problem else data, problem=problem)
    return dataclasses.replace(found, data=_data(gate, table, _scaled(gate, column), positions))


def _problem(gate: Gate, table: Table, column: Column | None, positions: Sequence[int] | None) -> str:
    """Why the gate can never pass, as a sentence, or nothing."""
    if not table.case_of:
        return "No trial ran, so there is nothing that could pass."
    if not table.anything_scored and not any(FAILED in c.states for c in table.columns.values() if not c.builtin):
        return "No scorer gave any score in this suite, so nothing says that its outputs are right."
    if column is None and not gate.metric:
        scores = [name for name, found in table.columns.items() if not found.builtin]
        return f"{gate.reduces_by} is of one score, and this suite has {len(scores)}: {', '.join(scores)}."
    if column is None:
        names = [*table.columns, *BUILTINS]
        return f'This suite has no score called "{gate.metric}".' + did_you_mean(gate.metric, names)
    if positions is not None and not positions:
        return f"No case that was run is in the slice {_slice_name(gate)}."
    on_labels = gate.statistic in LABEL_STATISTICS
    if on_labels and column.shape != "label" and not column.labels and not _is_asserted(column):
        return f"{column.name} gives numbers, not labels, so it has no {gate.reduces_by}."
    if column.shape == "label" and not _is_on_passes(gate) and not on_labels:
        return f"{column.name} gives words, not numbers, so it has no {gate.reduces_by}."
    rate = _is_on_passes(gate) and not column.builtin
    if rate and column.shape != "binary" and not any(passed is not None for passed in column.passed):
        return f"{column.name} is neither right nor wrong and has no pass mark, so it has no {_passes_name(gate)}."
    if is_reducer(gate.reduces_by) and (short := too_few(table, gate.reduces_by, positions)):
        return _too_few_trials(gate, short)
    view = pass_rates(column) if rate else column
    inside = None if positions is None else set(positions)
    states = {s for c, s in zip(table.case_of, view.states, strict=True) if inside is None or c in inside}
    if states & {SCORED, FAILED}:
        return ""
    if column.builtin:
        return f"No {gate.metric} was recorded, so there is nothing to hold against the bound."
    return f"{column.name} was never scored: {'its scorer raised' if ERRORED in states else 'it had nothing to say'}."


def _only_score(table: Table) -> str:
    """The score that a gate without a name is on: the one of the one scorer, or the only one there is."""
    scores = [name for name, column in table.columns.items() if not column.builtin]
    declared = [scorer.name for scorer in table.suite.info.scorers if scorer.name in scores]
    return declared[0] if len(declared) == 1 else scores[0] if len(scores) == 1 else ""


def labels_of(gate: Gate, sides: Sequence[tuple[Table, str]], positions: Sequence[int] | None) -> Labelled:
    """What a gate on labels is decided from: one side, or the baseline and the run."""
    table, name = sides[-1]
    units = units_of(sides, positions, failed_as_wrong=gate.wants_more)
    column = table.columns[name]
    inside = None if positions is None else set(positions)
    known = {SCORED, FAILED} if gate.wants_more else {SCORED}
    states = [s for c, s in zip(table.case_of, column.states, strict=True) if inside is None or c in inside]
    planned = sum(table.planned if inside is None else (table.planned[case] for case in inside))
    return Labelled(
        statistic=gate.reduces_by,
        units=units,
        cases=len(table.case_ids) if inside is None else len(inside),
        missing=planned - sum(1 for state in states if state in known),
        clustered=table.clusters is not None,
    )


def label_problem(gate: Gate, data: Labelled) -> str:
    """Why a figure of labels has no meaning here, as a sentence, or nothing."""
    name = gate.metric
    sides = data.sides
    classes, labels = data.classes, sides[-1].labels if sides else ()
    if not classes:
        return f"No case says which label of {name} is the right one, so there is no {gate.reduces_by}."
    if len(labels) > MOST_LABELS:
        return (
            f"{name} has {len(labels):,} different labels; that is free text, of which no {gate.reduces_by} is taken."
        )
    given = {label for side in sides for label, column in zip(side.labels, side.columns, strict=True) if column}
    if given <= {"true", "false", NO_ANSWER} and not set(classes) & {"true", "false"}:
        return (
            f"{name} says whether an answer was right, not which label it was (such as {_listed(classes)}), so it has "
            f"no {gate.reduces_by}."
        )
    if gate.reduces_by != "f1" and len(classes) < 2:
        return f"Every case expects the same label, {classes[0]}, so there is no agreement beyond chance to speak of."
    if data.value is None and not data.has_gaps:
        return f"No case expects true and none was given, so {name} has no F1 of true."
    return ""


def _is_asserted(column: Column) -> bool:
    return column.shape == "binary" and column.assertions


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels[:3]) + (", …" if len(labels) > 3 else "")


def _is_on_passes(gate: Gate) -> bool:
    statistic = gate.reduces_by
    return statistic == "rate" or (is_reducer(statistic) and takes_passes(statistic))


def _passes_name(gate: Gate) -> str:
    return "rate of passes" if gate.reduces_by == "rate" else gate.reduces_by


def _too_few_trials(gate: Gate, short: int) -> str:
    fewest = fewest_trials(gate.reduces_by)
    have = "1 case has" if short == 1 else f"{short:,} cases have"
    return f"{gate.reduces_by} takes at least {fewest} trials of every case, and {have} fewer."


def _slice_name(gate: Gate) -> str:
    key, value = gate.slice or ("", "")
    return value if key == "tag" else f"{key}={value}"


def counted(table: Table, column: Column | None, positions: Sequence[int] | None) -> Sample:
    """A sample with the counts only."""
    inside = None if positions is None else set(positions)
    chosen = [i for i, case in enumerate(table.case_of) if inside is None or case in inside]
    states = [column.states[i] for i in chosen] if column is not None else []
    scored = states.count(SCORED)
    errored = states.count(ERRORED) + states.count(FAILED)
    return Sample(
        data=None,
        cases=len(table.case_ids) if inside is None else len(inside),
        planned=sum(table.planned if inside is None else (table.planned[case] for case in inside)),
        trials=len(chosen),
        scored=scored,
        errored=errored,
        unscored=len(chosen) - scored - errored,
        failed=states.count(FAILED),
    )


def _scaled(gate: Gate, column: Column) -> Column:
    """A bound outside [0, 1] says that the scores are on another scale, whatever the values happen to be."""
    if column.builtin or _is_on_passes(gate) or 0 <= gate.bound <= 1 or column.shape == "label":
        return column
    return dataclasses.replace(column, shape="unbounded")


def _data(gate: Gate, table: Table, column: Column, positions: Sequence[int] | None) -> Data:
    if gate.each:
        return each(table, column, gate.holds, positions, wants_more=gate.wants_more)
    statistic = gate.reduces_by
    if statistic == "sum":
        return total(table, column, positions)
    if statistic in ("mean", "rate"):
        if statistic == "rate" and not column.builtin:
            column = pass_rates(column)
        collapsed = per_case(table, column, failed_as_zero=gate.wants_more, precise=True)
        return means(collapsed, positions)
    if is_reducer(statistic):
        return reduced(table, column, statistic, positions, failed_as_zero=gate.wants_more)
    return ranks(table, column, positions, failed_as_zero=gate.wants_more)


# the record of a sample, from which a verdict can be computed again


def to_inputs(sample: Sample) -> dict[str, Any]:
    """The sample as JSON data: fractions and infinities as text, of sorted values those at the ranks that were used."""
    apart = ("data", "stopped", "early")
    fields = {f.name: getattr(sample, f.name) for f in dataclasses.fields(sample) if f.name not in apart}
    if sample.stopped:
        fields["stopped"] = sample.stopped
    if sample.early is not None:
        fields["early"] = dataclasses.asdict(sample.early)
    data = sample.data
    if isinstance(data, Means):
        fields["means"] = _plain(data) | {"open": [_plain(cell) for cell in data.open]}
        if data.clusters is not None:
            fields["means"]["clusters"] = [dataclasses.asdict(cluster) for cluster in data.clusters]
    elif isinstance(data, Ranks):
        asked = data.at.asked if isinstance(data.at, Recording) else data.at
        plain = {f.name: getattr(data, f.name) for f in dataclasses.fields(data) if f.name != "at"}
        plain["range"] = [_number(end) for end in data.range]
        fields["ranks"] = plain | {"at": {str(rank): asked[rank] for rank in sorted(asked)}}
    elif isinstance(data, Total):
        fields["total"] = _plain(data)
    elif isinstance(data, Each):
        fields["each"] = _plain(data)
    elif isinstance(data, Labelled):
        fields["labels"] = labelled.to_plain(data)
    return fields


def from_inputs(inputs: Mapping[str, Any]) -> Sample:
    """The sample that `to_inputs` wrote. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    fields = dict(inputs)
    data: Data | None = None
    if (plain := fields.pop("means", None)) is not None:
        cells = tuple(Open(**(cell | _fractions(cell, "sum", "least", "most"))) for cell in plain["open"])
        exact = _fractions(plain, "total", "least", "most")
        clusters = plain.get("clusters")
        grouped = None if clusters is None else tuple(Cluster(**cluster) for cluster in clusters)
        data = Means(**(plain | exact | {"open": cells, "range": _range(plain), "clusters": grouped}))
    elif (plain := fields.pop("ranks", None)) is not None:
        at = {int(rank): value for rank, value in plain["at"].items()}
        data = Ranks(**(plain | {"at": at, "range": _range(plain)}))
    elif (plain := fields.pop("total", None)) is not None:
        data = Total(**(plain | {"total": Fraction(plain["total"]), "range": _range(plain)}))
    elif (plain := fields.pop("each", None)) is not None:
        data = Each(**(plain | {"missed_ids": tuple(plain["missed_ids"])}))
    elif (plain := fields.pop("labels", None)) is not None:
        data = labelled.from_plain(plain)
    if (seen := fields.pop("early", None)) is not None:
        fields["early"] = Seen(**seen)
    return Sample(data=data, **fields)


def _plain(record: Means | Open | Total | Each) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, Fraction):
            plain[field.name] = str(value)
        elif isinstance(value, tuple):
            plain[field.name] = [_number(item) for item in value]
        else:
            plain[field.name] = value
    return plain


def _fractions(plain: Mapping[str, Any], *names: str) -> dict[str, Fraction]:
    return {name: Fraction(plain[name]) for name in names if plain.get(name) is not None}


def _number(value: Any) -> Any:
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def _range(plain: Mapping[str, Any]) -> tuple[float, float]:
    low, high = plain["range"]
    return float(low), float(high)
