"""docs/benchmarks.md, made from the result file: targets first, then one section for each task, then what is fair."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.environments import ENVIRONMENTS, ROOT
from benchmarks.markdown import table
from benchmarks.pages import table as pages
from benchmarks.plan import FULL
from benchmarks.results import Results
from benchmarks.scale import page as scale
from benchmarks.targets import WHY_MISSED, Target
from benchmarks.tasks import guest, importing, memory, reporting, trivial, waiting

FILE = ROOT / "docs" / "benchmarks.md"
TASKS = {
    trivial.TASK: trivial,
    waiting.TASK: waiting,
    importing.TASK: importing,
    guest.TASK: guest,
    memory.TASK: memory,
    reporting.TASK: reporting,
}

FAIRNESS = """\
## What is compared, and what is not

- Every tool runs in an environment of its own, with nothing but itself and what it needs, at the versions above.
- Each run starts in a new folder, which is a git repository with one commit, because a run's provenance asks git.
  A small run of each tool comes first and is not counted, so that byte code is compiled and files are in the cache.
- The tools do not do the same work. Plain pytest and pydantic-evals store nothing. pytest-evals writes one JSON file when
  everything is over. inspect-ai logs every event of every sample. MLflow writes a trace for each case, which is what
  its users want from it. evalkit writes every case, output, score and timing while the run goes. The tables say it
  beside the figures.
- inspect-ai is made for agents that talk to models for minutes; its cost for a trivial sample matters little there.
- MLflow starts ten calls a second unless told otherwise, to be kind to model providers, and quickens when nothing
  objects. "Limiter off" sets `MLFLOW_GENAI_EVAL_PREDICT_RATE_LIMIT=0`. It runs ten workers unless told otherwise.
  Its telemetry is switched off, so that no network is in the figures. With its limiter on it is measured only by
  `python -m benchmarks --limiter`, as that takes many minutes more; so are the tools that wait case by case.
- A plain pytest function and pytest-evals run one case after another. pytest-xdist would spread them over processes; with
  cases that wait, that takes one process for each case at once, and it is not measured here.
- CPU counts the threads and child processes that were waited for. Peak memory is that of the largest single process.
- Nothing here says anything about the quality of a tool, only about what it costs to run.
"""


def targets(results: Results) -> list[Target]:
    """Every target, in the order of the tasks."""
    return [target for task in TASKS.values() for target in task.judge(results.readings, results.plan)]


def summary(judged: Sequence[Target]) -> str:
    """The table of targets, with a reason under it for each one that is missed."""
    rows = [
        (
            target.name,
            target.promise,
            "–" if target.obtained is None else f"{target.obtained:.2f} {target.unit}",
            target.verdict,
            target.detail or "–",
        )
        for target in judged
    ]
    text = table(("target", "promised", "measured", "", "detail"), rows)
    missed = [target for target in judged if target.met is False]
    for target in missed:
        text += f"\n**{target.name}**: {WHY_MISSED.get(target.name, 'no reason has been found yet.')}\n"
    return text


def render(results: Results) -> str:
    command = "python -m benchmarks" + ("" if results.plan.name == FULL.name else f" --{results.plan.name}")
    large = scale.kept()
    side_by_side = pages.kept()
    parts = [
        "# Benchmarks\n",
        _opening(command),
        "## Targets\n",
        summary(targets(results)),
        *(task.section(results.readings, results.plan) for task in TASKS.values()),
        *([] if large is None else [scale.section(large)]),
        *([] if side_by_side is None else [pages.section(side_by_side)]),
        FAIRNESS,
        "## Machine and versions\n",
        _machine(results),
        _versions(results),
    ]
    return "\n".join(parts)


def _opening(command: str) -> str:
    return (
        f"Made by `{command}` from `benchmarks/results.json`; do not edit. `python -m benchmarks --quick` takes a few "
        "minutes and shows the same on a smaller scale. Figures are medians of several runs that took turns on one "
        "machine; ratios of runs of the same round are steadier than seconds.\n"
    )


def _machine(results: Results) -> str:
    loads = [reading.load for reading in results.readings]
    rows = [(key, value) for key, value in results.machine.items()]
    rows.append(("measured", f"{results.begun} to {results.ended}"))
    rows.append(("evalkit's commit", results.commit))
    if loads:
        rows.append(("load average before the runs", f"{min(loads):.1f} to {max(loads):.1f}"))
    return table(("", ""), rows)


def _versions(results: Results) -> str:
    rows = []
    for name, packages in results.packages.items():
        shown = ", ".join(
            f"{package} {packages[package]}" for package in ENVIRONMENTS[name].shown if package in packages
        )
        rows.append((name, shown, str(len(packages))))
    return (
        table(("environment", "versions", "packages in it"), rows)
        + "\nThe complete lists are in the result file. `python -m benchmarks.environments` makes the environments.\n"
    )
