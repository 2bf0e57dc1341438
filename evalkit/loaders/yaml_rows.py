"""Rows out of YAML; `plain_yaml` says how its values are read and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.loaders.json_rows import listed
from evalkit.loaders.plain_yaml import Reader
from evalkit.loaders.row import Row, not_an_object
from evalkit.loaders.text import MEGABYTE, read_text

if TYPE_CHECKING:
    import yaml

LARGEST_FILE = 64 * MEGABYTE


def yaml_rows(path: Path, *, shown: str) -> Iterator[Row]:
    """The rows of a YAML file: a list of mappings, or a mapping whose `cases` is such a list."""
    reader = Reader(shown=shown)
    root = reader.tree(read_text(path, shown=shown, cap=LARGEST_FILE))
    rows = _rows_node(root)
    if rows is None:
        listed(None if root is None else reader.built(root), shown=shown)
        return
    for node in rows.value:
        line = node.start_mark.line + 1
        value = reader.built(node)
        if type(value) is not dict:
            raise not_an_object(value, f"{shown}:{line}")
        yield Row(values=value, place=f":{line}")


def _rows_node(root: yaml.Node | None) -> yaml.SequenceNode | None:
    import yaml

    if isinstance(root, yaml.MappingNode):
        root = next((value for key, value in root.value if key.value == "cases"), None)
    return root if isinstance(root, yaml.SequenceNode) else None
