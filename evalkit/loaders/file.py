"""A dataset file, with the way its rows become cases; nothing is read until it is asked for."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from evalkit.case import Case, Dataset
from evalkit.errors import DatasetError, did_you_mean
from evalkit.loaders.mapping import FIELDS, CaseMaker, Column, Mapped, check_columns
from evalkit.loaders.row import Row

_READERS = {
    ".jsonl": ("json_rows", "jsonl_rows"),
    ".ndjson": ("json_rows", "jsonl_rows"),
    ".json": ("json_rows", "json_rows"),
    ".csv": ("csv_rows", "csv_rows"),
    ".yaml": ("yaml_rows", "yaml_rows"),
    ".yml": ("yaml_rows", "yaml_rows"),
    ".parquet": ("parquet_rows", "parquet_rows"),
}
"""The module and the function that read a kind of file; loaded for the first file of that kind."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFile:
    """A file and how its rows become cases, as `load` was told. `read` reads it.

    `name` is the dataset's; `None` makes it from the path. `limit` is how many rows are read at most.
    """

    path: Path
    mapped: Mapped = dataclasses.field(default_factory=Mapped)
    name: str | None = None
    limit: int | None = None

    def read(self, folder: Path | None = None) -> Dataset:
        """The dataset, read now; a relative path is taken from `folder`, or from the working directory.

        Raises `DatasetError`, with the file and line, for a file that is missing, empty or broken, for a row
        that is no case, and for an id given twice; `MissingExtra` for Parquet without pyarrow.
        """
        path = self.path if folder is None else folder / self.path
        shown = _shown(path)
        reader = _reader(path.suffix.lower())
        _check_there(path, shown)
        if reader is None:
            kinds = sorted(_READERS)
            raise DatasetError(
                f"A file that ends in {path.suffix or 'nothing'} is not read." + did_you_mean(path.suffix, kinds),
                where=shown,
                hint="The kinds are " + ", ".join(kinds) + ".",
            )
        try:
            cases = self._cases(reader(path, shown=shown), shown)
        except OSError as error:
            if isinstance(error, DatasetError):
                raise
            raise DatasetError(f"The file cannot be read: {error.strerror or error}.", where=shown) from None
        if not cases:
            raise DatasetError(
                "The file has no cases.",
                where=shown,
                why="A suite with nothing to run can never pass a gate.",
                hint="Check that it was written out whole.",
            )
        return Dataset.of(cases, name=self.name or self._default_name(), source=self.path.as_posix())

    def _cases(self, rows: Iterator[Row], shown: str) -> list[Case]:
        maker = CaseMaker(self.mapped, shown=shown, file=self.path.as_posix())
        cases: list[Case] = []
        columns: set[str] = set()
        places: dict[str, str] = {}
        for row in itertools.islice(rows, self.limit):
            case = maker.case(row)
            columns.update(row.values)
            if case.id:
                if case.id in places:
                    raise _twice(case.id, shown + row.place, shown + places[case.id])
                places[case.id] = row.place
            cases.append(case)
        if cases:
            check_columns(self.mapped, columns, shown=shown)
        return cases

    def _default_name(self) -> str:
        return self.path.stem if self.path.is_absolute() else self.path.with_suffix("").as_posix()


def load(
    path: str | Path,
    *,
    input: Column | None = None,  # noqa: A002 - named as the field of a case that it fills
    expected: Column | None = None,
    id: Column | None = None,  # noqa: A002 - likewise
    tags: Column | None = None,
    metadata: Column | None = None,
    name: str | None = None,
    limit: int | None = None,
) -> DatasetFile:
    """A dataset file, for `@evalkit.suite(dataset=…)` or to `read()`; nothing is read yet.

    The file is jsonl, json (a list, or an object with `cases`), csv, yaml or parquet, told by its ending. Its rows
    are case-shaped (`id`, `input`, `expected`, `metadata`, `tags`) unless something is mapped: each of `input`,
    `expected`, `id`, `tags`, `metadata` is then a column, a list of columns (a dict of their values), a dict
    from a new name to a column, or a function of the row. A field that is not mapped takes the column of its
    own name, and columns left over become metadata, unless `metadata` says which do.

    `name` is the dataset's; left out it is the path without its ending. `limit` reads only the first rows.
    """
    mapped = {"input": input, "expected": expected, "id": id, "tags": tags, "metadata": metadata}
    for field in FIELDS:
        _check_column(field, mapped[field])
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise DatasetError(f"`limit` is a whole number above 0, not {limit!r}.")
    return DatasetFile(path=Path(path), mapped=Mapped(**mapped), name=name, limit=limit)


def _reader(suffix: str) -> Callable[..., Iterator[Row]] | None:
    if suffix not in _READERS:
        return None
    module, name = _READERS[suffix]
    reader: Callable[..., Iterator[Row]] = getattr(import_module(f"evalkit.loaders.{module}"), name)
    return reader


def _check_column(field: str, column: Column | None) -> None:
    if column is None or callable(column) or (isinstance(column, str) and column):
        return
    if isinstance(column, dict | list | tuple) and column:
        names = [*column, *(column.values() if isinstance(column, dict) else ())]
        if all(isinstance(name, str) and name for name in names):
            return
    raise DatasetError(
        f"`{field}` is mapped to {column!r:.60}.",
        hint="It is a column's name, a list of names, a dict from a new name to a column, or a function of the row.",
    )


def _check_there(path: Path, shown: str) -> None:
    try:
        if path.is_file():
            return
    except OSError as error:
        raise DatasetError(f"This cannot be a path: {error.strerror}.", where=f"{shown:.60}") from None
    folder = path.parent
    if path.is_dir():
        what, names = "This is a folder, not a file.", sorted(item.name for item in path.iterdir())
    elif not folder.is_dir():
        raise DatasetError(
            f"There is no folder {_shown(folder)}.",
            where=shown,
            hint="Relative paths are taken from the folder of the file that declares the suite.",
        )
    else:
        names = sorted(item.name for item in folder.iterdir())
        what = "There is no such file." + did_you_mean(path.name, names)
    readable = [name for name in names if Path(name).suffix.lower() in _READERS]
    raise DatasetError(
        what,
        where=shown,
        hint=f"Dataset files there: {', '.join(readable[:8])}." if readable else "No dataset file lies there.",
    )


def _shown(path: Path) -> str:
    """The path as short as it can be said from the working directory."""
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix() or "."
    except (ValueError, OSError):
        return str(path)


def _twice(identifier: str, where: str, before: str) -> DatasetError:
    return DatasetError(
        f'The id "{identifier}" is given twice, first at {before}.',
        where=where,
        why="Results are paired across runs by case id, so an id names one case only.",
        hint="Give each case its own id, or leave ids out: they are then made from the content.",
    )
