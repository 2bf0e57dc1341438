"""`evalkit gate`: a stored run judged again, without calling anything."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import click

from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import GATE, verdict_shape
from evalkit.errors import GateError, NotFound, did_you_mean

if TYPE_CHECKING:
    from evalkit.baselines import Baselines
    from evalkit.gates import Gate
    from evalkit.runs import Run, SuiteRun, Verdict


@click.command(name="gate", cls=CommonCommand)
@click.argument("run", metavar="RUN")
@click.option(
    "--gate", "texts", metavar="GATE", multiple=True, help="Judge by this instead of the run's own gates; repeatable."
)
@click.option("--suite", "suite_name", metavar="SUITE", help="Judge this suite of the run only.")
@click.option(
    "--baseline",
    "baseline",
    metavar="BASE",
    help="The stored run that gates against a baseline compare with, instead of the one in the settings.",
)
@click.option(
    "--inconclusive",
    type=click.Choice(["fail", "warn"]),
    help="What a gate without a decision does to the exit code: 3, or nothing.",
)
@json_option
@pass_invocation
def command(
    invocation: Invocation,
    run: str,
    texts: Sequence[str],
    suite_name: str | None,
    baseline: str | None,
    inconclusive: str | None,
    as_json: bool,
) -> int:
    """Judge a stored run again, by its own gates or by others; no model is called.

    Leaves with 0 when all gates pass, 1 when one fails, 2 for a mistake in what was asked, 3 when none fails but
    some cannot be decided, 4 when too many trials errored.
    """
    from evalkit.baselines import Baselines
    from evalkit.gates import exit_code
    from evalkit.trust import informed

    with invocation.open_store() as store:
        found = store.load(store.resolve(run), payload=False)
        found = informed(found, store.annotations(found.id), store.calibrations())
    settings = invocation.settings()
    on_inconclusive = inconclusive or settings.inconclusive
    baselines = Baselines(url=settings.store, name=baseline or settings.baseline, before=found.started_at)
    verdicts = judged(found, texts, suite_name, on_inconclusive, baselines)
    found = dataclasses.replace(
        found,
        verdicts=tuple(verdicts),
        suites=tuple(suite for suite in found.suites if suite_name in (None, suite.info.name)),
    )
    code: int = exit_code(verdicts)
    if as_json:
        emit_json(
            {
                "schema": GATE,
                "run": found.id,
                "decision": found.decision,
                "exit_code": code,
                "gates": [verdict_shape(verdict) for verdict in verdicts],
            }
        )
        return code
    from evalkit.summary import render

    click.echo(render(found, baseline=baselines.default, width=invocation.width, color=invocation.paint().on), nl=False)
    return code


def judged(
    run: Run, texts: Sequence[str], suite_name: str | None, on_inconclusive: str, baselines: Baselines
) -> list[Verdict]:
    """The verdicts on a run by the gates `texts`, or by its own where there are none.

    A gate given for several suites is judged on those that have its metric. Raises `NotFound` for a suite that the
    run does not have, `GateError` for a gate that names nothing in any of them or can never pass.
    """
    from evalkit.gates import judge, parse, with_defaults

    suites = _chosen(run, suite_name)
    given = [parse(text, where="--gate") for text in texts]
    by_suite: dict[str, list[Gate]] = {}
    for suite in suites:
        if given:
            by_suite[suite.info.name] = [gate for gate in given if len(suites) == 1 or _has(suite, gate)]
        else:
            by_suite[suite.info.name] = [parse(text, where=suite.info.location) for text in suite.info.gates]
    for gate in given:
        if not any(gate in gates for gates in by_suite.values()):
            _check(suites[0], [gate], baselines)
    if not any(by_suite.values()):
        raise GateError(
            "The run has no gates." if suite_name is None else f"The suite {suite_name} has no gates.",
            hint='Give one: --gate "accuracy >= 0.9".',
        )
    verdicts: list[Verdict] = []
    for suite in suites:
        gates = with_defaults(by_suite[suite.info.name])
        if given:
            _check(suite, gates, baselines)
        baseline, named = baselines.references(suite.info.name, gates)
        asked = {gate.baseline.run for gate in gates if gate.baseline is not None}
        compared = [*named.values(), baseline] if "" in asked else [*named.values()]
        if any(reference is not None and reference.run == run.id for reference in compared):
            raise GateError(
                f"The run {run.id} cannot be its own baseline.",
                why="Compared with itself nothing has ever become worse.",
                hint="Name the run that it is to be held against; `evalkit runs` lists them.",
            )
        policy: Literal["fail", "warn"] = "warn" if on_inconclusive == "warn" else "fail"
        verdicts.extend(judge(gates, suite, baseline=baseline, named=named, on_inconclusive=policy))
    return verdicts


def _chosen(run: Run, name: str | None) -> list[SuiteRun]:
    known = [suite.info.name for suite in run.suites]
    if name is not None and name not in known:
        raise NotFound(
            f'The run has no suite "{name}".{did_you_mean(name, known)}', hint="It has " + ", ".join(known) + "."
        )
    return [suite for suite in run.suites if name in (None, suite.info.name)]


def _names(suite: SuiteRun) -> set[str]:
    return {score.name for trial in suite.trials for score in trial.scores} | {
        scorer.name for scorer in suite.info.scorers
    }


def _has(suite: SuiteRun, gate: Gate) -> bool:
    return gate.is_builtin or gate.metric in _names(suite)


def _check(suite: SuiteRun, gates: Sequence[Gate], baselines: Baselines) -> None:
    from evalkit.gates import check

    baseline, named = baselines.references(suite.info.name, gates)
    check(gates, suite.info, suite.cases, known=_names(suite), possible=(), baseline=baseline, named=named)
