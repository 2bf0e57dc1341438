"""`evalkit audit`: what happened, who did it, and whether the log of it is what it was."""

from __future__ import annotations

import json
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evalkit.cli.options import CommonCommand, HelpfulGroup, Invocation, emit_json, json_option, pass_invocation
from evalkit.errors import AttestationError, ConfigError
from evalkit.figures import count
from evalkit.plaintext import cells, clean
from evalkit.wholefile import write_whole

if TYPE_CHECKING:
    from evalkit.audit import Checkpoint, Entry, Verified

AUDIT = "evalkit.audit/1"
_SHOWN = 30
_STANDARD = Path("-")
_file = click.Path(path_type=Path, dir_okay=False, allow_dash=True)


@click.group(name="audit", cls=HelpfulGroup)
def command() -> None:
    """The audit log: who did what, and proof that nobody changed it since."""


@command.command(name="log", cls=CommonCommand)
@click.option("--action", metavar="PATTERN", help="Only such entries: alias.moved, promotion.*, token.*.")
@click.option("--subject", metavar="prompt/NAME|model/NAME", help="Only those about it.")
@click.option("--alias", metavar="ALIAS", help="Only those about this alias.")
@click.option("--promotion", metavar="ID", help="Only those of one promotion; the beginning of its id will do.")
@click.option("--limit", type=click.IntRange(min=1), default=_SHOWN, show_default=True, metavar="N", help="The last N.")
@json_option
@pass_invocation
def log(
    invocation: Invocation,
    action: str | None,
    subject: str | None,
    alias: str | None,
    promotion: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show the entries, the newest last."""
    with invocation.open_store() as store:
        entries = store.audit()
    known = [(entry, _said(entry)) for entry in entries]
    found = [
        (entry, said)
        for entry, said in known
        if (action is None or fnmatchcase(_text(said, "action"), action))
        and (subject is None or _text(said, "subject") == subject)
        and (alias is None or _text(said, "alias") == alias)
        and (promotion is None or _text(said, "promotion").startswith(promotion))
    ]
    shown = found[-limit:]
    if as_json:
        emit_json([{"schema": AUDIT, "seq": entry.seq, "hash": entry.hash, **said} for entry, said in shown])
        return
    if not shown:
        click.echo("The audit log is empty." if not entries else "No entry is like that.")
        return
    if len(found) > len(shown):
        click.echo(f"the last {len(shown)} of {len(found):,}; more with --limit")
    _show(invocation, shown)


@command.command(name="verify", cls=CommonCommand)
@click.option(
    "--checkpoint",
    metavar="PATH",
    type=_file,
    help="A checkpoint that was kept elsewhere: what it proves is unchanged.",
)
@click.option("--key", metavar="PATH", type=_file, help="The public key that has to have signed the checkpoint.")
@click.option("--file", "exported", metavar="PATH", type=_file, help="An exported log, instead of the store's.")
@click.option(
    "--strict", is_flag=True, help="Read each body too: it must be canonical JSON. Takes eight times as long."
)
@json_option
@pass_invocation
def verify(
    invocation: Invocation,
    checkpoint: Path | None,
    key: Path | None,
    exported: Path | None,
    strict: bool,
    as_json: bool,
) -> int:
    """See whether the log is what it was when it was written; leaves with 1, and the first bad entry, where it is not.

    Without a checkpoint, a log that was written anew as a whole goes unnoticed.
    """
    if key is not None and checkpoint is None:
        raise ConfigError("--key is for the signature of a checkpoint.", hint="Give one: --checkpoint PATH")
    signed: tuple[str, ...] = ()
    held = None
    if checkpoint is not None:
        try:
            held, signed = _kept(checkpoint, key)
        except AttestationError as error:
            if key is None:
                raise
            return _broken(invocation, str(error), as_json)
    found = _verify_file(exported, held, strict) if exported is not None else _verify_store(invocation, held, strict)
    if not found.ok:
        return _broken(invocation, found.problem, as_json, found)
    if as_json:
        emit_json(_verdict(found, held, signed if key is not None else ()))
        return 0
    click.echo(invocation.paint()("OK", "32") + f"  {_entries(found)}, head {found.seq} {found.hash}")
    if held is not None:
        by = f", signed by {', '.join(signed)}" if signed and key is not None else ""
        click.echo(f"It goes on from the checkpoint of entry {held.seq}{by}.")
        if signed and key is None:
            click.echo("The signature of the checkpoint was not checked: give the public key with --key.")
    return 0


@command.command(name="checkpoint", cls=CommonCommand)
@click.option(
    "--output", metavar="PATH", type=_file, default=_STANDARD, help="Where to write it, instead of to stdout."
)
@pass_invocation
def checkpoint(invocation: Invocation, output: Path) -> None:
    """Write down where the log stands, to be kept where its keeper cannot reach: `audit verify --checkpoint`.

    It is signed where the settings name a key ([tool.evalkit.signing]).
    """
    from evalkit.attestation import private_key

    key = private_key(invocation.settings().signing_key)
    with invocation.open_store() as store:
        head = store.checkpoint()
    _write(output, json.dumps(head.sealed(key), indent=2) + "\n")
    if output != _STANDARD:
        how = "unsigned, as no key is configured" if key is None else f"signed by {key.public.id}"
        click.echo(f"{output}: entry {head.seq} {head.hash}, {how}")


@command.command(name="export", cls=CommonCommand)
@click.option(
    "--output", metavar="PATH", type=_file, default=_STANDARD, help="Where to write it, instead of to stdout."
)
@click.option(
    "--statement",
    metavar="PATH",
    type=_file,
    help="Also write an in-toto statement of the file, in a DSSE envelope, signed where the settings name a key.",
)
@pass_invocation
def export(invocation: Invocation, output: Path, statement: Path | None) -> int:
    """Write the log as lines of JSON, one for each entry; refuses with 1 where it does not verify."""
    from evalkit.attestation import private_key
    from evalkit.audit import Checkpoint, lines_of, statement_of

    if statement is not None and output == _STANDARD:
        raise ConfigError("A statement names a file.", hint="Say which: --output audit.jsonl")
    key = private_key(invocation.settings().signing_key)
    with invocation.open_store() as store:
        found, now = store.verify_audit(strict=True), store.now()
        if not found.ok:
            return _broken(invocation, found.problem, False, found)
        lines = list(lines_of(store.audit(limit=found.entries)))
    content = "".join(f"{line}\n" for line in lines)
    _write(output, content)
    if statement is not None:
        head = Checkpoint(seq=found.seq, hash=found.hash, at=now)
        envelope = statement_of(content.encode("utf-8"), output.name, head).envelope(key)
        _write(statement, json.dumps(envelope.to_json(), indent=2) + "\n")
    if output != _STANDARD:
        click.echo(f"{output}: {count(found.entries, 'line')}, head {found.seq} {found.hash}")
    return 0


def _verify_store(invocation: Invocation, held: Checkpoint | None, strict: bool) -> Verified:
    with invocation.open_store() as store:
        return store.verify_audit(checkpoint=held, strict=strict)


def _verify_file(path: Path, held: Checkpoint | None, strict: bool) -> Verified:
    from evalkit.audit import Verified, held_against, rows_of
    from evalkit.audit import verify as verify_rows

    text = _read(path).removesuffix("\n")
    rows = list(rows_of(text.split("\n") if text else [], where=str(path)))  # a body may hold other ends of lines
    found = verify_rows(rows, strict=strict)
    if not found.ok or held is None:
        return found
    there = {row[0]: row[2] for row in rows}
    problem = held_against(held, found, there.get(held.seq))
    return Verified(entries=found.entries, seq=found.seq, hash=found.hash, problem=problem)


def _kept(path: Path, key: Path | None) -> tuple[Checkpoint, tuple[str, ...]]:
    from evalkit.attestation import public_key
    from evalkit.audit import read_checkpoint

    kept = read_checkpoint(_read(path), key=None if key is None else public_key(key), where=str(path))
    return kept.checkpoint, kept.keys


def _broken(invocation: Invocation, problem: str, as_json: bool, found: Verified | None = None) -> int:
    if as_json:
        emit_json(
            {
                "schema": AUDIT,
                "ok": False,
                "problem": problem,
                "entries": None if found is None else found.entries,
                "seq": None if found is None else found.seq,
                "hash": None if found is None else found.hash,
            }
        )
        return 1
    click.echo(invocation.paint()("BROKEN", "31") + f"  {clean(problem)}")
    if found is not None and found.entries:
        click.echo(f"{_entries(found)} before it: good.")
    return 1


def _entries(found: Verified) -> str:
    return "1 entry" if found.entries == 1 else f"{found.entries:,} entries"


def _verdict(found: Verified, held: Checkpoint | None, signed: tuple[str, ...]) -> dict[str, Any]:
    return {
        "schema": AUDIT,
        "ok": True,
        "problem": None,
        "entries": found.entries,
        "seq": found.seq,
        "hash": found.hash,
        "checkpoint": None if held is None else held.seq,
        "signed_by": list(signed),
    }


def _show(invocation: Invocation, shown: list[tuple[Entry, dict[str, Any]]]) -> None:
    from evalkit import grid

    said = [one for _, one in shown]
    actors = [one["actor"] if isinstance(one.get("actor"), dict) else {} for one in said]
    times = [clean(_text(one, "at")[:19].replace("T", " ")) for one in said]
    about = [clean(_about(one)) for one in said]
    word = max(map(cells, " ".join(about).split()), default=0)
    entry = grid.Column(title="entry", texts=[str(entry.seq) for entry, _ in shown], right=True)
    at = grid.Column(title="at", texts=times)
    day = grid.Column(title="at", texts=[time[5:16] for time in times])
    action = grid.Column(title="action", texts=[clean(_text(one, "action")) for one in said])
    whole = grid.Column(title="about", texts=about, least=word, wraps=True)
    broken = grid.Column(title="about", texts=about, least=10, wraps=True)
    who = grid.Column(title="who", texts=[clean(_text(one, "name") or "?") for one in actors], least=12)
    known = grid.Column(title="known by", texts=[clean(_text(one, "authentication")) for one in actors])
    hashes = grid.Column(title="hash", texts=[entry.hash[:8] for entry, _ in shown])
    plans = [
        [entry, at, action, whole, who, known, hashes],
        [entry, at, action, whole, who, hashes],
        [entry, at, action, whole, who],
        [entry, day, action, whole, who],
        [entry, action, whole, who],
        [entry, action, broken],
    ]
    fitted = grid.fit(plans, invocation.width)
    click.echo(invocation.paint()(grid.header(fitted).rstrip(), "2"))
    for number in range(len(shown)):
        for line in grid.lines(fitted, number):
            click.echo(line)


def _about(said: dict[str, Any]) -> str:
    alias, promotion = _text(said, "alias"), _text(said, "promotion")
    return " ".join(filter(None, (_text(said, "subject"), alias and f"@ {alias}", promotion and f"({promotion[:13]})")))


def _said(entry: Entry) -> dict[str, Any]:
    try:
        said = json.loads(entry.body)
    except (ValueError, TypeError, RecursionError):  # somebody changed it; `verify` says so
        said = None
    return said if isinstance(said, dict) else {"action": "?", "subject": "cannot be read"}


def _text(said: dict[str, Any], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _read(path: Path) -> str:
    try:
        return sys.stdin.read() if path == _STANDARD else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ConfigError(f"The file cannot be read: {why}.", where=str(path)) from None


def _write(path: Path, text: str) -> None:
    if path == _STANDARD:
        click.echo(text, nl=False)
        return
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise ConfigError(f"The file cannot be written: {error.strerror}.", where=str(path)) from None
