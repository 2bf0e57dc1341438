"""A store in memory, as far as promotions need one: what the rules rest on, without a database."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evalkit.errors import NotFound
from evalkit.promotion import Event, Freeze, PolicyText, Promotion
from evalkit.runs import Run
from evalkit.store import Registered
from evalkit.store.aliases import Alias
from evalkit.versions import Version


@dataclasses.dataclass
class Tables:
    """Everything that a transaction may change."""

    promotions: dict[str, Promotion] = dataclasses.field(default_factory=dict)
    aliases: dict[tuple[str, str, str], tuple[str, int]] = dataclasses.field(default_factory=dict)
    freezes: dict[str, Freeze] = dataclasses.field(default_factory=dict)
    policies: dict[str, PolicyText] = dataclasses.field(default_factory=dict)
    events: list[Event] = dataclasses.field(default_factory=list)
    highest: dt.datetime = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class MemoryLedger:
    """One transaction on the tables."""

    def __init__(self, tables: Tables, clock: Any) -> None:
        self._tables = tables
        self._clock = clock

    def now(self) -> dt.datetime:
        self._tables.highest = max(self._tables.highest, self._clock())
        return self._tables.highest

    def promotion(self, promotion_id: str) -> Promotion | None:
        return self._tables.promotions.get(promotion_id)

    def promotions(self, kind: str, name: str, alias: str) -> Sequence[Promotion]:
        found = [
            one for one in self._tables.promotions.values() if (one.kind, one.name, one.alias) == (kind, name, alias)
        ]
        return sorted(found, key=lambda one: (one.created_at, one.id))

    def save(self, promotion: Promotion) -> None:
        self.keep(promotion.policy)
        self._tables.promotions[promotion.id] = promotion

    def position(self, kind: str, name: str, alias: str) -> tuple[str, int] | None:
        return self._tables.aliases.get((kind, name, alias))

    def move(self, kind: str, name: str, alias: str, digest: str, *, expected_generation: int, by: str) -> int | None:
        before = self._tables.aliases.get((kind, name, alias), (None, 0))[1]
        if before != expected_generation:
            return None
        self._tables.aliases[kind, name, alias] = (digest, before + 1)
        return before + 1

    def freezes(self) -> Sequence[Freeze]:
        return list(self._tables.freezes.values())

    def declare(self, freeze: Freeze) -> None:
        self._tables.freezes[freeze.id] = freeze

    def keep(self, policy: PolicyText) -> None:
        self._tables.policies.setdefault(policy.digest, policy)

    def append(self, event: Event) -> None:
        self._tables.events.append(event)


class MemoryStore:
    """What the commands ask of a store."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.tables = Tables()
        self._versions: list[Version] = []
        self._runs: list[Run] = []
        self._authors: dict[str, str | None] = {}

    @contextlib.contextmanager
    def ledger(self, *, webhooks: Mapping[str, Sequence[str]] | None = None) -> Iterator[MemoryLedger]:
        before = copy.copy(self.tables)
        self.tables = Tables(
            promotions=dict(before.promotions),
            aliases=dict(before.aliases),
            freezes=dict(before.freezes),
            policies=dict(before.policies),
            events=list(before.events),
            highest=before.highest,
        )
        try:
            yield MemoryLedger(self.tables, self.clock)
        except BaseException:
            self.tables = before
            raise

    def now(self) -> dt.datetime:
        return max(self.tables.highest, self.clock())

    def promotion(self, name: str) -> Promotion:
        if name not in self.tables.promotions:
            raise NotFound(f"The store has no promotion {name}.")
        return self.tables.promotions[name]

    def promotions(self, *, kind: Any = None, name: Any = None, alias: Any = None) -> list[Promotion]:
        found = [
            one
            for one in self.tables.promotions.values()
            if kind in (None, one.kind) and name in (None, one.name) and alias in (None, one.alias)
        ]
        return sorted(found, key=lambda one: (one.created_at, one.id))

    def freezes(self) -> list[Freeze]:
        return list(self.tables.freezes.values())

    def alias(self, kind: Any, name: str, alias: str) -> Alias | None:
        found = self.tables.aliases.get((kind, name, alias))
        if found is None:
            return None
        return Alias(
            kind=kind,
            name=name,
            alias=alias,
            digest=found[0],
            generation=found[1],
            updated_at=self.tables.highest,
            updated_by=None,
        )

    def set_alias(self, kind: Any, name: str, alias: str, digest: str, *, expected_generation: int) -> None:
        assert self.tables.aliases.get((kind, name, alias), (None, 0))[1] == expected_generation
        self.tables.aliases[kind, name, alias] = (digest, expected_generation + 1)
        self.tables.highest = self.now()

    def register(self, version: Version, *, author: str | None = None) -> Version:
        self._versions.append(version)
        self._authors[version.digest] = author
        return version

    def version(self, kind: Any, name: str, which: str) -> Registered:
        [found] = [one for one in self._versions if (one.kind, one.name, one.digest) == (kind, name, which)]
        return Registered(
            version=found, created_at=self.tables.highest, commit=None, author=self._authors[found.digest]
        )

    def add_run(self, run: Run) -> None:
        self._runs.append(run)

    def resolve(self, name: str) -> str:
        return name

    def load(self, run_id: str, *, payload: bool = True, traces: bool | None = None) -> Run:
        return next(one for one in self._runs if one.id == run_id)

    def annotations(self, run_id: str) -> list[Any]:
        return []

    def calibrations(self) -> list[Any]:
        return []

    def runs(self, *, suite: str, limit: int) -> list[Any]:
        of_suite = [run for run in self._runs if any(one.info.name == suite for one in run.suites)]
        newest = sorted(of_suite, key=lambda run: run.started_at, reverse=True)[:limit]
        return [_Summary(id=run.id, started_at=run.started_at) for run in newest]


@dataclasses.dataclass
class _Summary:
    id: str
    started_at: dt.datetime
    partial: bool = False
    dirty: bool = False
    branch: str = "main"
