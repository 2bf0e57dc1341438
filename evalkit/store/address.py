"""Where a store is: a path, `sqlite:///…` or `postgresql+psycopg://…`."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from urllib.parse import unquote

from evalkit.errors import ConfigError, did_you_mean

_URL = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):(//.*)$", re.DOTALL)
_PASSWORD = re.compile(r"(//[^/@]*?):[^/]*@")
_SERVERS = {
    "postgresql+psycopg": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """`path` of a store in a file, or else the `url` of a server, password and all; `shown` is safe to print."""

    path: Path | None = None
    url: str | None = dataclasses.field(default=None, repr=False)
    shown: str = ""


def parse(url: str | Path) -> Address:
    """The address that `url` gives; raises `ConfigError` for one that is no store's."""
    if isinstance(url, Path):
        return _file(url)
    found = _URL.match(url)
    if found is None:
        if not url.strip() or url == ":memory:":
            raise ConfigError(f"{url!r} is no place for a store.", hint="Give a path, such as .evalkit/evalkit.db.")
        return _file(Path(url))
    scheme, rest = found[1].lower(), found[2]
    if scheme == "sqlite":
        # As SQLAlchemy has it: three slashes before a relative path, four before an absolute one.
        path = unquote(rest.removeprefix("//").removeprefix("/").partition("?")[0])
        if not rest.startswith("///") or not path or path == ":memory:":
            raise ConfigError(f"{url!r} names no file.", hint="Write sqlite:///relative.db or sqlite:////absolute.db.")
        return _file(Path(path))
    if scheme in _SERVERS:
        full = f"{_SERVERS[scheme]}:{rest}"
        return Address(url=full, shown=_PASSWORD.sub(r"\1:***@", full))
    raise ConfigError(
        f'A store cannot be at "{scheme}:…".{did_you_mean(scheme, ["sqlite", *_SERVERS])}',
        hint="Give a path, sqlite:///path or postgresql+psycopg://user@host/database.",
    )


def _file(path: Path) -> Address:
    full = path.expanduser().absolute()
    return Address(path=full, shown=str(full))
