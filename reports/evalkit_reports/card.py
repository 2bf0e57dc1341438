"""A calibration card as one self-contained page."""

from __future__ import annotations

from pathlib import Path

from evalkit.errors import EvalkitError
from evalkit.stats.calibration import Calibration
from evalkit.trust import MEANINGS, Labelled

TEMPLATES = Path(__file__).parent / "templates"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def write_card(labelled: Labelled, found: Calibration, path: Path) -> Path:
    """Write the card to `path` and return it. Raises `EvalkitError` where it cannot be written."""
    page = render_card(labelled, found).encode("utf-8", "backslashreplace")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(page)
    except OSError as error:
        raise EvalkitError("The card cannot be written.", where=str(path), why=error.strerror or str(error)) from error
    return path


def render_card(labelled: Labelled, found: Calibration) -> str:
    """The page as text; whatever stands in labels and names is text there."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    most = max((max(row) for row in found.table), default=0)
    return environment.get_template("card.html").render(
        labelled=labelled, found=found, meaning=MEANINGS[found.trust], policy=POLICY, style=style, most=max(most, 1)
    )
