"""Reports that people read: `write_html(run, path)` gives one self-contained page.

Nothing heavy is imported until a report is written.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalkit_reports.html import render_html, write_html

_HOMES = {"render_html": "html", "write_html": "html"}

__all__ = ["render_html", "write_html"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'evalkit_reports' has no attribute {name!r}")
    value = getattr(import_module(f"evalkit_reports.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
