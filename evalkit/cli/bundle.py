"""`evalkit bundle`: what is in force as a folder that needs no evalkit, and whether such a folder is what it says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evalkit.canonical import digest
from evalkit.cli.options import CommonCommand, HelpfulGroup, Invocation, emit_json, json_option, pass_invocation
from evalkit.errors import NotFound, did_you_mean
from evalkit.versions import SubjectKind

if TYPE_CHECKING:
    from evalkit.promotion import Promotion
    from evalkit.store import Store

_WORDS = {True: ("good", "32"), False: ("BAD", "31"), None: ("open", "33")}
_FOLDER = click.Path(path_type=Path)


@click.group(name="bundle", cls=HelpfulGroup)
def command() -> None:
    """Write what is in force as a folder that needs no evalkit to be read, with what proves it."""


@command.command(name="export", cls=CommonCommand)
@click.argument("subject")
@click.option("--alias", required=True, help="Which alias of it, such as production.")
@click.option("-o", "--out", required=True, type=_FOLDER, help="The folder, which must not be there yet.")
@json_option
@pass_invocation
def export(invocation: Invocation, subject: str, alias: str, out: Path, as_json: bool) -> int:
    """Write the version of SUBJECT (prompt/NAME or model/NAME) that an alias points at, with its attestation.

    It is signed where [tool.evalkit.signing] names a key.
    """
    from evalkit.attestation import private_key
    from evalkit.bundle import export as write
    from evalkit.cli.desk import KINDS, parsed

    key = private_key(invocation.settings().signing_key)
    with invocation.open_store() as store:
        known = [f"{kind}/{one.version.name}" for kind in KINDS for one in store.versions(kind)]
        kind, name = parsed(subject, known=known)
        if f"{kind}/{name}" not in known:
            raise NotFound(
                f'The store has no {kind} "{name:.100}".{did_you_mean(f"{kind}/{name}", known)}',
                hint=f"evalkit {kind}s list shows those that there are.",
            )
        promotion = _in_force(store, kind, name, alias)
        version = store.version(kind, name, promotion.to_digest).version
        checkpoint = store.checkpoint().sealed(key)
    manifest = write(out, version, promotion, key=key, checkpoint=checkpoint)
    if digest(dict(version.body)) != version.digest:
        click.echo(
            "A key, or what the setting redact names, stood in this version and was blotted out before it was stored: "
            "it is not the content that its digest names, and evalkit bundle verify will say so. Take it out of the "
            "file, and promote what is then a new version.",
            err=True,
        )
    if as_json:
        emit_json(manifest.to_json())
        return 0
    signed = "not signed: no key is configured" if key is None else f"signed with {key.public.id[:23]}…"
    click.echo(f"{version.title}, {alias} since promotion {promotion.id}, is in {out}")
    click.echo(f"{len(manifest.files) + 1} files, {signed}")
    return 0


@command.command(name="verify", cls=CommonCommand)
@click.argument("folder", type=_FOLDER)
@click.option("--key", type=_FOLDER, help="The public key (PEM) that must have signed it.")
@json_option
@pass_invocation
def verify(invocation: Invocation, folder: Path, key: Path | None, as_json: bool) -> int:
    """Say whether the bundle in FOLDER is what it says it is. Leaves with 1 where something in it is not.

    Without --key it stays open who signed it. No store is asked.
    """
    from evalkit.attestation import public_key
    from evalkit.bundle import check

    manifest, findings = check(folder, key=None if key is None else public_key(key))
    good = all(finding.is_good is not False for finding in findings)
    if as_json:
        shown = [{"about": one.about, "good": one.is_good, "said": one.said} for one in findings]
        emit_json({"schema": "evalkit.bundle-check/1", "good": good, "manifest": manifest, "findings": shown})
        return int(not good)
    paint = invocation.paint()
    click.echo(f"{manifest['kind']} {manifest['name']} {manifest['version']}, {manifest['alias']}")
    for one in findings:
        word, colour = _WORDS[one.is_good]
        click.echo(f"  {paint(word.ljust(4), colour)}  {one.about:<10}  {one.said}")
    return int(not good)


@command.command(name="new-key", cls=CommonCommand)
@click.argument("private", type=_FOLDER)
@click.argument("public", type=_FOLDER)
@pass_invocation
def new_key(_: Invocation, private: Path, public: Path) -> int:
    """Make an Ed25519 key pair: PRIVATE stays with you, PUBLIC is passed on. Neither file may be there yet."""
    from evalkit.attestation import new_key as make

    made = make(private, public)
    click.echo(f"{made.id}\nThe private key is in {private}; keep it out of git. Name it to evalkit:")
    click.echo(f'\n[tool.evalkit.signing]\nkey = {{ file = "{private}" }}')
    return 0


def _in_force(store: Store, kind: SubjectKind, name: str, alias: str) -> Promotion:
    """The promotion by which the alias came to point where it does. Raises `NotFound`."""
    at = store.alias(kind, name, alias)
    if at is None:
        there = ", ".join(one.alias for one in store.aliases(kind, name)) or "none"
        raise NotFound(
            f'The {kind} {name} has no alias "{alias:.100}".', hint=f"Its aliases: {there}. evalkit promote makes one."
        )
    applied = store.promotions(kind=kind, name=name, alias=alias, state=["applied"])
    found = next((one for one in reversed(applied) if one.generation == at.generation), None)
    if found is None or found.to_digest != at.digest:
        raise NotFound(
            f'No promotion has put the alias "{alias:.100}" of the {kind} {name} where it is.',
            why="It was moved by hand, so that nothing proves why this version is in force.",
            hint=f"Promote a version: evalkit promote {kind}/{name} --to {alias} --version V --run RUN",
        )
    return found
