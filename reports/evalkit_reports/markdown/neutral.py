"""Text of others made harmless in Markdown: it is read as it was written, and does nothing.

Pull requests notify whoever is mentioned, follow links, load images and run workflow commands of a log. What a model
or a dataset wrote must do none of it. Ids and messages go into code spans, where Markdown and the forges leave text
alone; sentences are escaped. Where an escape would not help, because the forge looks at the text after Markdown is
done with it (mentions, issue numbers, addresses), a zero-width space parts what must not be read together.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from urllib.parse import quote

from evalkit.plaintext import clean

PART = "\u200b"
"""The zero-width space."""

_MARKS = re.compile(r"[\\`*\[\]<|~&#]|(?<![^\W_])_|_(?![^\W_])")
_LEADING = re.compile(r"^(?:([-+](?=\s|$)|>|=)|(\d{1,9})([.)])(?=\s|$))")
_PARTED = re.compile(r"@(?=\w)|[#!&](?=\d)|:(?=//)|\bwww(?=\.)|\bgh(?=-\d)|##(?=\[)", re.IGNORECASE)
_COMMAND = re.compile(r"^(\s*)::")
_URL = re.compile(r"https?://[\w.:-]+(?:/[\w./%~+=&?#-]*)?", re.ASCII)


def prose(text: str, limit: int = 600) -> str:
    """The text as one line of Markdown that shows just that text, at most `limit` characters of it."""
    text = _COMMAND.sub(rf"{PART}::", _PARTED.sub(lambda found: found[0] + PART, _cut(text, limit).strip()))
    text = _MARKS.sub(lambda found: "\\" + found[0], text)
    text = _LEADING.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", text)
    # Two dollar signs in one block are a formula to GitHub, which documents this way out.
    return text.replace("$", "<span>$</span>") if text.count("$") > 1 else text


def code(text: str, limit: int = 120, *, in_table: bool = False) -> str:
    """The text as a code span; in a table its pipes are escaped. A text of nothing but spaces is `(empty)`."""
    text = _cut(text, limit).strip()
    if not text:
        return "(empty)"
    text = text.replace("##[", f"##{PART}[")
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    if in_table:
        # A table takes one backslash off each pipe: two before a pipe would come out as one, and end the cell.
        text = re.sub(r"(\\*)\|", lambda found: found[1] + "\\|" if not found[1] else f"{found[1]}{PART}\\|", text)
    return f"{ticks}{space}{text}{space}{ticks}"


def markup(text: str, limit: int = 120) -> str:
    """The text as HTML that shows just that text in a `<code>`, for the few places that are HTML already."""
    shown = html.escape(_cut(text, limit).replace("##[", f"##{PART}["))
    return f"<code>{shown}</code>"


def fence(lines: Sequence[str], language: str) -> list[str]:
    """The lines as a fenced block, whose fence is longer than any run of backticks inside."""
    inside = [_COMMAND.sub(rf"\1{PART}::", clean(line).replace("##[", f"##{PART}[")) for line in lines]
    ticks = "`" * max(3, 1 + max((len(run) for line in inside for run in re.findall("`+", line)), default=0))
    return [ticks + language, *inside, ticks]


def comment(kind: str, names: Sequence[str]) -> str:
    """An HTML comment that nobody sees and a script can find: `<!-- evalkit:support,tone -->`.

    Names keep letters, digits and `_.:/[]`; everything else, hyphens in a row included, is percent-encoded.
    """
    said = ",".join(quote(name.encode("utf-8", "backslashreplace"), safe="_.:/[]-") for name in names)
    return f"<!-- {kind}:{said.replace('--', '-%2D')} -->"


def link(text: str, url: str) -> str:
    """A link of ours, where the address is a plain one; else only the text."""
    return f"[{prose(text)}]({url})" if _URL.fullmatch(url) and ")" not in url else prose(text)


def _cut(text: str, limit: int) -> str:
    text = clean(text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
