"""Everything a suite may name as its dataset, read into one: a path, a file, a list, a callable, a dataset."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from evalkit.case import Case, Dataset
from evalkit.errors import DatasetError, EvalkitError
from evalkit.loaders.file import load
from evalkit.loaders.mapping import CaseMaker, Mapped, check_values
from evalkit.loaders.row import Row
from evalkit.suites import DatasetSource


def read_dataset(source: DatasetSource, *, folder: Path, name: str) -> Dataset:
    """The dataset that `source` stands for, read now.

    `folder` is where relative paths begin, `name` what a dataset from a list or callable is called. A callable
    may return anything that a suite may name, or be a generator of cases. Raises `DatasetError` for a source
    that is missing, empty, broken or of no known kind.
    """
    if isinstance(source, Dataset):
        return source
    if isinstance(source, str | Path):
        return load(source).read(folder)
    if isinstance(source, io.IOBase):
        raise DatasetError(
            "A dataset cannot be an open file.", where=name, hint="Pass its path, which can be read again."
        )
    if hasattr(source, "read"):
        return source.read(folder)
    if callable(source):
        return _called(source, folder=folder, name=name)
    return _listed(source, name=name, where=name)


def _called(function: Callable[[], Any], *, folder: Path, name: str) -> Dataset:
    label = getattr(function, "__name__", type(function).__name__)
    code = getattr(inspect.unwrap(function), "__code__", None)
    where = f"{code.co_filename}:{code.co_firstlineno}" if code is not None else label
    try:
        made = function()
        if inspect.isawaitable(made) or inspect.isasyncgen(made):
            if inspect.iscoroutine(made):
                made.close()
            raise DatasetError(f"{label} is async; a dataset is read by a plain function.", where=where)
        if callable(made) and not isinstance(made, Iterable):
            raise DatasetError(f"{label} returned something callable; it returns the cases themselves.", where=where)
        if isinstance(made, str | Path | Dataset) or hasattr(made, "read"):
            return read_dataset(made, folder=folder, name=name)
        return _listed(made, name=name, where=f"{label}()", at=where)
    except EvalkitError:
        raise
    except Exception as error:  # whatever a user's function raises; its own traceback stays attached as the cause
        raise DatasetError(f"{label} raised {type(error).__name__}: {error}", where=where) from error


def _listed(rows: Any, *, name: str, where: str, at: str | None = None) -> Dataset:
    if not isinstance(rows, Iterable) or isinstance(rows, Mapping | bytes | str):
        raise DatasetError(
            f"A dataset cannot be {type(rows).__name__}.",
            where=at or where,
            hint="It is a path, evalkit.load(…), a list of cases or dicts, or a callable that returns one of those.",
        )
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):  # a pandas frame, which iterates over column names
        raise DatasetError(
            "A data frame is not read as it is.", where=at or where, hint='Pass frame.to_dict("records").'
        )
    maker = CaseMaker(Mapped(), shown=where, file=where)
    cases: list[Case] = []
    for number, item in enumerate(rows, start=1):
        place = f" row {number}"
        if isinstance(item, Case):
            case = item
        elif isinstance(item, Mapping):
            case = maker.case(Row(values=item, place=place))
        else:
            raise DatasetError(
                f"A row is {type(item).__name__}, not an evalkit.Case or a dict.",
                where=where + place,
                hint='Write evalkit.Case(input=…, expected=…), or {"input": …, "expected": …}.',
            )
        for value in (case.input, case.expected, case.metadata):
            check_values(value, case.source or where + place)
        cases.append(case)
    return Dataset.of(cases, name=name, source=at)
