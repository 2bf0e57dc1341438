"""The reference of the built-in scorers, made from their signatures and docstrings.

`python -m evalkit_scorers.reference docs/scorers.md` writes it between the two marks in that file.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import evalkit_scorers

BEGIN = "<!-- reference: made by python -m evalkit_scorers.reference -->"
END = "<!-- end of reference -->"

_WIDEST = 100
_SECTIONS = (
    ("Text", ("text", "choices", "patterns", "limits", "wordlist", "privacy")),
    ("Numbers", ("numeric",)),
    ("Similarity", ("similarity", "overlap")),
    ("JSON", ("structured",)),
    ("Tools and trajectories", ("trajectory",)),
    ("Retrieval", ("retrieval",)),
    ("Time, tokens, money", ("usage",)),
    ("Code", ("execution",)),
    ("Combining scorers", ("combinators", "fields")),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ScorerDoc:
    """What the reference says of one scorer; `summary` is the first line of `description`."""

    name: str
    section: str
    signature: str
    summary: str
    description: str


def catalogue() -> tuple[ScorerDoc, ...]:
    """Every built-in scorer, by section and in the order of the source."""
    docs = []
    for section, modules in _SECTIONS:
        names = [name for name in evalkit_scorers.__all__ if _home(name) in modules]
        for name in sorted(names, key=lambda name: (modules.index(_home(name)), _line(name))):
            function = getattr(evalkit_scorers, name)
            description = inspect.getdoc(function) or ""
            docs.append(
                ScorerDoc(
                    name=name,
                    section=section,
                    signature=f"{name}{_signature(name)}",
                    summary=description.partition("\n")[0],
                    description=description,
                )
            )
    return tuple(docs)


def markdown(docs: Sequence[ScorerDoc]) -> str:
    """The reference as Markdown: a table of all, then each scorer under its section."""
    lines = ["| scorer | gives |", "|---|---|"]
    lines += [f"| [`{doc.name}`](#{doc.name}) | {doc.summary.replace('|', chr(92) + '|')} |" for doc in docs]
    section = ""
    for doc in docs:
        if doc.section != section:
            section = doc.section
            lines += ["", f"### {section}"]
        lines += ["", f"#### {doc.name}", "", "```text", doc.signature, "```", "", doc.description]
    return "\n".join(lines)


def written_into(page: str, reference: str) -> str:
    """`page` with what is between the two marks replaced. Raises `ValueError` where a mark is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page needs the two lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{reference}\n\n{END}{after}"


def _home(name: str) -> str:
    return str(getattr(evalkit_scorers, name).__module__).rpartition(".")[2]


def _line(name: str) -> int:
    return int(inspect.unwrap(getattr(evalkit_scorers, name)).__code__.co_firstlineno)


def _signature(name: str) -> str:
    parameters = inspect.signature(getattr(evalkit_scorers, name), eval_str=True).parameters.values()
    parts = [_parameter(parameter) for parameter in parameters]
    kinds = [parameter.kind for parameter in parameters]
    if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        parts.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    if inspect.Parameter.POSITIONAL_ONLY in kinds:
        parts.insert(kinds.count(inspect.Parameter.POSITIONAL_ONLY), "/")
    said = f"({', '.join(parts)})"
    return said if len(name + said) <= _WIDEST else "(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def _parameter(parameter: inspect.Parameter) -> str:
    star = "*" if parameter.kind is inspect.Parameter.VAR_POSITIONAL else ""
    default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
    return f"{star}{parameter.name}: {_type(parameter.annotation)}{default}"


def _type(annotation: Any) -> str:
    """A type as one would write it, alternatives spelt out; `str` of a type differs between Python versions."""
    kind, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if kind is Literal:
        return " | ".join(map(repr, inner))
    if kind in (typing.Union, types.UnionType):
        return " | ".join(map(_type, inner))
    if annotation is None or annotation is types.NoneType:
        return "None"
    if annotation is Ellipsis:
        return "..."
    if isinstance(annotation, list):
        return f"[{', '.join(map(_type, annotation))}]"
    name = getattr(kind or annotation, "__name__", str(annotation))
    return f"{name}[{', '.join(map(_type, inner))}]" if inner else name


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        page = Path(argument)
        page.write_text(written_into(page.read_text(encoding="utf-8"), markdown(catalogue())), encoding="utf-8")
