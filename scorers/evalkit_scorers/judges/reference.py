"""The reference of the built-in judges, made from their rubrics.

`python -m evalkit_scorers.judges.reference docs/judges.md` writes it between the two marks in that file.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import evalkit_scorers
from evalkit_scorers.judges.rubric import built_in, rubric_names

BEGIN = "<!-- judges: made by python -m evalkit_scorers.judges.reference -->"
END = "<!-- end of judges -->"


def markdown() -> str:
    """A table of all, then each rubric behind a fold."""
    lines = ["| judge | says | sees |", "|---|---|---|"]
    for name in rubric_names():
        rubric = built_in(name)
        says = ", ".join(f"{level.label} {level.value:g}" for level in rubric.scale)
        lines.append(f"| `{name}` | {says} | {', '.join(rubric.shows)} |")
    for name in rubric_names():
        rubric = built_in(name)
        said = inspect.getdoc(getattr(evalkit_scorers, name)) or ""
        levels = [f"- **{level.label}** ({level.value:g}): {level.meaning}" for level in rubric.scale]
        lines += ["", "<details>", f"<summary>{name}: {rubric.title.lower()}</summary>", "", said, ""]
        lines += ["The rubric, as the judge reads it:", "", *(f"> {line}".rstrip() for line in rubric.text.split("\n"))]
        lines += ["", *levels, "", "</details>"]
    return "\n".join(lines)


def written_into(page: str) -> str:
    """`page` with what is between the two marks replaced. Raises `ValueError` where a mark is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page needs the two lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{markdown()}\n\n{END}{after}"


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        file = Path(argument)
        file.write_text(written_into(file.read_text(encoding="utf-8")), encoding="utf-8")
