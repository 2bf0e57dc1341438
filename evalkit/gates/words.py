"""Numbers and names as people read them."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from evalkit.gates.gate import Gate, is_quantile
from evalkit.stats.repeats import is_reducer
from evalkit.stats.slices import TAG

_UNITS = {"latency": "s", "cost": "$", "input_tokens": "tokens", "output_tokens": "tokens"}
_ASKED = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than"}
_STATISTIC_NAMES = {
    "mean": "mean",
    "rate": "pass rate",
    "min": "smallest",
    "max": "largest",
    "median": "median",
    "sum": "total",
}
_LABEL_NAMES = {"f1": "F1", "mcc": "Matthews' correlation", "kappa": "Cohen's kappa"}
_REDUCER_NAMES = {
    "flake_rate": "the flake rate",
    "majority": "the majority vote",
    "case_min": "the worst trial of each case",
    "case_max": "the best trial of each case",
    "case_median": "the middle trial of each case",
}


def subject(gate: Gate) -> str:
    """What the gate is on, as a phrase: `accuracy`, `total cost`, `p95 of latency for lang=de`."""
    statistic = gate.reduces_by
    if is_quantile(statistic):
        phrase = f"{statistic} of {gate.metric}"
    elif gate.metric == "errors":
        phrase = "the share of trials that ended in an error"
    elif statistic == "rate":
        phrase = f"the pass rate of {gate.metric}"
    elif statistic in _LABEL_NAMES:
        phrase = f"{_LABEL_NAMES[statistic]} of {gate.metric}"
    elif statistic == "mean" and not gate.is_builtin:
        phrase = gate.metric
    elif is_reducer(statistic):
        phrase = f"{_REDUCER_NAMES.get(statistic, statistic)} of {gate.metric}" if gate.metric else statistic
    else:
        phrase = f"the {_STATISTIC_NAMES[statistic]} {gate.metric}"
    if gate.slice is None:
        return phrase
    key, value = gate.slice
    return f"{phrase} for cases tagged {value}" if key == TAG else f"{phrase} for {key}={value}"


def asked(gate: Gate) -> str:
    """What the gate asks for: `at least 0.9`."""
    return f"{_ASKED[gate.operator]} {bound(gate)}"


def bound(gate: Gate) -> str:
    """The bound as it was written, with its unit."""
    written = format(Decimal(0) if gate.threshold is None else gate.threshold, "f")
    unit = gate.unit or ("" if gate.metric == "errors" else _UNITS.get(gate.metric, ""))
    return _with(written, unit)


def amount(gate: Gate, value: Fraction | float, *, rounding: str = ROUND_HALF_EVEN) -> str:
    """A value of the gate's metric in the gate's unit, with as many digits as it takes to differ from the bound.

    `rounding` is one of decimal's, for a limit that must not be claimed to be better than it is.
    """
    unit = gate.unit or ("%" if gate.metric == "errors" else _UNITS.get(gate.metric, ""))
    if isinstance(value, float):
        if math.isinf(value):
            return "any amount" if value > 0 else "nothing at all"
        value = Fraction(repr(value))
    scale = {"%": 100, "ms": 1000}.get(unit, 1)
    scaled, limit = value * scale, gate.bound * scale
    for digits in range(3, 16):
        written = Context(prec=digits, rounding=rounding).create_decimal(repr(float(scaled)))
        if value == gate.bound or Fraction(written) != limit:
            break
    return _with(_plain(written), unit)


def plural(number: int, noun: str) -> str:
    """`1 case`, `40 cases`, `12,000 cases`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def sentence(text: str) -> str:
    """The text with a capital letter in front, unless its first word is a name of the user's."""
    for phrase in ("the ", "total ", "these ", "even "):
        if text.startswith(phrase):
            return text[0].upper() + text[1:]
    return text


def _plain(number: Decimal) -> str:
    if number and not -10 <= number.adjusted() <= 15:
        return f"{number:.3g}"
    written = format(number, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def _with(written: str, unit: str) -> str:
    if unit == "$":
        return f"${written}"
    return f"{written} {unit}" if unit in ("tokens", "s", "ms") else f"{written}{unit}"
