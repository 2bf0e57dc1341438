"""One self-contained page for two or more runs: what differs, how surely, and case by case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalkit.comparison import Candidates, compare_all
from evalkit.runs import Run
from evalkit_reports.attempts import last_attempts
from evalkit_reports.brief import brief_of_comparison
from evalkit_reports.document import TEMPLATES, environment, favicon, policy, read, write_page
from evalkit_reports.versus.changes import changed_cases
from evalkit_reports.versus.pairs import Pairs, build_pairs
from evalkit_reports.versus.view import VersusView, versus_view

SHARED = (
    "10-data.js",
    "12-sidefiles.js",
    "20-shapes.js",
    "25-words.js",
    "27-texts.js",
    "28-diff.js",
    "35-grid.js",
    "45-parts.js",
    "48-opened.js",
    "55-controls.js",
)
"""The scripts that a run's report has too."""
START = "90-start.js"
"""The one that begins, after all others; so does a run's report."""


def write_versus(base: Run, candidates: Sequence[Run], path: Path, *, title: str | None = None) -> Path:
    """Write the comparison of `candidates`, one or more, with `base` to `path` and return it.

    All must have come with their outputs, since the page shows each. `title` is made from the suites' names unless
    given. The page appears whole or not at all. Runs that cannot be compared make a page that says why. Raises
    `EvalkitError` where it cannot be written.
    """
    return write_page(render_versus(base, candidates, title=title), path)


def render_versus(base: Run, candidates: Sequence[Run], *, title: str | None = None) -> str:
    """The page as text. May hold lone surrogates, where the runs' own texts do."""
    found = compare_all(last_attempts(base), [last_attempts(run) for run in candidates])
    letters = letters_of(len(found.comparisons))
    return _render(
        versus_view(found, letters, title=title), build_pairs(changed_cases(found.comparisons), letters), found
    )


def letters_of(number: int) -> tuple[str, ...]:
    """Names for so many candidates: A, B, C; from the 27th on their numbers."""
    return tuple(chr(ord("A") + at) if at < 26 else str(at + 1) for at in range(number))


def _render(page: VersusView, pairs: Pairs, found: Candidates) -> str:
    style = read("report.css") + read("versus/versus.css") + f":root{{--rows:{pairs.rows}}}\n"
    own = sorted(file.name for file in (TEMPLATES / "versus" / "js").glob("*.js"))
    shared, last = [read(f"js/{name}") for name in SHARED], read(f"js/{START}")
    script = "\n".join([*shared, *(read(f"versus/js/{name}") for name in own), last])
    return (
        environment()
        .get_template("versus/versus.html")
        .render(
            page=page,
            payload=pairs,
            style=style,
            script=script,
            policy=policy(style=style, script=script),
            icon=favicon(page.finding.shape),
            brief=brief_of_comparison(found.comparisons, title=page.title, word=page.finding.word),
        )
    )
