"""`evalkit cache`: looking after recorded answers, in the store or in cassettes."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evalkit import grid
from evalkit.canonical import utc_now
from evalkit.cli.options import CommonCommand, HelpfulGroup, Invocation, emit_json, json_option, pass_invocation
from evalkit.cli.shapes import CACHE, moment
from evalkit.errors import ConfigError
from evalkit.figures import count
from evalkit.plaintext import clean

if TYPE_CHECKING:
    from evalkit.exchange import Exchange
    from evalkit.store import StoredExchanges
    from evalkit.transport.folder import Folder

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_cassettes = click.option(
    "--cassettes",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="The cassettes in this folder, whatever the settings say.",
)


@click.group(name="cache", cls=HelpfulGroup)
def command() -> None:
    """Look after recorded answers of models: how many there are, taking some out, writing them to cassettes."""


@command.command(name="stats", cls=CommonCommand)
@_cassettes
@json_option
@pass_invocation
def stats(invocation: Invocation, cassettes: Path | None, as_json: bool) -> None:
    """Say what is recorded, by model and URL."""
    with _recorded(invocation, cassettes) as kept:
        groups = _groups(kept.all())
        place = kept.place
    total = sum(group["exchanges"] for group in groups)
    if as_json:
        emit_json({"schema": CACHE, "place": place, "exchanges": total, "models": groups})
        return
    click.echo(f"{place}: {count(total, 'recorded answer')}")
    if not groups:
        return
    columns = [
        grid.Column(title="model", texts=[clean(group["model"] or "-") for group in groups], least=8),
        grid.Column(title="URL", texts=[clean(group["url"]) for group in groups], least=20),
        grid.Column(title="answers", texts=[f"{group['exchanges']:,}" for group in groups], right=True),
        grid.Column(title="kB", texts=[f"{group['size'] / 1000:,.1f}" for group in groups], right=True),
        grid.Column(title="last", texts=[group["last"][:10] for group in groups]),
    ]
    columns = list(grid.fit([columns], invocation.width))
    click.echo(invocation.paint()(grid.header(columns), "2"))
    for number in range(len(groups)):
        for line in grid.lines(columns, number):
            click.echo(line)


@command.command(name="prune", cls=CommonCommand)
@click.option("--older-than", metavar="AGE", help="Only those recorded longer ago than this, such as 12h, 30d or 8w.")
@click.option("--suite", metavar="SUITE", help="Only those first recorded for this suite.")
@click.option("--model", metavar="MODEL", help="Only those of this model.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@_cassettes
@json_option
@pass_invocation
def prune(
    invocation: Invocation,
    older_than: str | None,
    suite: str | None,
    model: str | None,
    everything: bool,
    cassettes: Path | None,
    as_json: bool,
) -> None:
    """Take recorded answers out; those that fit everything that is asked for."""
    before = None if older_than is None else _before(older_than)
    chosen = before is not None or suite is not None or model is not None
    if chosen == everything:
        raise click.UsageError(
            "Say which: --older-than, --suite, --model, or --all." if not chosen else "--all goes with nothing else."
        )
    with _recorded(invocation, cassettes) as kept:
        removed = kept.prune(before=before, suite=suite, model=model)
        place = kept.place
    if as_json:
        emit_json({"schema": CACHE, "place": place, "removed": removed})
        return
    click.echo(f"{place}: {count(removed, 'recorded answer')} taken out")


@command.command(name="export", cls=CommonCommand)
@click.argument("folder", metavar="[FOLDER]", type=click.Path(path_type=Path), required=False)
@click.option("--suite", metavar="SUITE", help="Only those first recorded for this suite.")
@json_option
@pass_invocation
def export(invocation: Invocation, folder: Path | None, suite: str | None, as_json: bool) -> None:
    """Write the store's recorded answers to cassettes in FOLDER (the setting `cassettes`), beside what is there."""
    from evalkit.transport.folder import Folder

    settings = invocation.settings()
    if folder is None and settings.cassettes is None:
        raise ConfigError(
            "There is no folder to write cassettes to.", hint="Name one: evalkit cache export evals/cassettes"
        )
    target = Folder(folder if folder is not None else settings.root / str(settings.cassettes))
    with invocation.open_store() as store:
        some = [exchange for exchange in store.exchanges.all() if suite in (None, exchange.suite)]
    target.put(some)
    target.flush()
    if as_json:
        emit_json({"schema": CACHE, "place": target.place, "exported": len(some)})
        return
    click.echo(f"{target.place}: {count(len(some), 'recorded answer')} written")


@contextlib.contextmanager
def _recorded(invocation: Invocation, cassettes: Path | None) -> Iterator[StoredExchanges | Folder]:
    """What is asked about: the folder that is named, else the store that is named, else what the settings say."""
    settings = invocation.settings()
    if cassettes is None and settings.cassettes is not None and invocation.store is None:
        cassettes = settings.root / settings.cassettes
    if cassettes is None:
        with invocation.open_store() as store:
            yield store.exchanges
        return
    from evalkit.transport.folder import Folder

    if not cassettes.is_dir():
        raise ConfigError("There is no such folder of cassettes.", where=str(cassettes))
    yield Folder(cassettes)


def _groups(exchanges: Iterable[Exchange]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for exchange in exchanges:
        at = moment(exchange.recorded_at) or ""
        group = groups.setdefault(
            (exchange.model or "", exchange.url),
            {"model": exchange.model, "url": exchange.url, "exchanges": 0, "size": 0, "first": at, "last": at},
        )
        group["exchanges"] += 1
        group["size"] += sum(len(text.encode("utf-8", "surrogatepass")) for text in (exchange.request, exchange.body))
        group["first"], group["last"] = min(group["first"], at), max(group["last"], at)
    return [groups[key] for key in sorted(groups)]


def _before(age: str) -> dt.datetime:
    match = re.fullmatch(r"([0-9]{1,6})([hdw])", age.strip())
    if match is None:
        raise click.BadParameter(f"{age!r} is no age; write 12h, 30d or 8w.", param_hint="--older-than")
    return utc_now() - dt.timedelta(**{_UNITS[match[2]]: int(match[1])})
