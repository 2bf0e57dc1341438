"""Prompt files: `NAME.md` is a text below a head of YAML, `NAME.yaml` has messages."""

from __future__ import annotations

import codecs
import stat
from pathlib import Path
from typing import Any

from evalkit.errors import DatasetError, PromptError, did_you_mean
from evalkit.loaders.named_files import NamedFiles, shown_path
from evalkit.loaders.plain_yaml import Document, Reader
from evalkit.loaders.text import decoded
from evalkit.prompts.place import InFile
from evalkit.prompts.prompt import Prompt

LARGEST_FILE = 1_000_000
"""Bytes."""

ENDINGS = (".md", ".yaml", ".yml")

_HEAD = ("name", "description", "owner", "tags", "template", "role", "tools", "response_format", "settings")
_KEYS = (*_HEAD, "text", "messages")


def prompt_files(folder: Path) -> NamedFiles:
    """The prompt files below `folder`; READMEs are none."""
    return NamedFiles(folder=folder, kind="prompt", endings=ENDINGS, error=PromptError)


def read_prompt(path: str | Path, *, name: str | None = None) -> Prompt:
    """The prompt in the file at `path`, called as the file is where no `name` is given.

    A byte order mark, Windows line ends, blank lines around the text and spaces at its end make no difference.
    Raises `PromptError` with the file and line.
    """
    path = Path(path)
    shown = shown_path(path)
    text = _text(path, shown)
    label = path.stem if name is None else name
    if path.suffix == ".md":
        return _from_markdown(text, shown, label)
    head = _read(text, shown, first_line=1)
    if head.value is None:
        raise PromptError("The file is empty.", where=shown, hint="Write `text:` or `messages:`.")
    return _made(head, _KEYS, InFile(head=head), label)


def _from_markdown(text: str, shown: str, name: str) -> Prompt:
    lines = text.split("\n")
    body_at = 0
    head = Document(value=None, lines={}, shown=shown)
    if lines[0].rstrip() == "---":
        end = next((number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == "---"), None)
        if end is None:
            raise PromptError(
                "The head that begins here never ends.",
                where=f"{shown}:1",
                hint="Close it with a line of three dashes (---), and write the text below.",
            )
        head = _read("\n".join(lines[1:end]), shown, first_line=2)
        body_at = end + 1
    while body_at < len(lines) and not lines[body_at].strip():
        body_at += 1
    body = "\n".join(lines[body_at:]).rstrip()
    if not body:
        raise PromptError("The prompt is empty.", where=f"{shown}:{len(lines)}", hint="Write its text below the head.")
    return _made(head, _HEAD, InFile(head=head, text_line=body_at + 1), name, text=body)


def _made(head: Document, known: tuple[str, ...], origin: InFile, name: str, **more: Any) -> Prompt:
    fields = {} if head.value is None else head.value
    if not isinstance(fields, dict):
        raise PromptError(
            "A prompt is a mapping of names to values.", where=head.where(), hint="Write `description: …`."
        )
    for key in fields:
        if key not in known:
            where = "below the head" if key in _KEYS else ""
            raise PromptError(
                f'A prompt has no "{key:.60}"' + (" in its head." if where else "." + did_you_mean(key[:60], known)),
                where=head.where(key),
                hint="The text stands below the head; messages need a .yaml file."
                if where
                else f"It may have {', '.join(known)}.",
            )
    given = {key: value for key, value in fields.items() if value is not None or key == "text"}
    written = given.pop("name", name)
    if written != name:
        raise PromptError(
            f"The prompt is called {written!r:.60} here, and {name} by its file.",
            where=head.where("name"),
            hint="Leave `name` out, or rename the file.",
        )
    if isinstance(given.get("text"), str):
        given["text"] = given["text"].rstrip()
    return Prompt(name=name, source=head.shown, origin=origin, **given, **more)


def _read(text: str, shown: str, *, first_line: int) -> Document:
    return Reader(shown=shown, kind="a prompt", error=PromptError, first_line=first_line).read(text)


def _text(path: Path, shown: str) -> str:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise PromptError("This is no file that can be read.", where=shown)
        if about.st_size > LARGEST_FILE:
            raise PromptError(f"The file has more than {LARGEST_FILE:,} bytes.", where=shown)
        data = path.read_bytes()
    except OSError as error:
        raise PromptError(f"The file cannot be read: {error.strerror or error}.", where=shown) from None
    try:
        text = decoded(data.removeprefix(codecs.BOM_UTF8), shown=shown, offset=3 * data.startswith(codecs.BOM_UTF8))
    except DatasetError as error:
        raise PromptError(error.what, where=error.where, why=error.why, hint=error.hint) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
