"""Rows out of YAML, read as YAML 1.2 says: `no`, `on`, `12:30`, `2026-01-31` and `010` are what they look like.

Anchors and aliases are refused before anything is built, since a few lines of them can stand for gigabytes.
So are tags, a key given twice, and NaN.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.errors import DatasetError
from evalkit.loaders.json_rows import listed
from evalkit.loaders.row import DEEPEST, Row, not_an_object
from evalkit.loaders.text import MEGABYTE, read_text

if TYPE_CHECKING:
    import yaml

LARGEST_FILE = 64 * MEGABYTE

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def yaml_rows(path: Path, *, shown: str) -> Iterator[Row]:
    """The rows of a YAML file: a list of mappings, or a mapping whose `cases` is such a list."""
    import yaml

    text = read_text(path, shown=shown, cap=LARGEST_FILE)
    try:
        root = _composed(text, shown)
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        raise DatasetError(
            f"This is not YAML: {error.problem or error.context}.",
            where=f"{shown}:{mark.line + 1}" if mark else shown,
        ) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 1
        raise DatasetError(f"This is not YAML: {error.reason}.", where=f"{shown}:{line}") from None
    rows = _rows_node(root)
    if rows is None:
        listed(None if root is None else _built(root, shown), shown=shown)
        return
    for node in rows.value:
        line = node.start_mark.line + 1
        value = _built(node, shown)
        if type(value) is not dict:
            raise not_an_object(value, f"{shown}:{line}")
        yield Row(values=value, place=f":{line}")


def _composed(text: str, shown: str) -> yaml.Node | None:
    """The tree of nodes, made after one pass over the events has found nothing that must be refused."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    events: Any = yaml.parse(text, Loader=loader)
    depth = documents = 0
    for event in events:
        where = f"{shown}:{event.start_mark.line + 1}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise DatasetError(
                "Anchors (&name) and aliases (*name) are not read.",
                where=where,
                why="A few lines of them can stand for more than any memory holds.",
                hint="Write the value out, or put a text that begins with & or * in quotes.",
            )
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise DatasetError("A second document begins here (---); one file is one dataset.", where=where)
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise DatasetError(f"The value is nested more than {DEEPEST} levels deep.", where=where)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            raise DatasetError(f"The tag {tag} is not read: a dataset is plain data.", where=where)
    node: yaml.Node | None = yaml.compose(text, Loader=loader)
    return node


def _rows_node(root: yaml.Node | None) -> yaml.SequenceNode | None:
    import yaml

    if isinstance(root, yaml.MappingNode):
        root = next((value for key, value in root.value if key.value == "cases"), None)
    return root if isinstance(root, yaml.SequenceNode) else None


def _built(node: yaml.Node, shown: str) -> Any:
    import yaml

    where = f"{shown}:{node.start_mark.line + 1}"
    if isinstance(node, yaml.SequenceNode):
        return [_built(item, shown) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        made: dict[str, Any] = {}
        for key, value in node.value:
            at = f"{shown}:{key.start_mark.line + 1}"
            if not isinstance(key, yaml.ScalarNode):
                raise DatasetError("A key is a list or a mapping; keys are text.", where=at)
            if key.value in made:
                raise DatasetError(f'The key "{key.value}" is given twice; only the last would be kept.', where=at)
            made[key.value] = _built(value, shown)
        return made
    # A style other than plain means that the text was quoted or a block, and stays text.
    plain = not getattr(node, "style", None)
    return _scalar(node.value, where) if plain else node.value


def _scalar(text: str, where: str) -> Any:
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    try:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text):
            return int(text, 0)
    except ValueError as error:
        raise DatasetError(f"A number is too long: {error}.", where=where) from None
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise DatasetError(f"The number {text} is too large for a float.", where=where)
        return number
    if _NOT_FINITE.fullmatch(text):
        raise DatasetError(f"{text} stands for no value; write null, or leave the row out.", where=where)
    return text
