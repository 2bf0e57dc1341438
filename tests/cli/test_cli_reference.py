"""docs/cli.md is current: every command, every option, every field of the JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evalkit.cli.app import COMMANDS
from evalkit.cli.reference import markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
FREE = (
    "attributes",
    "raw",
    "events",
    "slice",
    "inputs",
    "packages",
    "ci",
    "rows",
    "suite_gates",
    "input",
    "expected",
    "output",
    "aliases",
    "body",
    "messages",
    "recall",
    "bias",
    "scorers",
)
"""Fields whose keys are the user's, or data."""


def fields(value: Any) -> Iterator[str]:
    """Every key in a document, below the free ones excepted."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            if key not in FREE:
                yield from fields(item)
    elif isinstance(value, list):
        for item in value:
            yield from fields(item)


def section(schema: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    start = text.index(f"### {schema}\n")
    end = text.find("\n### ", start + 1)
    return text[start:end] if end > 0 else text[start:]


def test_the_page_has_the_commands_as_they_are() -> None:
    text = PAGE.read_text(encoding="utf-8")
    block = text.partition("<!-- commands: written by scripts/docs.py -->\n")[2].partition("<!-- end of commands -->")[
        0
    ]
    assert block == markdown(), "bring it up to date: make docs"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_page(name: str) -> None:
    assert f"### evalkit {name}" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("schema", "words", "also"),
    [
        ("evalkit.runs/1", ["runs"], ()),
        ("evalkit.history/1", ["history", "sums"], ()),
        ("evalkit.show/1", ["show", "last"], ("evalkit.runs/1",)),
        ("evalkit.gate/1", ["gate", "last"], ("evalkit.show/1",)),
        ("evalkit.compare/1", ["compare", "last", "last"], ()),
        ("evalkit.subjects/1", ["prompts", "list"], ()),
        ("evalkit.subjects/1", ["sync", "--check"], ()),
        ("evalkit.version/1", ["prompts", "show", "greet", "--var", "name=Ada"], ()),
        ("evalkit.version/1", ["prompts", "history", "greet"], ()),
        ("evalkit.diff/1", ["prompts", "diff", "greet", "v1", "v2"], ()),
        ("evalkit.added/1", ["prompts", "add", "greet"], ()),
        ("evalkit.added/1", ["sync"], ()),
        ("evalkit.judges/1", ["judges", "list"], ()),
        ("evalkit.label/1", ["label", "last", "--name", "tone", "--import", "labels.csv"], ()),
        ("evalkit.calibration/1", ["judges", "calibrate", "tone", "--labels", "verdicts.csv"], ()),
        ("evalkit.rescore/1", ["rescore", "last", "--scorer", "evalkit_scorers:exact_match"], ("evalkit.show/1",)),
        ("evalkit.config/1", ["config"], ()),
        ("evalkit.redact/1", ["redact", "last", "c1", "--reason", "a name"], ()),
        ("evalkit.cache/1", ["cache", "stats"], ()),
        ("evalkit.cache/1", ["cache", "prune", "--all"], ()),
        ("evalkit.cache/1", ["cache", "export", "cassettes"], ()),
        ("evalkit.traces/1", ["traces", "list", "last"], ("evalkit.show/1",)),
        ("evalkit.trace/1", ["traces", "show", "last", "c1"], ("evalkit.traces/1", "evalkit.show/1")),
        ("evalkit.db/1", ["db", "check"], ()),
        ("evalkit.db/1", ["db", "backup", "saved.db"], ()),
    ],
)
def test_every_field_is_documented_and_every_document_has_its_schema(
    cli: Callable[..., Any], make_run: Callable[..., Any], schema: str, words: list[str], also: tuple[str, ...]
) -> None:
    make_run(wrong=(1,), raises=(2,), traced=True)
    for settings in ("", "---\nsettings: {temperature: 0}\n---\n"):  # the second version of the prompt
        Path("prompts").mkdir(exist_ok=True)
        Path("prompts/greet.md").write_text(f"{settings}Hello {{{{ name }}}}", encoding="utf-8")
        assert cli("prompts", "add", "greet").code == 0
    Path("labels.csv").write_text("case,label,annotator\nc1,kind,ada\n", encoding="utf-8")
    Path("verdicts.csv").write_text("judge,human_1,human_2,human_3\n" + "kind,kind,kind,cold\n" * 30, encoding="utf-8")
    found = cli(*words, "--json").json()
    for document in found if isinstance(found, list) else [found]:
        assert document["schema"] == schema
    documented = "".join(section(name) for name in (schema, *also))
    assert sorted({field for field in fields(found) if f"`{field}`" not in documented}) == []
