"""Prompts and models for application code: the promoted version, read from the store now and then.

A process asks the store once per name and `refresh` seconds. Where the store is away it goes on with what it has, and
a process that has nothing yet takes the copy that an earlier one left on disk.
"""

from __future__ import annotations

import dataclasses
import logging
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.config import find_root, load_settings
from evalkit.errors import ConfigError, EvalkitError, NotFound, StoreError
from evalkit.registry.copies import Asked, default_folder, keep, kept
from evalkit.registry.project import Project
from evalkit.registry.selection import active, built_prompt, built_spec
from evalkit.versions import SubjectKind, Version

if TYPE_CHECKING:
    from evalkit.models import Model
    from evalkit.prompts import Prompt
    from evalkit.suites import Versioned

REFRESH = 60.0
"""Seconds for which an answer of the store is good."""

_PATIENCE = 5.0
"""Seconds to wait for a store that somebody else writes to; an application has no 30."""

_log = logging.getLogger("evalkit.registry")


def load_prompt(
    name: str,
    *,
    version: str | None = None,
    alias: str | None = None,
    store: str | Path | None = None,
    refresh: float = REFRESH,
    copies: str | Path | None = None,
) -> Prompt:
    """The prompt `name`: the stored `version` (`v2`, or the beginning of a digest), or the one that `alias` points at.

    With neither, it is the project's own file. Inside a trial of an evaluation it is what that session runs with: the
    version named by `--evalkit-prompt`, else the project's file, and only where there is neither what the alias says;
    a `version` always means itself. The trial records which version it used.

    The store is that of the settings in or above the working directory, or `store`. It is asked again after `refresh`
    seconds; a version is asked for once. Where the store is away, the last answer is used, or the copy of one in the
    folder `copies` (by default in the user's cache folder), and a warning is logged once. Raises `NotFound` for a
    name, version or alias that is not there, and `StoreError` where the store is away and nothing is left of it.
    """
    from evalkit.prompts import Prompt

    found = _load("prompt", name, version, alias, store, refresh, copies)
    assert isinstance(found, Prompt), "what was asked for is a prompt"
    return found


def load_model(
    name: str,
    *,
    version: str | None = None,
    alias: str | None = None,
    store: str | Path | None = None,
    refresh: float = REFRESH,
    copies: str | Path | None = None,
) -> Model:
    """The model `name`, found as `load_prompt` finds a prompt; `.to_async()` of it is for async code.

    A stored version has no key, no limits and no price. They are those of the project's own model file of that name,
    where there is one, and else the defaults.
    """
    from evalkit.models import Model
    from evalkit.models.spec import Spec

    found = _load("model", name, version, alias, store, refresh, copies)
    assert isinstance(found, Spec), "what was asked for is a model"
    return Model.of(found)


def _load(
    kind: SubjectKind,
    name: str,
    version: str | None,
    alias: str | None,
    store: str | Path | None,
    refresh: float,
    copies: str | Path | None,
) -> Versioned:
    if version is not None and alias is not None:
        raise ConfigError(
            f"The {kind} {name} is asked for by version and by alias.", hint="Give one of the two, or neither."
        )
    scopes = sys.modules.get("evalkit.tracing.scope")  # not imported: no trial can be going on
    scope = None if scopes is None else scopes.current()
    session = active() if scope is not None and version is None else None
    found = None if session is None else session.find(kind, name)
    if found is None:
        found = _from_project(kind, name) if version is alias is None else None
    if found is None:
        source = _Source(kind, name, version, alias, str(store) if store is not None else None, copies)
        found = _entry(source).get(refresh)
    if scope is not None:
        scope.use(found.version)
    return found


def _from_project(kind: SubjectKind, name: str) -> Versioned:
    project = Project.of(load_settings(find_root(Path.cwd())))
    found = project.read(kind, name)
    if found is None:
        raise project.unknown(kind, name)
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    kind: SubjectKind
    name: str
    version: str | None
    alias: str | None
    store: str | None
    copies: str | Path | None

    def ask(self, url: str) -> Version:
        """What the store says. Raises `_Away` where it does not answer."""
        from evalkit.store import open_store

        try:
            opened = open_store(url, create=False, timeout=_PATIENCE)
        except (StoreError, NotFound) as error:
            raise _Away(error) from error
        try:
            with opened:
                which = self.version
                if which is None:
                    assert self.alias is not None, "one of the two is given"
                    pointed = opened.alias(self.kind, self.name, self.alias)
                    # Where there is no such alias, the store's own words say what there is instead.
                    which = self.alias if pointed is None else pointed.digest
                return opened.version(self.kind, self.name, which).version
        except StoreError as error:
            raise _Away(error) from error


class _Away(Exception):
    def __init__(self, error: EvalkitError) -> None:
        super().__init__(str(error))
        self.error = error


class _Entry:
    """One answer of the store, kept in this process."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._value: Versioned | None = None
        self._until = 0.0
        self._is_away = False

    def get(self, refresh: float) -> Versioned:
        value = self._value
        if value is not None and time.monotonic() < self._until:
            return value
        # While one thread asks the store again, the others go on with what there is.
        if value is not None and not self._lock.acquire(blocking=False):
            return value
        if value is None:
            self._lock.acquire()
        try:
            if self._value is None or time.monotonic() >= self._until:
                self._value = self._fresh()
                # A version never changes, so that it need not be asked for again.
                lasting = self._source.version is not None and not self._is_away
                self._until = float("inf") if lasting else time.monotonic() + refresh
            return self._value
        finally:
            self._lock.release()

    def _fresh(self) -> Versioned:
        source = self._source
        url = source.store or load_settings(find_root(Path.cwd())).store
        folder = default_folder() if source.copies is None else Path(source.copies)
        asked = Asked(
            kind=source.kind, name=source.name, which=source.version or f"alias {source.alias}", store=_shown(url)
        )
        try:
            version = source.ask(url)
        except _Away as away:
            return self._without_store(away.error, folder, asked)
        if self._is_away:
            self._is_away = False
            _log.info("The store answers again: %s %s is %s.", asked.kind, asked.name, version.label)
        if self._value is not None and self._value.version == version:
            return self._value
        value = _built(source.kind, version)
        if folder is not None:
            keep(folder, asked, version)
        return value

    def _without_store(self, error: EvalkitError, folder: Path | None, asked: Asked) -> Versioned:
        value, since = self._value, "an earlier answer"
        if value is None:
            copy = None if folder is None else kept(folder, asked)
            if copy is None:
                raise error
            value, since = _built(asked.kind, copy[0]), f"the copy of {copy[1]}"
        if not self._is_away:
            self._is_away = True
            _log.warning(
                "The store is away, and %s is used for the %s %s (%s): %s",
                since,
                asked.kind,
                asked.name,
                value.version.label,
                error.what,
            )
        return value


def _built(kind: SubjectKind, version: Version) -> Versioned:
    if kind == "prompt":
        return built_prompt(version)
    return built_spec(version, beside=Project.of(load_settings(find_root(Path.cwd()))).read("model", version.name))


def _shown(url: str) -> str:
    from evalkit.store.address import parse

    return parse(url).shown


_entries: dict[_Source, _Entry] = {}
_entries_lock = threading.Lock()


def _entry(source: _Source) -> _Entry:
    with _entries_lock:
        return _entries.setdefault(source, _Entry(source))


def forget() -> None:
    """Let go of everything that was loaded, so that the store is asked again; for tests."""
    with _entries_lock:
        _entries.clear()
