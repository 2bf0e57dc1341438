"""A gate: one line that says which number has to hold which bound, and on what evidence."""

from __future__ import annotations

import dataclasses
import json
import re
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from evalkit.stats.columns import BUILTINS
from evalkit.stats.slices import TAG, Slice

Operator = Literal[">=", ">", "<=", "<"]
Claim = Literal["not worse", "better", "no regression"]

DEFAULT_STATISTIC = {"errors": "rate", "cost": "sum"}
"""What a bare metric name means where it is not the mean."""

STATISTICS = ("mean", "rate", "min", "max", "median", "sum")
"""Besides these there is `pXX` for any quantile."""

REPEAT_STATISTICS = ("flake_rate", "majority")
"""Shares over repeated trials, besides pass^k and pass@k."""

CASE_STATISTICS = ("case_min", "case_max", "case_median")
"""The mean over cases of the least, greatest and middle trial of each."""

JUDGE_STATISTICS = ("kappa", "tpr", "tnr", "mcc", "consistency")
LABEL_STATISTICS = ("f1", "kappa", "mcc")
"""The agreement of labels with those that were expected."""

CORRECTED = "corrected"

_RESERVED = (*REPEAT_STATISTICS, "by")

PLAIN_NAME = re.compile(r"[^\W\d][\w/-]*")
"""Names that need no quotes in a gate."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The part of a gate that compares with an earlier run.

    `claim` is what has to be shown; `margin` the difference that does not matter, in the metric's own unit or, with
    `relative`, in per cent of the baseline; `run` names the baseline, and is empty for the last promoted one.
    """

    claim: Claim
    run: str = ""
    margin: Decimal | None = None
    relative: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gate. `str(gate)` is its canonical line, and `parse(str(gate)) == gate`.

    `metric` is the name of a score or a built-in (empty only for `pass^3 >= 0.8` and its like, which then take the
    suite's one scorer); `statistic` is `None` where the line names none, see `reduces_by`. `threshold` is as
    written, in `unit` (`%`, `s`, `ms`, `$`, `tokens` or none); `bound` is the plain number. `level` is the evidence
    asked for in per cent, or `None` for a point gate, which judges these cases only. `slice` is a metadata key and
    value, or `("tag", …)`. `each` asks it of every case. `judge` is whether it is about a judge's agreement.
    `baseline` is there for comparisons, which have no operator or threshold of their own.
    `text` and `where` say how and where the gate was written, and `is_default` that nobody wrote it; they make no
    difference between two gates.
    """

    metric: str
    statistic: str | None = None
    operator: Operator = ">="
    threshold: Decimal | None = None
    unit: str = ""
    level: Decimal | None = None
    slice: Slice | None = None
    each: bool = False
    judge: bool = False
    baseline: Baseline | None = None
    text: str = dataclasses.field(default="", compare=False)
    where: str | None = dataclasses.field(default=None, compare=False)
    is_default: bool = dataclasses.field(default=False, compare=False)

    @property
    def reduces_by(self) -> str:
        """The statistic the gate is on: the one it names, else `rate` of errors, `sum` of cost, and the mean."""
        return self.statistic or DEFAULT_STATISTIC.get(self.metric, "mean")

    @property
    def bound(self) -> Fraction:
        """The threshold as a plain number: 0.9 for `90%`, 0.3 for `300ms`."""
        if self.threshold is None:
            raise ValueError(f"{self} has no threshold of its own")
        return Fraction(self.threshold) * {"%": Fraction(1, 100), "ms": Fraction(1, 1000)}.get(self.unit, Fraction(1))

    @property
    def wants_more(self) -> bool:
        """Whether higher is better: `>=` and `>`."""
        return self.operator in (">=", ">")

    @property
    def confidence(self) -> float | None:
        """The level as a number in (0.5, 1), or `None` for a point gate."""
        return None if self.level is None else float(self.level / 100)

    @property
    def rests_on_people(self) -> bool:
        """Whether it is about values corrected by people's labels, or about a judge."""
        return self.judge or self.statistic == CORRECTED

    @property
    def is_builtin(self) -> bool:
        """Whether the metric is one that every suite has."""
        return self.metric in BUILTINS

    @property
    def subject(self) -> str:
        """The left-hand side as written back: `latency.p95` becomes `p95(latency)`."""
        name = quoted(self.metric) if self.metric else ""
        if self.slice is not None:
            name += _slice_text(self.slice)
        if self.judge:
            return f"judge({name}).{self.statistic}"
        if self.statistic is None:
            return name
        if not name:
            return self.statistic
        if self.statistic.startswith("pass") or self.statistic in REPEAT_STATISTICS or is_quantile(self.statistic):
            return f"{self.statistic}({name})"
        return f"{name}.{self.statistic}"

    def __str__(self) -> str:
        level = "" if self.level is None else f" @ {_plain(self.level)}%"
        each = "each case: " if self.each else ""
        if self.baseline is not None:
            return f"{self.subject} {_claim_text(self.baseline)}{level}"
        assert self.threshold is not None
        return f"{each}{self.subject} {self.operator} {_with_unit(self.threshold, self.unit)}{level}"

    def holds(self, value: Fraction) -> bool:
        """Whether `value` meets the bound, in exact arithmetic."""
        if self.operator == ">=":
            return value >= self.bound
        if self.operator == ">":
            return value > self.bound
        return value <= self.bound if self.operator == "<=" else value < self.bound


def is_quantile(statistic: str) -> bool:
    """Whether the statistic is `p95` or its like."""
    return statistic[0] == "p" and statistic[1].isdigit()


def quoted(name: str) -> str:
    """The name as a gate has to write it: in double quotes, as in JSON, unless it is a plain word."""
    plain = PLAIN_NAME.fullmatch(name) and name not in _RESERVED
    return name if plain else json.dumps(name, ensure_ascii=False)


def _slice_text(chosen: Slice) -> str:
    key, value = chosen
    if key == TAG and PLAIN_NAME.fullmatch(value):
        return f"[{value}]"
    return f"[{quoted(key)}={_value_text(value)}]"


def _value_text(value: str) -> str:
    return value if re.fullmatch(r"[\w/-][\w./+-]*", value) else json.dumps(value, ensure_ascii=False)


def _plain(number: Decimal) -> str:
    return format(number, "f")


def _with_unit(number: Decimal, unit: str) -> str:
    if unit == "$":
        return f"-${_plain(-number)}" if number < 0 else f"${_plain(number)}"
    return f"{_plain(number)} {unit}" if unit == "tokens" else f"{_plain(number)}{unit}"


def _claim_text(baseline: Baseline) -> str:
    run = f"baseline {quoted(baseline.run)}" if baseline.run else "baseline"
    margin = ""
    if baseline.margin is not None:
        margin = f" by {_plain(baseline.margin)}{'%' if baseline.relative else ''}"
    if baseline.claim == "no regression":
        return f"no regression vs {run}{margin}"
    return f"{baseline.claim} than {run}{margin}"
