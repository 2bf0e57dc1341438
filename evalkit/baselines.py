"""The runs that gates compare with, loaded from the store when they are first asked for."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalkit.errors import NotFound, did_you_mean
from evalkit.runs import Run

if TYPE_CHECKING:
    from evalkit.gates import Gate, Reference
    from evalkit.inforce import InForce
    from evalkit.store import Store

ALIAS = "alias:"
"""What stands before an alias in the place of a run: `alias:production` is what is in force under it."""


class NoBaseline(NotFound):
    """A run that was named as a baseline and cannot be one."""


class NothingApplied(NoBaseline):
    """An alias that was named as a baseline, and under which no promotion is applied yet."""


class Baselines:
    """The baseline of the settings (`name`, or `None` for none) and those that gates name themselves.

    All are looked for in the store at `url`; `None` keeps nothing and so has none. They come without payload, and
    each is loaded once. `before` is when the run began that is compared, where it may be in the store already: `last`
    is then the last one before it.
    """

    def __init__(self, *, url: str | None, name: str | None = None, before: dt.datetime | None = None) -> None:
        self.before = before
        self._url = url
        self._name = name
        self._runs: dict[str, Run] = {}
        self._in_force: dict[str, InForce] = {}
        self._nothing = ""

    @property
    def default(self) -> Run | None:
        """The run that the settings name; `None` where they name none, or an alias under which nothing is applied yet.

        Raises as `run` does.
        """
        if self._name is None or self._nothing:
            return None
        try:
            return self.run(self._name)
        except NothingApplied as error:
            self._nothing = f"Nothing to compare with: {error.what[0].lower()}{error.what[1:]}"
            return None

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence where the settings name an alias under which nothing is applied yet."""
        return (self._nothing,) if self._nothing else ()

    def run(self, name: str) -> Run:
        """The run that `name` stands for.

        That of an alias has every suite as it ran for what is in force under it; see `inforce`. Raises `NotFound` where
        there is none, `NothingApplied` for an alias that nothing is applied under yet, and `NoBaseline` for a run that
        did not finish or is partial.
        """
        if name not in self._runs:
            self._runs[name] = usable(self._load(name))
        return self._runs[name]

    def _load(self, name: str) -> Run:
        if self._url is None:
            raise NoBaseline(
                f'There is no store to find the baseline "{name}" in.', hint="Give one: store=… or --evalkit-store."
            )
        from evalkit.store import open_store

        try:
            opened = open_store(self._url, create=False)
        except NotFound as error:
            if name.startswith(ALIAS):  # nobody has run anything yet
                raise _nothing_applied(name.removeprefix(ALIAS)) from error
            raise
        with opened as store:
            if not name.startswith(ALIAS):
                try:
                    return store.load(store.resolve(name, before=self.before), payload=False)
                except NotFound:
                    if not store.promotions(alias=name):
                        raise
            return self._of_alias(store, name)

    def _of_alias(self, store: Store, name: str) -> Run:
        from evalkit.inforce import in_force

        alias = name.removeprefix(ALIAS)
        found = in_force(store, alias)
        if found is None:
            known = sorted({one.alias for one in store.promotions()} - {alias})
            near = did_you_mean(alias, known)
            raise _nothing_applied(alias, near)
        for run in found.runs.values():
            usable(run)
        self._in_force[name] = found
        return found.run

    def references(
        self, suite: str, gates: Sequence[Gate], *, where: str | None = None
    ) -> tuple[Reference | None, dict[str, Reference]]:
        """What the gates of a suite compare with: the suite in the default run, and in those that they name.

        The first is `None` without a default run, or where that has no such suite and no gate asks for it. Raises
        `NoBaseline` where a gate asks for a suite that its baseline does not have.
        """
        asked = {gate.baseline.run for gate in gates if gate.baseline is not None}
        found = None
        if self._name is not None and self.default is not None:
            found = self._suite_of(self._name, suite, needed="" in asked, where=where)
        elif self._nothing and "" in asked:
            raise NoBaseline(
                self._nothing,
                where=where,
                hint="A gate of this suite compares with a baseline: promote a first version without that gate.",
            )
        named = {name: self._suite_of(name, suite, needed=True, where=where) for name in sorted(asked - {""})}
        return found, {name: reference for name, reference in named.items() if reference is not None}

    def _suite_of(self, name: str, suite: str, *, needed: bool, where: str | None) -> Reference | None:
        found = _suite_of(self.run(name), suite, needed=needed, where=where)
        if found is None or name not in self._in_force:
            return found
        return dataclasses.replace(found, run=self._in_force[name].runs[suite].id)


def _nothing_applied(alias: str, near: str = "") -> NoBaseline:
    return (NoBaseline if near else NothingApplied)(
        f"No promotion is applied under the alias {alias} yet.{near}",
        hint="Promote a version first, or name a run: evalkit promotions, evalkit runs",
    )


def usable(run: Run) -> Run:
    """The run, when it can be a baseline. Raises `NoBaseline` for one that did not finish, or is partial."""
    if not run.is_partial:
        return run
    why = {
        "running": "it has not finished",
        "interrupted": "it was interrupted",
        "failed": "it broke off",
    }.get(run.status, "")
    if not why:
        partial = next(suite.info for suite in run.suites if suite.info.is_partial)
        chosen = f" ({partial.selection})" if partial.selection else ""
        why = f"it is partial: of {partial.name} only {partial.planned:,} of {partial.declared:,} trials were selected"
        why += chosen
    raise NoBaseline(
        f"The run {run.id} cannot be a baseline: {why}.",
        why="The cases that it lacks may be the very ones that differ.",
        hint="Name a complete run; `evalkit runs` lists them.",
    )


def _suite_of(run: Run, name: str, *, needed: bool, where: str | None) -> Reference | None:
    from evalkit.gates import Reference

    for suite in run.suites:
        if suite.info.name == name:
            return Reference(suite=suite, run=run.id)
    if not needed:
        return None
    names = [suite.info.name for suite in run.suites]
    raise NoBaseline(
        f'The baseline {run.id} has no suite "{name}".{did_you_mean(name, names)}',
        where=where,
        hint="It has " + ", ".join(names) + "." if names else "It has no suite at all.",
    )
