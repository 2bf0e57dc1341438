"""Which prompt and which model a session runs with: the project's file, or the version that was named instead."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from evalkit.canonical import digest
from evalkit.config import Settings
from evalkit.errors import NotFound, PromptError
from evalkit.registry.project import Project
from evalkit.suites import Suite, Versioned
from evalkit.versions import SubjectKind, Version

if TYPE_CHECKING:
    from evalkit.models.spec import Spec
    from evalkit.prompts import Prompt


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a suite runs with: the arguments `prompt` and `model` of its function, and which versions they are."""

    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    versions: tuple[Version, ...] = ()

    def check(self, *, replay: bool = False) -> None:
        """See that the model can be asked. Raises `ConfigError` for a key or a base URL that is missing."""
        check = getattr(self.arguments.get("model"), "check", None)
        if check is not None:
            check(replay=replay)


class Selection:
    """What one session runs with. Each file and each stored version is read once, however often it is asked for, so
    that every trial of the session gets the same.

    As a context manager it is what `load_prompt` and `load_model` take, inside the session's trials, in the meantime.
    """

    def __init__(self, settings: Settings) -> None:
        self.project = Project.of(settings)
        self._found: dict[tuple[SubjectKind, str], Versioned | None] = {}
        self._asked: set[tuple[SubjectKind, str]] = set()
        self._lock = threading.Lock()

    def check_picks(self) -> None:
        """See that every version named for this session is there. Raises `NotFound` with near names."""
        for kind, name in self.project.picks:
            self._read(kind, name)

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each version that was named for the session and that nothing in it asked for."""
        return tuple(
            f"{_FLAGS[kind]} {name}={which} changed nothing: no suite uses the {kind} {name}, and no trial loaded it."
            for (kind, name), which in self.project.picks.items()
            if (kind, name) not in self._asked
        )

    def choose(self, suite: Suite, *, is_async: bool) -> Chosen:
        """What `suite` runs with; its function is `is_async` or not, and so is the model it gets.

        Raises `NotFound`, naming the suite's file and line, for a name that is neither a file nor stored, and what
        reading a file raises.
        """
        arguments: dict[str, Any] = {}
        declared: tuple[tuple[SubjectKind, str | Versioned | None], ...] = (
            ("prompt", suite.prompt),
            ("model", suite.model),
        )
        for kind, subject in declared:
            if subject is not None:
                found = self._subject(kind, subject, where=suite.location)
                arguments[kind] = found if kind == "prompt" else _askable(found, is_async=is_async)
        return Chosen(arguments=arguments, versions=tuple(one.version for one in arguments.values()))

    def __enter__(self) -> Self:
        _active.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self in _active:
            _active.remove(self)

    def _subject(self, kind: SubjectKind, declared: str | Versioned, *, where: str) -> Versioned:
        if not isinstance(declared, str):
            name = declared.version.name
            self._asked.add((kind, name))
            return self._picked(kind, name, instead_of=declared) if (kind, name) in self.project.picks else declared
        found = self.find(kind, declared)
        if found is None:
            raise self.project.unknown(kind, declared, where=where)
        return found

    def find(self, kind: SubjectKind, name: str) -> Versioned | None:
        """The prompt, or the model's configuration, that the session uses under that name.

        `None` where there is neither a file nor a version named for the session. Raises `NotFound` for a named
        version that is not there.
        """
        self._asked.add((kind, name))
        return self._read(kind, name)

    def _read(self, kind: SubjectKind, name: str) -> Versioned | None:
        with self._lock:  # or two trials could read a file before and after somebody saves it
            if (kind, name) not in self._found:
                picked = (kind, name) in self.project.picks
                self._found[kind, name] = self._picked(kind, name) if picked else self.project.read(kind, name)
            return self._found[kind, name]

    def _picked(self, kind: SubjectKind, name: str, *, instead_of: Versioned | None = None) -> Versioned:
        which = self.project.picks[kind, name]
        version = self.project.stored(kind, name, which, where=f"{_FLAGS[kind]} {name}={which}").version
        if kind == "prompt":
            return built_prompt(version)
        return built_spec(version, beside=instead_of or self.project.read(kind, name))


_FLAGS: Mapping[SubjectKind, str] = {"prompt": "--evalkit-prompt", "model": "--evalkit-model"}


def built_prompt(version: Version) -> Prompt:
    """The prompt that a stored version is. Raises `PromptError` for one that was stored without all of its text."""
    from evalkit.prompts import prompt_of

    _require_whole(version)
    return prompt_of(version)


def built_spec(version: Version, *, beside: Versioned | None) -> Spec:
    """The model's configuration that a stored version is.

    How it is asked (its key, limits, times and price) is no part of a version; it is taken from `beside`, which is
    the project's own configuration of that name, where there is one.
    """
    from evalkit.models.border import spec_of
    from evalkit.models.spec import Spec

    if version.body.get("callable"):
        raise NotFound(
            f"{version.label} of the model {version.name} is a Python function, which no store keeps.",
            hint="Check out the code that had it, and declare it there with evalkit.callable_model.",
        )
    _require_whole(version)
    spec = spec_of(version.name, version.body, source=version.source)
    own = getattr(beside, "spec", beside)
    if not isinstance(own, Spec):
        return spec
    said = {key: getattr(spec, key) for key in ("provider", "base_url", "model", "parameters", "response_format")}
    rates = own.rates if own.model == spec.model else None  # a price is that of one model, not of a name for several
    return dataclasses.replace(own, source=version.source, rates=rates, **said)


def _require_whole(version: Version) -> None:
    if digest(version.body) != version.digest:
        raise PromptError(
            f"The stored {version.label} of the {version.kind} {version.name} is not what it was: "
            "something in it looked like a key or a password, and was blotted out before it was stored.",
            where=version.source,
            hint=f"Take it out of the file; see what is missing with: evalkit {version.kind}s show {version.name}",
        )


def _askable(subject: Any, *, is_async: bool) -> Versioned:
    # A configuration becomes a model of the kind that the function can use; so does a model of the other kind.
    from evalkit.models import AsyncModel, Model

    turned = getattr(subject, "to_async" if is_async else "to_sync", None)
    if turned is not None:
        made: Versioned = turned()
    elif callable(getattr(subject, "chat", None)):
        made = subject  # of the user's own make
    else:
        made = (AsyncModel if is_async else Model).of(subject)
    return made


_active: list[Selection] = []


def active() -> Selection | None:
    """The selection of the session that began last and goes on."""
    return _active[-1] if _active else None
