"""Reports that people read: `write_html(run, path)` gives one self-contained page, `render_markdown(run)` a summary.

`write_versus(base, [candidate], path)` gives a page that compares runs.

Nothing heavy is imported until a report is written.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.contents import contents

if TYPE_CHECKING:
    from evalkit_reports.html import render_html, write_html
    from evalkit_reports.index import write_index
    from evalkit_reports.markdown import render_comparison, render_markdown, write_markdown
    from evalkit_reports.openmetrics import render_openmetrics
    from evalkit_reports.versus import render_versus, write_versus

_HOMES = {
    "render_comparison": "markdown",
    "render_html": "html",
    "render_markdown": "markdown",
    "render_openmetrics": "openmetrics",
    "render_versus": "versus",
    "write_html": "html",
    "write_index": "index",
    "write_markdown": "markdown",
    "write_versus": "versus",
}

__all__ = [
    "render_comparison",
    "render_html",
    "render_markdown",
    "render_openmetrics",
    "render_versus",
    "write_html",
    "write_index",
    "write_markdown",
    "write_versus",
]

__getattr__, __dir__ = contents(__name__, _HOMES)
