"""What a project that writes no evals pays for having the plugin installed."""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks import subjects as who
from benchmarks.markdown import seconds, table
from benchmarks.plan import Plan
from benchmarks.readings import Reading, median, of, paired
from benchmarks.rounds import Say, alternate
from benchmarks.targets import Target

TASK = "guest"


def _session(name: str, environment: str, *off: str) -> who.Subject:
    options = tuple(part for plugin in off for part in ("-p", f"no:{plugin}"))
    return replace(
        who.PLAIN,
        name=name,
        environment=environment,
        workload="one_test.py",
        command=("-m", "pytest", "-q", *options),
    )


PAIRS = {
    "evalkit": (_session("evalkit on", "evalkit"), _session("evalkit off", "evalkit", "evalkit")),
    "pytest-evals": (
        _session("pytest-evals on", "pytest-evals"),
        _session("pytest-evals off", "pytest-evals", "evals", "harvest"),
    ),
}


def run(plan: Plan, say: Say) -> list[Reading]:
    subjects = [subject for pair in PAIRS.values() for subject in pair]
    return alternate(TASK, subjects, cases=1, rounds=plan.guest_rounds, say=say)


def _difference(readings: Sequence[Reading], tool: str, what: Callable[[Reading], float]) -> list[float]:
    on, off = PAIRS[tool]
    return paired(of(readings, TASK, on.name), of(readings, TASK, off.name), what, operator.sub)


def judge(readings: Sequence[Reading], plan: Plan) -> list[Target]:
    targets = []
    for label, what in _CLOCKS.items():
        more = _difference(readings, "evalkit", what)
        targets.append(
            Target(
                name=f"{label} a session without evals takes more with the plugin than without",
                promise="≤ 30 ms",
                limit=30.0,
                obtained=statistics.median(more) * 1000 if more else None,
                unit="ms",
                detail=_quartiles(more),
            )
        )
    return targets


_CLOCKS: dict[str, Callable[[Reading], float]] = {"wall": lambda r: r.wall, "CPU": lambda r: r.cpu}


def _quartiles(values: Sequence[float]) -> str:
    if len(values) < 4:
        return f"{len(values)} pairs"
    low, _, high = statistics.quantiles(values, n=4)
    return f"{len(values)} pairs, middle half {low * 1000:+.0f} to {high * 1000:+.0f} ms"


def section(readings: Sequence[Reading], plan: Plan) -> str:
    rows = []
    for tool, (on, off) in PAIRS.items():
        for label, what in _CLOCKS.items():
            more = _difference(readings, tool, what)
            if more:
                rows.append(
                    (
                        f"{tool}, {label}",
                        f"{statistics.median(more) * 1000:+.0f} ms",
                        seconds(median(of(readings, TASK, on.name), what)),
                        seconds(median(of(readings, TASK, off.name), what)),
                        _quartiles(more),
                    )
                )
    return (
        "## An ordinary session\n\n"
        "One empty test, no evals, the plugin on and off (`-p no:…`) in turn in the same environment. The figure is the "
        "median of the differences within each pair. MLflow, inspect-ai and pydantic-evals have no pytest plugin that "
        "loads by itself.\n\n" + table(("plugin", "more with it", "on", "off", "spread"), rows)
    )
