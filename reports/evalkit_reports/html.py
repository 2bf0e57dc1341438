"""One self-contained HTML page for a run: no network, no server, nothing that needs to be installed."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from evalkit.comparison import Comparison, compare
from evalkit.runs import Run
from evalkit_reports.attempts import last_attempts
from evalkit_reports.brief import brief_of_run
from evalkit_reports.changes import changes
from evalkit_reports.context import Context
from evalkit_reports.document import TEMPLATES, environment, favicon, policy, read, write_page
from evalkit_reports.payload import Payload, build_payload
from evalkit_reports.sidefiles import INLINE, SideFile, folder_of, forget_side_files, side_files, write_side_files
from evalkit_reports.view import PageView, page_view

STYLES = ("report.css", "suite.css", "case.css")


def write_html(
    run: Run, path: Path, *, title: str | None = None, around: Context | None = None, inline: int = INLINE
) -> Path:
    """Write the report of `run` to `path` and return it; folders that are missing are made.

    `run` must have come with its outputs, since the page shows each; with its traces there are waterfalls, too.
    `title` is made from the suites' names unless given, `around` is what is known beside the run. The page appears
    whole or not at all: it is written beside `path` and moved into its place.

    Where the contents of the cases take more than `inline` characters, compressed, they go into files in a folder
    beside the page, `report.files` for `report.html`, and the page says so. Raises `EvalkitError` where something
    cannot be written.
    """
    path = Path(path)
    made = _Report.of(run, title=title, around=around)
    folder = folder_of(path)
    files: tuple[SideFile, ...] = ()
    if sum(map(len, made.payload.chunks)) > inline:
        files = side_files(made.payload.chunks)
        write_side_files(files, folder)
    written = write_page(made.text(files, folder=folder.name), path)
    forget_side_files(files, folder)
    return written


def render_html(run: Run, *, title: str | None = None, around: Context | None = None) -> str:
    """The page as text, whatever its size. May hold lone surrogates, where the run's own texts do."""
    return _Report.of(run, title=title, around=around).text()


def style_of(rows: int) -> str:
    """The style of a page whose table has so many rows: its height is known before any row is there."""
    return "\n".join(map(read, STYLES)) + f":root{{--rows:{rows}}}\n"


def script() -> str:
    """The one script of a page."""
    return "\n".join(read(f"js/{file.name}") for file in sorted((TEMPLATES / "js").glob("*.js")))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    page: PageView
    payload: Payload
    brief: str

    @classmethod
    def of(cls, run: Run, *, title: str | None, around: Context | None) -> _Report:
        run = last_attempts(run)
        comparison = _compared(run, around)
        page = page_view(run, title=title, around=around, comparison=comparison)
        return cls(
            page=page,
            payload=build_payload(run, changes(comparison)),
            brief=brief_of_run(run, title=page.title),
        )

    def text(self, files: Sequence[SideFile] = (), *, folder: str = "") -> str:
        style, code = style_of(self.payload.rows), script()
        return (
            environment()
            .get_template("report.html")
            .render(
                page=self.page,
                payload=self.payload,
                files=files,
                folder=folder,
                folder_url=quote(os.fsencode(folder)),
                style=style,
                script=code,
                policy=policy(style=style, script=code, side_files=bool(files)),
                icon=favicon(self.page.headline.state),
                brief=self.brief,
            )
        )


def _compared(run: Run, around: Context | None) -> Comparison | None:
    if around is None or around.baseline is None:
        return None
    return compare(last_attempts(around.baseline), run, p_values=False)
