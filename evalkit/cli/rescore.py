"""`evalkit rescore`: stored outputs scored again, without calling the model under test."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import RESCORE, metric_shape, verdict_shape
from evalkit.errors import ScorerError, did_you_mean
from evalkit.figures import count

if TYPE_CHECKING:
    from evalkit.rescoring import Noise
    from evalkit.runs import Run
    from evalkit.score import Scorer


@click.command(name="rescore", cls=CommonCommand)
@click.argument("run", metavar="RUN")
@click.option(
    "--scorer",
    "names",
    metavar="MODULE:NAME",
    multiple=True,
    required=True,
    help="A scorer, a function that makes one without arguments, or a list of them; repeatable.",
)
@click.option("--suite", "suite", metavar="SUITE", help="Score this suite of the run only.")
@click.option("--gate", "gates", metavar="GATE", multiple=True, help="Judge the new run by this; repeatable.")
@json_option
@pass_invocation
def command(
    invocation: Invocation, run: str, names: Sequence[str], suite: str | None, gates: Sequence[str], as_json: bool
) -> int:
    """Score the outputs of a stored run again, and store that as a run of its own.

    The model under test is not called; judges are. Where a scorer of the same name scored the run before, what it
    disagrees with itself is shown beside what the trials of a case differ by.
    """
    from evalkit.gates import exit_code
    from evalkit.rescoring import noise, rescore

    before = invocation.load(run, payload=True)
    scorers = [scorer for name in names for scorer in scorers_at(name)]
    after = rescore(before, scorers, settings=invocation.settings(), suite=suite, gates=gates)
    found = noise(before, after)
    code = exit_code(after.verdicts) if gates else _without_gates(after)
    if as_json:
        emit_json(
            {
                "schema": RESCORE,
                "run": after.id,
                "rescored_from": before.id,
                "exit_code": code,
                "metrics": [metric_shape(metric) for metric in after.metrics],
                "gates": [verdict_shape(verdict) for verdict in after.verdicts],
                "noise": [_noise_shape(one) for one in found],
            }
        )
        return code
    from evalkit.summary import render

    click.echo(render(after, width=invocation.width, color=invocation.paint().on), nl=False)
    for one in found:
        click.echo(_told(one))
    click.echo(f"The run {after.id} has the outputs of {before.id}, scored again.")
    return code


def _without_gates(run: Run) -> int:
    """4 where more than one score in twenty is an error, as for gates; else 0."""
    states = [score.status for suite in run.suites for trial in suite.trials for score in trial.scores]
    return 4 if 20 * states.count("error") > len(states) else 0


def scorers_at(name: str) -> list[Scorer]:
    """The scorers that `module:name` stands for, seen from the current folder.

    Raises `ScorerError` for a module that cannot be imported, a name that is not in it, and for what is no scorer.
    """
    from evalkit.score import as_scorer

    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise ScorerError(f'"{name}" names no scorer.', hint="Write module:name, such as evalkit_scorers:exact_match.")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a module of the user's may raise anything while it is imported
        raise ScorerError(
            f"The module {module_name} cannot be imported: {type(error).__name__}: {error}.",
            hint="Modules are looked for in the current folder and among what is installed.",
        ) from None
    given = getattr(module, attribute, None)
    if given is None:
        raise ScorerError(f'The module {module_name} has no "{attribute}".' + did_you_mean(attribute, dir(module)))
    if getattr(given, "__evalkit_factory__", False):
        given = given()
    several: list[Any] = list(given) if isinstance(given, list | tuple) else [given]
    return [as_scorer(one) for one in several]


def _told(one: Noise) -> str:
    if not one.changed:
        return f"{one.scorer}: the same score on {count(one.outputs, 'output')}."
    share = f"{one.changed:,} of {count(one.outputs, 'output')} got another score"
    judge = f"its own noise is ±{one.judge**0.5:.3f} on one output"
    if one.app is None:
        return f"{one.scorer}: {share}; {judge}."
    return f"{one.scorer}: {share}; {judge}, and the trials of a case differ by ±{one.app**0.5:.3f}."


def _noise_shape(one: Noise) -> dict[str, Any]:
    return {
        "suite": one.suite,
        "scorer": one.scorer,
        "outputs": one.outputs,
        "changed": one.changed,
        "judge_variance": one.judge,
        "trial_variance": one.app,
    }
