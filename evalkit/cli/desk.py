"""What the commands on promotions stand at: the store, the policies of the project, and who is acting."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalkit.cli.options import Invocation
from evalkit.errors import ConfigError, NotFound, did_you_mean
from evalkit.redaction import redactor
from evalkit.versions import SubjectKind, Version

if TYPE_CHECKING:
    from evalkit.attestation import PrivateKey
    from evalkit.promoting import Policies
    from evalkit.promotion import Actor, Promotion, State
    from evalkit.registry import Project
    from evalkit.store import Store

KINDS: tuple[SubjectKind, ...] = ("prompt", "model")
WAITING: tuple[State, ...] = ("requested", "pending_approval", "approved")
"""The states in which a promotion waits for something."""

FILE = "file"
"""The word for what a name's file says now, in the place of a version."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One command's store, open to be written, with the project's policies and the actor.

    `key` signs checkpoints of the audit log, `None` where the settings name none.
    """

    store: Store
    project: Project
    policies: Policies
    actor: Actor
    webhooks: Mapping[str, Sequence[str]]
    key: PrivateKey | None = None

    @property
    def acting(self) -> dict[str, Any]:
        """What every command on promotions takes: who acts, by which policies, and which webhooks listen."""
        return {"actor": self.actor, "policies": self.policies, "webhooks": self.webhooks}

    def kept(self, text: str) -> str:
        """What somebody said, as it may be kept and passed on: without keys, and what the setting `redact` names."""
        return redactor(self.project.redact)(text)

    def versions(self, promotion: Promotion) -> Mapping[str, Version]:
        """The stored versions of what a promotion is about, by digest."""
        return versions_of(self.store, promotion.kind, promotion.name)

    def subject(self, text: str) -> tuple[SubjectKind, str]:
        """The kind and the name in `prompt/NAME` or `model/NAME`.

        Raises `ConfigError` for another form, and `NotFound`, with near names, for one that the store does not know.
        """
        kind, name = parsed(text, known=self._known())
        if not self.store.versions(kind, name):
            if self.project.read(kind, name) is None:
                raise self.project.unknown(kind, name)
            raise NotFound(
                f"The {kind} {name} is a file, and not in the store.",
                hint="A run registers what it uses; evalkit sync registers all files.",
            )
        return kind, name

    def version(self, kind: SubjectKind, name: str, which: str) -> str:
        """The digest of the stored version that `which` names, `file` for what the file says now.

        Raises `NotFound`, with near matches.
        """
        if which == FILE:
            which = self.project.require(kind, name).version.digest
            if which not in versions_of(self.store, kind, name):
                raise NotFound(
                    f"The {kind} {name} as its file says it now ({which[:8]}) is not in the store.",
                    hint="No run has used it. Run its suites, or register it: evalkit sync",
                )
        return self.store.version(kind, name, which).version.digest

    def alias(self, kind: SubjectKind, name: str, alias: str) -> str:
        """The alias. Raises `NotFound` for a new one that is nearly the same as one that there is."""
        known = {one.alias for one in self.store.aliases(kind, name)}
        known |= {key.rpartition("@")[2] for key in self.policies.all if "*" not in key.rpartition("@")[2]}
        near = did_you_mean(alias, known) if alias not in known else ""
        if near:
            raise NotFound(
                f'The {kind} {name} has no alias "{alias:.100}", and no policy names it.{near}',
                why="An alias that nothing is known of has no rules.",
                hint=f"If it is to be a new one, give it a policy: [tool.evalkit.policies.{alias}]",
            )
        return alias

    def _known(self) -> list[str]:
        return [f"{kind}/{one.version.name}" for kind in KINDS for one in self.store.versions(kind)]


@contextlib.contextmanager
def at_desk(invocation: Invocation) -> Iterator[Desk]:
    """The desk of the current folder's project. Raises `NotFound` where there is no store yet."""
    from evalkit.attestation import private_key
    from evalkit.delivering import listeners
    from evalkit.identity import acting
    from evalkit.promoting import Policies
    from evalkit.registry import Project
    from evalkit.store import open_store

    settings = invocation.settings()
    policies, webhooks = Policies.of(settings), listeners(settings.webhooks, root=settings.root)
    key = private_key(settings.signing_key)
    with open_store(settings.store, create=False, webhooks=webhooks) as store:
        yield Desk(
            store=store,
            project=Project.of(settings),
            policies=policies,
            actor=acting(store),
            webhooks=webhooks,
            key=key,
        )


def promotion_of(store: Store, text: str) -> Promotion:
    """The promotion that `text` names: its id, the beginning of it, or `prompt/NAME@ALIAS`.

    The last is the newest one of that alias that waits for something, or else the newest of all. It comes in the state
    that it is in by now. Raises `NotFound`, with near matches.
    """
    from evalkit.promoting import find, listed

    subject, at, alias = text.rpartition("@")
    if not at:
        return find(store, text)
    every = listed(store)
    places = sorted({f"{one.subject}@{one.alias}" for one in every})
    found = [one for one in every if (one.subject, one.alias) == (subject, alias)]
    if not found:
        raise NotFound(
            f'There is no promotion of "{text:.100}".{did_you_mean(text, places)}',
            hint="See which there are: evalkit promotions",
        )
    return next((one for one in found if one.state in WAITING), found[0])


def parsed(text: str, *, known: list[str]) -> tuple[SubjectKind, str]:
    """The kind and the name in `prompt/NAME` or `model/NAME`. Raises `ConfigError`, with the nearest `known` one."""
    kind, slash, name = text.partition("/")
    for one in KINDS:
        if slash and name and kind == one:
            return one, name
    meant = [one for one in known if one.endswith(f"/{text}")]
    near = f" Did you mean {meant[0]}?" if len(meant) == 1 else did_you_mean(text, known)
    raise ConfigError(
        f'"{text:.100}" is not a prompt or model.{near}', hint="Write prompt/NAME or model/NAME; evalkit prompts list"
    )


def versions_of(store: Store, kind: SubjectKind, name: str) -> Mapping[str, Version]:
    """The stored versions of a prompt or model, by digest."""
    return {one.version.digest: one.version for one in store.versions(kind, name)}
