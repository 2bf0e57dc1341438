"""`evalkit report`: a run as one HTML file, as a Markdown summary, or as metrics."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from evalkit.cli.options import CommonCommand, Invocation, pass_invocation
from evalkit.errors import EvalkitError
from evalkit.wholefile import write_whole

DEFAULT = Path("report.html")


@click.command(name="report", cls=CommonCommand)
@click.argument("run", metavar="RUN")
@click.argument("base", metavar="[BASE]", required=False)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where it is written: report.html unless given, for HTML; else standard output.",
)
@click.option("--baseline", metavar="RUN", help="The run that the page of RUN is held against.")
@click.option("--markdown", "as_markdown", is_flag=True, help="A Markdown summary instead, for a pull request.")
@click.option("--metrics", "as_metrics", is_flag=True, help="OpenMetrics text instead, for GitLab.")
@pass_invocation
def command(
    invocation: Invocation,
    run: str,
    base: str | None,
    output: Path | None,
    baseline: str | None,
    as_markdown: bool,
    as_metrics: bool,
) -> None:
    """Write a run as one self-contained HTML file, which opens without a network.

    RUN is a run's id, the beginning of one, last, or SUITE@last. --baseline shows what became of each case since
    another run. With BASE it is a page that compares the two, case by
    case, or a Markdown summary that does; evalkit compare BASE A B C --html compares several.
    """
    if as_markdown and as_metrics:
        raise click.UsageError("--markdown and --metrics are two forms: give one.")
    if base is not None and as_metrics:
        raise click.UsageError("BASE is for a page or for --markdown; --metrics are those of one run.")
    if baseline is not None and (as_markdown or as_metrics or base is not None):
        raise click.UsageError("--baseline is for the page of one run; give BASE to compare two.")
    if as_markdown:
        _emit(_markdown(invocation, run, base), output)
    elif as_metrics:
        from evalkit_reports import render_openmetrics

        _emit(render_openmetrics(invocation.load(run, payload=False)), output)
    elif base is not None:
        _versus(invocation, run, base, output or DEFAULT)
    else:
        _html(invocation, run, output or DEFAULT, baseline)


def _markdown(invocation: Invocation, run: str, base: str | None) -> str:
    from evalkit.trust import informed
    from evalkit_reports import render_markdown

    with invocation.open_store() as store:
        found = store.load(store.resolve(run), payload=False, traces=False)
        found = informed(found, store.annotations(found.id), store.calibrations())
        before = None if base is None else store.load(store.resolve(base), payload=False, traces=False)
        earlier = store.earlier_runs(found.id)
    return render_markdown(found, baseline=before, earlier=earlier)


def _html(invocation: Invocation, run: str, output: Path, baseline: str | None) -> None:
    from evalkit.pages import write_stored
    from evalkit_reports.sidefiles import folder_of

    with invocation.open_store() as store, _kindly(output):
        written = write_stored(store, run, output, baseline=baseline)
    beside = folder_of(written)
    files = sorted(beside.glob("cases-*.js")) if beside.is_dir() else []
    size = sum(path.stat().st_size for path in [written, *files]) / 1_000_000
    more = f", with the {len(files):,} files in {beside}" if files else ""
    click.echo(f"{written} ({size:.1f} MB{more})")


def _versus(invocation: Invocation, run: str, base: str, output: Path) -> None:
    from evalkit_reports.versus import write_versus

    with invocation.open_store() as store:
        first, second = (store.load(store.resolve(name), traces=False) for name in (base, run))
    written = write_versus(first, [second], output)
    click.echo(f"{written} ({written.stat().st_size / 1_000_000:.1f} MB)")


def _emit(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    with _kindly(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, text.encode())


@contextlib.contextmanager
def _kindly(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, EvalkitError):
            raise
        raise EvalkitError(f"The report cannot be written: {error.strerror or error}.", where=str(output)) from error
