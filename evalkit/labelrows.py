"""The rows of a file of labels, with the line that each stands on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evalkit.errors import DatasetError


def label_rows(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The rows of a CSV or JSON Lines file with their lines. Raises `DatasetError` with file and line."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"The labels cannot be read: {error}.", where=str(file)) from None
    if file.suffix == ".csv":
        reader = csv.DictReader(io.StringIO(text), strict=True)
        try:
            for row in reader:
                yield reader.line_num, {key: value for key, value in row.items() if key is not None}
        except csv.Error as error:
            raise DatasetError(f"This is not CSV: {error}.", where=f"{file}:{reader.line_num + 1}") from None
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"This is not JSON: {error}.", where=f"{file}:{number}") from None
        if not isinstance(row, Mapping):
            raise DatasetError("A row of labels is an object with case and label.", where=f"{file}:{number}")
        yield number, row
