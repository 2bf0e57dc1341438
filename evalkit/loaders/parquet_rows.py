"""Rows out of Parquet, through pyarrow, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evalkit.canonical import jsonable
from evalkit.errors import DatasetError, MissingExtra
from evalkit.loaders.row import Row


def parquet_rows(path: Path, *, shown: str) -> Iterator[Row]:
    """A row for each record; dates become ISO 8601 text, decimals text.

    Raises `MissingExtra` without pyarrow, and `DatasetError` for a file that is not Parquet, bytes, and NaN.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("pyarrow", "parquet", needed_for=f"Reading {shown}") from None
    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                for record in batch.to_pylist():
                    number += 1
                    yield Row(values=_plain(record, f"{shown} row {number}"), place=f" row {number}")
    except pyarrow.ArrowException as error:
        raise DatasetError(f"This is not a readable Parquet file: {_first_line(error)}", where=shown) from None


def _plain(record: dict[str, object], where: str) -> dict[str, object]:
    made: dict[str, object] = {}
    for column, value in record.items():
        try:
            made[column] = jsonable(value, strict=True)
        except (TypeError, ValueError) as error:
            raise DatasetError(
                f'The column "{column}": {error}.',
                where=where,
                hint="Write a missing value as null, and bytes as text.",
            ) from None
    return made


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
