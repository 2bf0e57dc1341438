"""The runs that gates compare with, loaded from the store when they are first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalkit.errors import NotFound, did_you_mean
from evalkit.runs import Run

if TYPE_CHECKING:
    from evalkit.gates import Gate, Reference


class NoBaseline(NotFound):
    """A run that was named as a baseline and cannot be one."""


class Baselines:
    """The baseline of the settings (`name`, or `None` for none) and those that gates name themselves.

    All are looked for in the store at `url`; `None` keeps nothing and so has none. They come without payload, and
    each is loaded once.
    """

    def __init__(self, *, url: str | None, name: str | None = None) -> None:
        self._url = url
        self._name = name
        self._runs: dict[str, Run] = {}

    @property
    def default(self) -> Run | None:
        """The run that the settings name; `None` where they name none. Raises as `run` does."""
        return None if self._name is None else self.run(self._name)

    def run(self, name: str) -> Run:
        """The run that `name` stands for.

        Raises `NotFound` where there is none, and `NoBaseline` for one that did not finish or is partial.
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

        with open_store(self._url, create=False) as store:
            return store.load(store.resolve(name), payload=False)

    def references(
        self, suite: str, gates: Sequence[Gate], *, where: str | None = None
    ) -> tuple[Reference | None, dict[str, Reference]]:
        """What the gates of a suite compare with: the suite in the default run, and in those that they name.

        The first is `None` without a default run, or where that has no such suite and no gate asks for it. Raises
        `NoBaseline` where a gate asks for a suite that its baseline does not have.
        """
        asked = {gate.baseline.run for gate in gates if gate.baseline is not None}
        default = self.default
        found = None if default is None else _suite_of(default, suite, needed="" in asked, where=where)
        named = {name: _suite_of(self.run(name), suite, needed=True, where=where) for name in sorted(asked - {""})}
        return found, {name: reference for name, reference in named.items() if reference is not None}


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
