"""What the commands for prompts and models show: lines for a terminal, and plain data for `--json`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from evalkit import grid
from evalkit.canonical import jsonable
from evalkit.cli.shapes import moment
from evalkit.plaintext import Paint, clean, wrapped
from evalkit.versions import Version

if TYPE_CHECKING:
    from evalkit.prompts import Rendered
    from evalkit.registry.differing import Change, Changes, Piece
    from evalkit.registry.syncing import Standing
    from evalkit.store import Registered

LISTED = "evalkit.subjects/1"
SHOWN = "evalkit.version/1"
DIFF = "evalkit.diff/1"
ADDED = "evalkit.added/1"

_STATES = {"same": "stored", "changed": "changed", "new": "not stored", "stored": "no file"}
_COLOURS = {"-": "31", "+": "32"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A version that is looked at: `stored` is what the store says of it, `None` where it is not there."""

    version: Version
    stored: Registered | None
    is_file: bool

    @property
    def label(self) -> str:
        """What people call it: `v3 (ab12cd34)`, `the file (ab12cd34)`."""
        number = self.version.number
        name = "the file" if self.is_file and number is None else f"v{number}"
        return f"{name} ({self.version.digest[:8]})"


def standing_shape(one: Standing) -> dict[str, Any]:
    """One of `list --json` and `sync --check --json`."""
    latest = one.registered[-1].version if one.registered else None
    return {
        "schema": LISTED,
        "kind": one.kind,
        "name": one.name,
        "state": one.state,
        "file": None if one.file is None else _version(one.file),
        "latest": None if latest is None else _version(latest),
        "versions": len(one.registered),
        "aliases": {alias: found.version.number for found in one.registered for alias in found.aliases},
    }


def listing(found: Sequence[Standing], width: int, paint: Paint) -> Iterator[str]:
    """The table of `list`."""
    if not found:
        return
    columns = [
        grid.Column(title=found[0].kind, texts=[clean(one.name) for one in found], least=16),
        grid.Column(title="file", texts=["–" if one.file is None else one.file.digest[:8] for one in found]),
        grid.Column(title="is", texts=[_is(one) for one in found]),
        grid.Column(title="versions", texts=[f"{len(one.registered):,}" for one in found], right=True),
        grid.Column(title="aliases", texts=[clean(_aliases(one)) or "–" for one in found], least=12),
    ]
    yield from _table(columns, len(found), width, paint)


def _is(one: Standing) -> str:
    return f"v{one.file.number}" if one.file is not None and one.file.number is not None else _STATES[one.state]


def _aliases(one: Standing) -> str:
    return ", ".join(f"{alias} → v{found.version.number}" for found in one.registered for alias in found.aliases)


def version_shape(shown: Shown, rendered: Rendered | None) -> dict[str, Any]:
    """`show --json`."""
    variables, optional = _variables(shown.version)
    return {
        "schema": SHOWN,
        "kind": shown.version.kind,
        "name": shown.version.name,
        **_version(shown.version),
        "is_file": shown.is_file,
        **_registered(shown.stored),
        "variables": variables,
        "optional": optional,
        "body": jsonable(dict(shown.version.body)),
        "rendered": None if rendered is None else {"messages": jsonable(rendered.messages), "text": rendered.text},
    }


def whole(shown: Shown, rendered: Rendered | None, width: int, paint: Paint) -> Iterator[str]:
    """The lines of `show`."""
    from evalkit.registry import readable

    version, stored = shown.version, shown.stored
    yield paint(clean(f"{version.kind} {version.name} {shown.label}"), "1")
    if version.source:
        yield clean(f"from {version.source}")
    if stored is not None:
        by = f" by {stored.author}" if stored.author else ""
        commit = f", commit {stored.commit[:12]}" if stored.commit else ""
        yield clean(f"stored {moment(stored.created_at)}{by}{commit}")
        if stored.aliases:
            yield clean(f"aliases {', '.join(stored.aliases)}")
    variables, optional = _variables(version)
    if version.kind == "prompt":
        names = ", ".join(name + (" (optional)" if name in optional else "") for name in variables)
        yield from wrapped(f"variables {clean(names) or 'none'}", width)
    for key, value in version.body.items():
        if key not in ("text", "messages"):
            yield from wrapped(clean(f"{key} {_value(value)}"), width)
    if rendered is not None:
        yield ""
        for message in rendered.messages:
            yield paint(clean(f"[{message['role']}]"), "2")
            content = message.get("content")
            text = content if isinstance(content, str) else _value(content)
            yield from (clean(line) for line in text.splitlines())
        return
    lines = readable(version.body)
    if lines:
        yield ""
        yield from (clean(line) for line in lines)


def changes_shape(old: Shown, new: Shown, changes: Changes) -> dict[str, Any]:
    """`diff --json`."""
    return {
        "schema": DIFF,
        "kind": new.version.kind,
        "name": new.version.name,
        "before": _version(old.version),
        "after": _version(new.version),
        "differ": old.version.digest != new.version.digest,
        "lines": [{"mark": mark, "text": "".join(text for _, text in pieces)} for mark, pieces in changes.lines],
        "variables": {"added": list(changes.variables_added), "removed": list(changes.variables_removed)},
        "values": [
            {"path": one.path, "before": jsonable(one.before), "after": jsonable(one.after)} for one in changes.values
        ],
    }


def changed(old: Shown, new: Shown, changes: Changes, width: int, paint: Paint) -> Iterator[str]:
    """The lines of `diff`: removed words in `[-…-]` and added ones in `{+…+}` where there is no colour."""
    yield paint(clean(f"{new.version.kind} {new.version.name}: {old.label} → {new.label}"), "1")
    if not changes.any:
        yield "The two say the same."
        return
    for mark, pieces in changes.lines:
        yield (
            paint(mark, _COLOURS.get(mark, "0")) + " " + "".join(_piece(mark, piece, pieces, paint) for piece in pieces)
        )
    names = [f"+{name}" for name in changes.variables_added] + [f"-{name}" for name in changes.variables_removed]
    if names:
        yield from wrapped(clean(f"variables: {', '.join(names)}"), width)
    for one in changes.values:
        yield from wrapped(clean(_change(one)), width)


def _piece(mark: str, piece: Piece, pieces: Sequence[Piece], paint: Paint) -> str:
    kind, text = piece
    text = clean(text)
    colour = _COLOURS.get(mark)
    if colour is None:
        return text
    if kind == " " or all(other == kind for other, _ in pieces):
        return paint(text, colour)
    if paint.on:
        return paint(text, f"1;7;{colour}")
    return f"[-{text}-]" if kind == "-" else f"{{+{text}+}}"


def _change(one: Change) -> str:
    before = "nothing" if one.before is None else _value(one.before)
    after = "nothing" if one.after is None else _value(one.after)
    return f"{one.path}: {before} → {after}"


def registered_shape(version: Version, is_new: bool) -> dict[str, Any]:
    """One of `add --json` and `sync --json`."""
    return {"schema": ADDED, "kind": version.kind, "name": version.name, **_version(version), "added": is_new}


def registered(version: Version, is_new: bool) -> str:
    """One line of `add` and `sync`."""
    state = "is now in the store" if is_new else "was in the store already"
    return clean(f"{version.kind} {version.name} v{version.number} ({version.digest[:8]}) {state}")


def drift(one: Standing) -> str:
    """One line of `sync --check`."""
    assert one.file is not None, "only files drift"
    latest = f"; the newest stored version is v{one.registered[-1].version.number}" if one.registered else ""
    return clean(f"{one.kind} {one.name} ({one.file.digest[:8]}) is {_STATES[one.state]}{latest}")


def history_shape(one: Registered, file: Version | None) -> dict[str, Any]:
    """One of `history --json`."""
    return {
        "schema": SHOWN,
        "kind": one.version.kind,
        "name": one.version.name,
        **_version(one.version),
        "is_file": file is not None and file.digest == one.version.digest,
        **_registered(one),
    }


def history(found: Standing, width: int, paint: Paint) -> Iterator[str]:
    """The lines of `history`."""
    versions = list(reversed(found.registered))
    if found.drifted and found.file is not None:
        yield from wrapped(clean(f"The file ({found.file.digest[:8]}) is none of the stored versions."), width)
    if not versions:
        return
    here = found.file.digest if found.file is not None else None
    columns = [
        grid.Column(title="version", texts=[one.version.label for one in versions]),
        grid.Column(title="digest", texts=[one.version.digest[:8] for one in versions]),
        grid.Column(title="stored", texts=[(moment(one.created_at) or "")[:16].replace("T", " ") for one in versions]),
        grid.Column(title="commit", texts=[(one.commit or "–")[:8] for one in versions]),
        grid.Column(title="by", texts=[clean(one.author or "–") for one in versions], least=8),
        grid.Column(title="aliases", texts=[clean(", ".join(one.aliases)) or "–" for one in versions], least=10),
        grid.Column(
            title="from",
            texts=[
                clean(one.version.source or "–") + (" (now)" if one.version.digest == here else "") for one in versions
            ],
            least=12,
        ),
    ]
    yield from _table(columns, len(versions), width, paint)


def _table(columns: Sequence[grid.Column], rows: int, width: int, paint: Paint) -> Iterator[str]:
    fitted = grid.fit([columns], width)
    yield paint(grid.header(fitted), "2")
    for number in range(rows):
        yield from grid.lines(fitted, number)


def _version(version: Version) -> dict[str, Any]:
    return {"number": version.number, "digest": version.digest, "source": version.source}


def _registered(stored: Registered | None) -> dict[str, Any]:
    return {
        "created_at": None if stored is None else moment(stored.created_at),
        "commit": None if stored is None else stored.commit,
        "author": None if stored is None else stored.author,
        "aliases": [] if stored is None else list(stored.aliases),
    }


def _variables(version: Version) -> tuple[list[str], list[str]]:
    if version.kind != "prompt":
        return [], []
    from evalkit.prompts import prompt_of

    prompt = prompt_of(version)
    return list(prompt.variables), sorted(prompt.optional_variables)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(jsonable(value), ensure_ascii=False)
