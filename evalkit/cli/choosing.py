"""Options that choose runs, and the filter they make: `--status`, `--branch`, `--since`, `--prompt` and the others."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from evalkit.canonical import utc_now
from evalkit.errors import EvalkitError

if TYPE_CHECKING:
    from evalkit.store import RunFilter, Store
    from evalkit.versions import SubjectKind

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_AGO = re.compile(r"([1-9][0-9]{0,5})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def moment_of(text: str, *, whole_day: bool = False) -> dt.datetime:
    """The time that `text` says: a day, a day with a time of day, or how long ago (`90m`, `12h`, `7d`, `2w`), in UTC.

    With `whole_day` a day by itself is its end, so that a range up to a day has that day in it. Raises `ValueError`.
    """
    text = text.strip()
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            return utc_now() - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = dt.datetime.fromisoformat(text)
        if whole_day and _DAY.fullmatch(text):
            moment += dt.timedelta(days=1)
    except OverflowError as error:
        raise ValueError(text) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _time(*, whole_day: bool) -> Callable[[click.Context, click.Parameter, str | None], dt.datetime | None]:
    def read(ctx: click.Context, param: click.Parameter, value: str | None) -> dt.datetime | None:
        try:
            return None if value is None else moment_of(value, whole_day=whole_day)
        except ValueError:
            raise click.BadParameter(
                f'"{value}" is no time: 2026-11-20, 2026-11-20T09:30, 12h or 7d are.', ctx, param
            ) from None

    return read


def choosing_options(function: Decorated) -> Decorated:
    """Add the options that choose runs."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--status",
        type=click.Choice(["running", "complete", "interrupted", "failed"]),
        help="Only runs that ended so, or that are still running.",
    ),
    click.option(
        "--decision",
        type=click.Choice(["pass", "fail", "inconclusive", "none"]),
        help="Only runs whose gates came to that; none is for runs without gates.",
    ),
    click.option("--branch", metavar="NAME", help="Only runs of that git branch."),
    click.option("--commit", metavar="HASH", help="Only runs of that commit, or the beginning of its hash."),
    click.option(
        "--since",
        metavar="TIME",
        callback=_time(whole_day=False),
        help="Only runs from then on: 2026-11-20, 2026-11-20T09:30, 12h, 7d.",
    ),
    click.option(
        "--until", metavar="TIME", callback=_time(whole_day=True), help="Only runs up to then; a day counts whole."
    ),
    click.option("--prompt", metavar="NAME[=VERSION]", help="Only runs that used that prompt, or that version of it."),
    click.option("--model", metavar="NAME[=VERSION]", help="Only runs that used that model, or that version of it."),
)


def chosen(
    store: Store,
    *,
    suite: str | None = None,
    status: Any = None,
    decision: str | None = None,
    branch: str | None = None,
    commit: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    prompt: str | None = None,
    model: str | None = None,
) -> RunFilter:
    """The filter that the options make. Raises `NotFound` for a prompt, model or version that the store has not."""
    from evalkit.store import RunFilter

    if commit is not None and not re.fullmatch(r"[0-9a-fA-F]{1,64}", commit):
        raise EvalkitError(f'"{commit}" is no commit.', hint="Give its hash, or the beginning of it.")
    used = [_used(store, "prompt", prompt), _used(store, "model", model)]
    return RunFilter(
        suite=suite,
        status=status,
        decision=decision,
        branch=branch,
        commit=commit,
        since=since,
        until=until,
        used=tuple(one for one in used if one is not None),
    )


def _used(store: Store, kind: SubjectKind, text: str | None) -> Any:
    if text is None:
        return None
    from evalkit.store import Used

    name, _, which = text.partition("=")
    if which:
        return Used(kind=kind, name=name, digest=store.version(kind, name, which).version.digest)
    store.version(kind, name, "latest")  # which says what there is, where there is no such name
    return Used(kind=kind, name=name)
