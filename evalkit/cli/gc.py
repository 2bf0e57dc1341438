"""`evalkit gc`: take old runs out of the store, never one that something rests on."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from evalkit.canonical import utc_now
from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.errors import GateError, NotFound
from evalkit.figures import count
from evalkit.store import Store

if TYPE_CHECKING:
    from evalkit.store.pruning import Pruned
    from evalkit.store.retention import Plan

GC = "evalkit.gc/1"
_UNITS = {"h": 1, "d": 24, "w": 7 * 24}


def _age(_: click.Context, __: click.Parameter, value: str | None) -> dt.timedelta | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,6})([hdw])", value.strip().lower())
    if found is None:
        raise click.BadParameter(f"{value!r} is no length of time: 90d, 12w or 36h.")
    return dt.timedelta(hours=int(found[1]) * _UNITS[found[2]])


@click.command(name="gc", cls=CommonCommand)
@click.option("--keep", callback=_age, metavar="AGE", help="Keep runs younger than this: 90d, 12w, 36h.")
@click.option("--keep-last", type=click.IntRange(min=0), metavar="N", help="Keep the last N runs of each suite.")
@click.option("--keep-run", "keep_runs", multiple=True, metavar="RUN", help="Keep this run too; may be given again.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and why, and change nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before.")
@json_option
@pass_invocation
def command(
    invocation: Invocation,
    keep: dt.timedelta | None,
    keep_last: int | None,
    keep_runs: Sequence[str],
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Take runs out of the store that neither --keep nor --keep-last keeps, and what nothing uses any more.

    A run stays that a promotion, a label, a calibration, a baseline or a gate rests on, or that is going on, or that is
    the last complete one of a suite.
    """
    from evalkit.identity import acting
    from evalkit.store.address import parse
    from evalkit.store.opening import open_database
    from evalkit.store.pruning import prune
    from evalkit.store.retention import Rule, last_gates, plan

    rule = Rule(age=keep, last=keep_last)
    database = open_database(parse(invocation.settings().store), create=False, read_only=dry_run)
    store = Store(database)
    try:
        named = _named(store, invocation.settings().baseline, keep_runs, last_gates(database))
        planned = plan(database, rule, now=utc_now(), named=named)
        if not as_json:
            _tell(invocation, planned)
        if dry_run or not (yes or as_json or _agreed(planned)):
            if as_json:
                emit_json(_plain(planned, None, 0))
            elif dry_run:
                click.echo("Nothing was changed.")
            return 0
        done = prune(database, planned, actor=acting(store))
        freed = database.compact() if done.swept else 0
    finally:
        database.close()
    if as_json:
        emit_json(_plain(planned, done, freed))
    else:
        _report(done, freed)
    return 0


def _named(store: Store, baseline: str | None, keep_runs: Sequence[str], gates: Sequence[str]) -> dict[str, str]:
    """The runs that the command line, the settings and the gates of the newest runs name."""
    from evalkit.baselines import ALIAS
    from evalkit.gates import parse

    found: dict[str, str] = {}
    for text in gates:
        with contextlib.suppress(GateError, NotFound):  # of an earlier evalkit, or with a run that is not there
            reference = parse(text).baseline
            if reference is not None and reference.run and not reference.run.startswith(ALIAS):
                found[store.resolve(reference.run)] = f'the gate "{text}" compares with it'
    if baseline is not None and not baseline.startswith(ALIAS):  # what an alias stands for, a promotion rests on
        with contextlib.suppress(NotFound):
            found[store.resolve(baseline)] = "the settings name it as the baseline"
    for name in keep_runs:
        found[store.resolve(name)] = "it was named with --keep-run"
    return found


def _agreed(plan: Plan) -> bool:
    return not plan.doomed or click.confirm(f"Delete {count(len(plan.doomed), 'run')}?", default=False)


def _tell(invocation: Invocation, plan: Plan) -> None:
    paint = invocation.paint()
    for doomed in plan.doomed:
        click.echo(
            f"{paint('delete', '31')}  {doomed.run_id[:13]}  {doomed.started_at:%Y-%m-%d %H:%M}  "
            f"{', '.join(doomed.suites) or '–'}: {count(doomed.trials, 'trial')}, {_size(doomed.size)}; {doomed.why}"
        )
    for spared in plan.spared:
        click.echo(f"{paint('keep', '32')}    {spared.run_id[:13]}  {spared.started_at:%Y-%m-%d %H:%M}  {spared.why}")
    gone = plan.doomed
    click.echo(
        f"{len(gone)} of {count(plan.runs, 'run')} to delete: {count(sum(d.trials for d in gone), 'trial')}, "
        f"{count(sum(d.scores for d in gone), 'score')}, {count(sum(d.spans for d in gone), 'span')}, "
        f"about {_size(sum(d.size for d in gone))}, and the large values that no other run has."
    )


def _report(done: Pruned, freed: int) -> None:
    for run_id, why in done.left:
        click.echo(f"kept after all: {run_id[:13]}, {why}")
    click.echo(
        f"Deleted {count(done.runs, 'run')}: {count(done.trials, 'trial')}, {count(done.scores, 'score')}, "
        f"{count(done.spans, 'span')}."
    )
    if done.swept:
        click.echo(
            f"Swept {count(done.blobs, 'large value')} ({_size(done.stored)}), {count(done.datasets, 'dataset')}, "
            f"{count(done.exchanges, 'recorded answer')}."
        )
    else:
        click.echo("A run is going on: what nothing refers to any more is swept the next time.")
    if freed:
        click.echo(f"The file is {_size(freed)} smaller.")


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def _plain(plan: Plan, done: Pruned | None, freed: int) -> dict[str, Any]:
    from evalkit.store.plain import to_plain

    return {
        "schema": GC,
        "runs": plan.runs,
        "delete": [to_plain(doomed) for doomed in plan.doomed],
        "keep": [to_plain(spared) for spared in plan.spared],
        "done": None if done is None else {**dataclasses.asdict(done), "freed": freed},
    }
