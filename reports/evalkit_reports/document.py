"""What every page of ours is made of: templates, one style, one script, a policy that lets in nothing else."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from evalkit.errors import EvalkitError
from evalkit.wholefile import write_whole
from evalkit_reports import words

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent / "templates"
SIDE_FILES = "evalkit-side-files"
"""The one policy of trusted types that a page with side files may make."""


def write_page(page: str, path: Path) -> Path:
    """Write `page`, which may hold lone surrogates, to `path` and return it; folders that are missing are made.

    The page appears whole or not at all. Raises `EvalkitError` where it cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise EvalkitError(
            "The report cannot be written.",
            where=str(path),
            why=error.strerror or str(error),
            hint="Give the path of a file in a folder that can be written to.",
        ) from error
    return path


def policy(*, style: str, script: str, side_files: bool = False) -> str:
    """A Content-Security-Policy that lets this one style and this one script in, and nothing else.

    Trusted types make the browser itself refuse any markup that is made from text. With `side_files` the one script
    may load others, and only by a name that its own policy of trusted types lets through: a page on disk has no origin
    that could be named here.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'" + (" 'strict-dynamic'" if side_files else ""),
            f"style-src '{_hash(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types " + (SIDE_FILES if side_files else "'none'"),
        )
    )


def style_policy(*, style: str) -> str:
    """The policy of a page without a script: this one style, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def favicon(state: str) -> str:
    """The verdict's shape as a picture for the browser's tab, so that open reports can be told apart."""
    shapes = {
        "pass": '<circle cx="16" cy="16" r="14" fill="#007a6e"/><path d="m9 16 5 5 9-10" {}/>',
        "fail": '<rect x="3" y="3" width="26" height="26" fill="#b8321a"/><path d="m10 10 12 12m0-12-12 12" {}/>',
        "inconclusive": '<path d="m16 1 15 15-15 15L1 16Z" fill="#b58500"/><path d="M10 16h12" {}/>',
    }
    stroke = 'stroke="#fff" stroke-width="4" fill="none"'
    shape = shapes.get(state, '<circle cx="16" cy="16" r="13" fill="#6b7280"/>').format(stroke)
    picture = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{shape}</svg>'
    return "data:image/svg+xml;base64," + base64.b64encode(picture.encode()).decode()


def environment() -> jinja2.Environment:
    """Templates that escape whatever they are given, and know `share`, `moment` and `address`."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["share"] = words.share
    made.filters["moment"] = words.moment
    made.filters["address"] = address
    return made


def address(text: str) -> str:
    """`text` as a part of an address, spelt as the script of a page spells it; lone surrogates become U+FFFD."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return quote(whole, safe="!~*'()")


def read(name: str) -> str:
    """The text of a file beside the templates."""
    return (TEMPLATES / name).read_text("utf-8")
