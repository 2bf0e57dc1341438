"""Rows out of CSV (RFC 4180): commas, double quotes, a header. Every value stays the text it is."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator
from pathlib import Path

from evalkit.errors import DatasetError
from evalkit.loaders.row import Row
from evalkit.loaders.text import MEGABYTE, read_text

LARGEST_FILE = 1024 * MEGABYTE


def csv_rows(path: Path, *, shown: str) -> Iterator[Row]:
    """A row for each record; `place` is the line on which the record begins.

    Raises `DatasetError` for a header with an empty or repeated name, a record with more or fewer fields than
    the header, and a quote that is never closed.
    """
    text = read_text(path, shown=shown, cap=LARGEST_FILE)
    with _long_fields():
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header: list[str] | None = None
        line = 1
        while True:
            line = reader.line_num + 1
            try:
                record = next(reader, None)
            except csv.Error as error:
                raise DatasetError(
                    f"The record that begins here is broken: {error}.",
                    where=f"{shown}:{line}",
                    hint='A field with a comma, a quote or a line end is put in quotes; a quote in it is doubled: "".',
                ) from None
            if record is None:
                return
            if not record or (record[0].isspace() and len(record) == 1 and (header is None or len(header) > 1)):
                continue
            if header is None:
                header = _checked(record, f"{shown}:{line}")
                continue
            if len(record) != len(header):
                raise DatasetError(
                    f"The record has {len(record)} fields, the header {len(header)}: {', '.join(header)[:200]}.",
                    where=f"{shown}:{line}",
                    hint="A field with a comma in it is put in double quotes.",
                )
            yield Row(values=dict(zip(header, record, strict=True)), place=f":{line}", texts=True)


def _checked(header: list[str], where: str) -> list[str]:
    names = [name.strip() for name in header]
    for position, name in enumerate(names, start=1):
        if not name:
            raise DatasetError(f"Column {position} of the header has no name.", where=where)
        if names.count(name) > 1:
            raise DatasetError(f'The header names the column "{name}" twice.', where=where)
    return names


@contextlib.contextmanager
def _long_fields() -> Iterator[None]:
    # The csv module caps a field at 128 KB, and keeps that cap for the whole process.
    before = csv.field_size_limit(LARGEST_FILE)
    try:
        yield
    finally:
        csv.field_size_limit(before)
