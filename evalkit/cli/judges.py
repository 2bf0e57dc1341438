"""`evalkit judges`: which judges there are, and how far each can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evalkit.cli.card import card
from evalkit.cli.options import CommonCommand, HelpfulGroup, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import CALIBRATION, JUDGES, moment
from evalkit.errors import EvalkitError, NotFound
from evalkit.figures import count
from evalkit.plaintext import clean

if TYPE_CHECKING:
    from evalkit.store import Store
    from evalkit.trust import Labelled


@click.group(name="judges", cls=HelpfulGroup)
def command() -> None:
    """Look at judges: who they are, and how far people's labels say they can be trusted."""


@command.command(name="list", cls=CommonCommand)
@json_option
@pass_invocation
def list_command(invocation: Invocation, as_json: bool) -> int:
    """List the judges that runs have used, the newest run first, with where each stands."""
    from evalkit.trust import judges_of, standing

    rows = []
    with invocation.open_store() as store:
        known = store.calibrations()
        seen: set[tuple[str, str]] = set()
        for summary in store.runs(limit=50):
            for name, scorer in judges_of(store.load(summary.id, payload=False)).items():
                if (name, scorer.version) not in seen:
                    seen.add((name, scorer.version))
                    trust = standing(name, scorer.version, known)
                    last = next(
                        (one for one in known if (one.judge, one.scorer_version) == (name, scorer.version)), None
                    )
                    rows.append((name, scorer, summary.id, trust, last))
    if as_json:
        emit_json(
            {
                "schema": JUDGES,
                "judges": [
                    {
                        "name": name,
                        "version": scorer.version,
                        "model": scorer.config.get("model"),
                        "run": run,
                        "trust": trust,
                        "calibrated_at": None if last is None else moment(last.made_at),
                        "labels": None if last is None else last.n,
                    }
                    for name, scorer, run, trust, last in rows
                ],
            }
        )
        return 0
    if not rows:
        click.echo("No run has used a judge yet. See: evalkit_scorers.correctness and its like.")
        return 0
    width = max(len(name) for name, *_ in rows)
    for name, scorer, run, trust, last in rows:
        labels = "" if last is None else f", by {count(last.n, 'label')}"
        model = clean(str(scorer.config.get("model", "")))
        click.echo(f"{clean(name):<{width}}  {scorer.version[:8]}  {model}  {trust}{labels}  (run {run[:13]})")
    return 0


@command.command(name="calibrate", cls=CommonCommand)
@click.argument("judge", metavar="JUDGE")
@click.option(
    "--labels",
    "source",
    required=True,
    metavar="FILE|RUN",
    help="A run whose outputs were labelled, or a file of verdicts beside labels.",
)
@click.option("--order", metavar="A,B,…", help="Ordered labels, worst first: adds the weighted κ.")
@click.option(
    "--annotators",
    type=click.Choice(["expert", "skilled", "crowd"]),
    default="skilled",
    show_default=True,
    help="Who labelled, for the alternative annotator test.",
)
@click.option("--html", "page", type=click.Path(path_type=Path), metavar="PATH", help="Write the card as a page, too.")
@json_option
@pass_invocation
def calibrate_command(
    invocation: Invocation,
    judge: str,
    source: str,
    order: str | None,
    annotators: str,
    page: Path | None,
    as_json: bool,
) -> int:
    """Hold a judge against people's labels, and keep what comes out.

    The labels are those that `evalkit label RUN` or `evalkit label RUN --import FILE` kept, or a CSV or JSON Lines file
    with the columns `judge` and `human` (or `human_1`, `human_2`, …). Leaves with 0 when the judge may be used in gates
    with evidence, 1 when it may not.
    """
    from evalkit.stats import alternative
    from evalkit.trust import calibrated, kept, labelled_file, shape

    epsilon = {"expert": alternative.EXPERT, "skilled": alternative.SKILLED, "crowd": alternative.CROWD}[annotators]
    file = Path(source)
    if file.suffix in (".csv", ".jsonl") or file.is_file():
        labelled = labelled_file(file, judge)
        store_here = None
    else:
        labelled = _of_run(invocation, judge, source)
        store_here = invocation
    ordered = None if order is None else [label.strip() for label in order.split(",") if label.strip()]
    try:
        found = calibrated(labelled, order=ordered, epsilon=epsilon)
    except ValueError as error:
        raise EvalkitError(f"The judge {judge} cannot be calibrated: {error}.", where=labelled.source) from None
    if store_here is not None:
        with store_here.open_store() as store:
            store.add_calibration(kept(labelled, found))
    if page is not None:
        from evalkit_reports.card import write_card

        write_card(labelled, found, page)
    code = 0 if found.trust != "uncalibrated" else 1
    if as_json:
        emit_json({"schema": CALIBRATION, "exit_code": code, **shape(labelled, found)})
        return code
    click.echo(card(labelled, found, width=invocation.width, paint=invocation.paint()), nl=False)
    if page is not None:
        click.echo(f"The card is in {page}.")
    return code


def _of_run(invocation: Invocation, judge: str, name: str) -> Labelled:
    from evalkit.trust import labelled_run

    with invocation.open_store() as store:
        run = store.load(_resolved(store, name), payload=False)
        return labelled_run(run, store.annotations(run.id), judge)


def _resolved(store: Store, name: str) -> Any:
    try:
        return store.resolve(name)
    except NotFound as error:
        raise NotFound(f"{name} is neither a file nor a run. {error.what}", hint=error.hint) from None
