"""`evalkit label`: outputs of a run labelled by a person, one key each."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evalkit.cli.options import CommonCommand, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import LABEL
from evalkit.errors import EvalkitError, NotFound
from evalkit.figures import count
from evalkit.plaintext import clean, wrapped

if TYPE_CHECKING:
    from evalkit.annotation import Annotation
    from evalkit.labelling import Asked
    from evalkit.plaintext import Paint
    from evalkit.runs import Run
    from evalkit.store import Store

_LONGEST = 4000


@click.command(name="label", cls=CommonCommand)
@click.argument("run", metavar="RUN")
@click.option("--name", metavar="METRIC", help="What is labelled: the metric of the judge to be held against it.")
@click.option("--labels", metavar="A,B,…", help="What may be said; left out, what the metric has had.")
@click.option("--suite", metavar="SUITE", help="Outputs of this suite only.")
@click.option("--annotator", metavar="NAME", help="Who labels; left out, who is logged in.")
@click.option("--sample", type=click.IntRange(1), default=50, show_default=True, help="How many, drawn at random.")
@click.option("--all", "everything", is_flag=True, help="All of them, instead of a sample.")
@click.option("--seed", type=int, default=0, show_default=True, help="What draws the sample.")
@click.option(
    "--import", "file", type=click.Path(path_type=Path), metavar="FILE", help="Take labels from CSV or JSONL."
)
@json_option
@pass_invocation
def command(
    invocation: Invocation,
    run: str,
    name: str | None,
    labels: str | None,
    suite: str | None,
    annotator: str | None,
    sample: int,
    everything: bool,
    seed: int,
    file: Path | None,
    as_json: bool,
) -> int:
    """Label outputs of a stored run, to find out how far a judge can be trusted.

    You see what was asked and what was answered, not what any scorer or other person said of it. Each key is kept at
    once: stop with q and go on later, and the same outputs are asked about. Several people may label the same run.
    A random sample stands for the whole run; cases that you picked yourself (--import) do not.
    """
    from evalkit.labelling import labels_of, left, read_labels, to_ask

    who = annotator or _login()
    with invocation.open_store() as store:
        found = store.load(store.resolve(run), traces=False)
        metric = name or _only_judge(found)
        allowed = _texts(labels) if labels is not None else []
        if file is not None:
            made = read_labels(file, found, name=metric, allowed=allowed, annotator=annotator, suite=suite)
            store.annotate(made)
        else:
            allowed = allowed or labels_of(found, metric, suite=suite)
            if len(allowed) < 2:
                raise EvalkitError(
                    f"It is not known what may be said of {metric}.", hint="Say it: --labels good,fair,poor"
                )
            asked = to_ask(found, suite=suite, sample=None if everything else sample, seed=seed)
            done = store.annotations(found.id, name=metric)
            waiting = left(asked, done, annotator=who, name=metric)
            made = _ask(invocation, store, found, waiting, len(asked), metric, allowed, who)
        kept = store.annotations(found.id, name=metric)
    people = sorted({one.annotator for one in kept})
    if as_json:
        emit_json({"schema": LABEL, "run": found.id, "name": metric, "added": len(made), "labels": len(kept)})
        return 0
    click.echo(f"{count(len(made), 'label')} added; {metric} has {len(kept):,} by {', '.join(map(clean, people))}.")
    click.echo(f"What they say of the judge: evalkit judges calibrate {metric} --labels {found.id[:13]}")
    return 0


def _ask(
    invocation: Invocation,
    store: Store,
    run: Run,
    waiting: Sequence[Asked],
    total: int,
    name: str,
    labels: Sequence[str],
    who: str,
) -> list[Annotation]:
    from evalkit.labelling import annotation

    if waiting and not sys.stdin.isatty():
        raise EvalkitError(
            "Labels are asked for key by key, and there is no terminal to ask in.",
            hint="Take them from a file instead: --import labels.csv",
        )
    made: list[Annotation] = []
    paint, at, note = invocation.paint(), 0, None
    while at < len(waiting):
        one = waiting[at]
        click.echo(_page(one, total - len(waiting) + at + 1, total, invocation.width, paint))
        said = _key(labels, paint)
        if said == "quit":
            break
        if said == "back":
            at = max(at - 1, 0)
            continue
        if said == "note":
            note = click.prompt("note", default="", show_default=False) or None
            continue
        if said != "skip":
            made.append(annotation(one, run_id=run.id, name=name, label=said, annotator=who, note=note))
            store.annotate(made[-1:])
        at, note = at + 1, None
    return made


def _page(one: Asked, number: int, total: int, width: int, paint: Paint) -> str:
    case = one.case
    parts = [("asked", case.input), ("expected", case.expected), ("answered", one.trial.output.value)]
    lines = ["", paint(f"── {number} of {total} ── {clean(case.id)}", "1")]
    for title, value in parts:
        if value is not None:
            lines += [paint(title, "36"), *_lines(value, width)]
    return "\n".join(lines)


def _lines(value: Any, width: int) -> list[str]:
    from evalkit_scorers.judges.parts import written

    text = written(value)
    cut = text[:_LONGEST]
    lines = [f"  {line}" for part in cut.splitlines() or [""] for line in wrapped(clean(part), width - 2)]
    return lines if cut == text else [*lines, f"  … {len(text) - _LONGEST:,} characters more"]


def _key(labels: Sequence[str], paint: Paint) -> str:
    keys = {str(place): label for place, label in enumerate(labels, start=1)}
    others = {"s": "skip", "b": "back", "n": "note", "q": "quit"}
    shown = "  ".join(f"{paint(key, '1')} {clean(label)}" for key, label in [*keys.items(), *others.items()])
    click.echo(f"\n{shown}")
    while True:
        pressed = click.getchar()
        if pressed in ("\x03", "\x04", ""):  # Ctrl-C, Ctrl-D, and the end of what was typed beforehand
            return "quit"
        if pressed in keys:
            return keys[pressed]
        if pressed in others:
            return others[pressed]
        click.echo(f"There is no key {clean(repr(pressed))}; press one of {', '.join([*keys, *others])}.")


def _only_judge(run: Run) -> str:
    judges = sorted({one.name for suite in run.suites for one in suite.info.scorers if one.is_judge})
    if len(judges) == 1:
        return judges[0]
    scorers = sorted({one.name for suite in run.suites for one in suite.info.scorers})
    raise NotFound(
        "The run has no judge." if not judges else f"The run has {count(len(judges), 'judge')}.",
        hint="Say what to label: --name " + " or --name ".join(judges or scorers or ["quality"]),
    )


def _texts(given: str) -> list[str]:
    found = [text.strip() for text in given.split(",") if text.strip()]
    if len(found) < 2 or len(set(found)) < len(found) or len(found) > 9:
        raise EvalkitError(
            f'--labels takes two to nine different labels, not "{given}".', hint="Such as good,fair,poor."
        )
    return found


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise EvalkitError("It is not known who labels.", hint="Say it: --annotator NAME") from None
