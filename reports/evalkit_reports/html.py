"""One self-contained HTML page for a run: no network, no server, nothing that needs to be installed."""

from __future__ import annotations

from pathlib import Path

from evalkit.runs import Run
from evalkit_reports.attempts import last_attempts
from evalkit_reports.brief import brief_of_run
from evalkit_reports.document import TEMPLATES, environment, favicon, policy, read, write_page
from evalkit_reports.payload import Payload, build_payload
from evalkit_reports.view import PageView, page_view


def write_html(run: Run, path: Path, *, title: str | None = None) -> Path:
    """Write the report of `run` to `path` and return it; folders that are missing are made.

    `run` must have come with its outputs, since the page shows each. `title` is made from the suites' names
    unless given. The page appears whole or not at all: it is written beside `path` and moved into its place.
    Raises `EvalkitError` where it cannot be written.
    """
    return write_page(render_html(run, title=title), path)


def render_html(run: Run, *, title: str | None = None) -> str:
    """The page as text. May hold lone surrogates, where the run's own texts do."""
    run = last_attempts(run)
    payload = build_payload(run)
    page = page_view(run, title=title)
    return _render(page, payload, brief_of_run(run, title=page.title))


def _render(page: PageView, payload: Payload, brief: str) -> str:
    style = read("report.css") + f":root{{--rows:{payload.rows}}}\n"
    script = "\n".join(read(f"js/{file.name}") for file in sorted((TEMPLATES / "js").glob("*.js")))
    return (
        environment()
        .get_template("report.html")
        .render(
            page=page,
            payload=payload,
            style=style,
            script=script,
            policy=policy(style=style, script=script),
            icon=favicon(page.headline.state),
            brief=brief,
        )
    )
