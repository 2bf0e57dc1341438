"""How a row becomes a case: by its own keys, or by a mapping from columns."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from evalkit.case import Case
from evalkit.errors import DatasetError, did_you_mean
from evalkit.loaders.row import DEEPEST, Row

Column = str | Sequence[str] | Mapping[str, str] | Callable[[Mapping[str, Any]], Any]
"""Where a part of a case comes from: one column, a list of them (a dict of their values), a dict from a new name
to a column, or a function of the row."""

FIELDS = ("id", "input", "expected", "metadata", "tags")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """Which columns make which part of a case. `None` means the column of the same name, where there is one."""

    input: Column | None = None
    expected: Column | None = None
    id: Column | None = None
    tags: Column | None = None
    metadata: Column | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is mapped, so that rows must be case-shaped."""
        return all(getattr(self, field) is None for field in FIELDS)

    def columns(self) -> dict[str, str]:
        """Each column that is named, with the field it was named for."""
        return {column: field for field in FIELDS for column in _named(getattr(self, field))}


class CaseMaker:
    """Makes cases of rows by one mapping. `file` is how `Case.source` names the file, `shown` how errors do."""

    def __init__(self, mapped: Mapped, *, shown: str, file: str) -> None:
        self._mapped = mapped
        self._shown = shown
        self._file = file
        self._case_shaped = mapped.is_empty
        own = (field for field in FIELDS if getattr(mapped, field) is None)
        self._used = frozenset([*mapped.columns(), *own])

    def case(self, row: Row) -> Case:
        """The case that a row stands for.

        Raises `DatasetError` for a key that no case has, a row without its input, an id that is no text or whole
        number, and tags or metadata of another shape.
        """
        where = self._shown + row.place
        values = row.values
        parts: Mapping[str, Any] = values
        if self._case_shaped:
            _check_case_shaped(values, where)
        else:
            parts = _picked(values, self._mapped, self._used, where)
        expected = parts.get("expected")
        return Case(
            id=_id(parts.get("id"), where, mapped=self._mapped.id is not None),
            input=parts["input"],
            expected=None if row.texts and expected == "" else expected,
            metadata=_metadata(parts.get("metadata"), where),
            tags=_tags(parts.get("tags"), where, texts=row.texts),
            source=self._file + row.place,
        )


def check_columns(mapped: Mapped, seen: set[str], *, shown: str) -> None:
    """Raise `DatasetError` where a column was mapped that no row has; `seen` are the columns of all rows."""
    for column, field in mapped.columns().items():
        if column not in seen:
            raise DatasetError(
                f'No row has the column "{column}", which is mapped to {field}.' + did_you_mean(column, seen),
                where=shown,
                hint=_listed(seen),
            )


def check_values(value: Any, where: str, *, depth: int = 0) -> None:
    """Raise `DatasetError` for NaN or an infinity anywhere in plain data, and for nesting beyond 100 levels."""
    if type(value) is float and not math.isfinite(value):
        raise DatasetError(
            f"{value} stands for no value.",
            where=where,
            hint="Use None for what is missing; with pandas: frame.astype(object).where(frame.notna(), None).",
        )
    if isinstance(value, Mapping):
        inside: Iterable[Any] = value.values()
    elif isinstance(value, list | tuple):
        inside = value
    else:
        return
    if depth >= DEEPEST:
        raise DatasetError(f"The value is nested more than {DEEPEST} levels deep.", where=where)
    for item in inside:
        check_values(item, where, depth=depth + 1)


def _check_case_shaped(values: Mapping[str, Any], where: str) -> None:
    if "input" not in values:
        near = did_you_mean("input", values) if len(values) < 50 else ""
        raise DatasetError(
            "The row has no `input`." + near,
            where=where,
            why=_listed(values),
            hint='Say which column is which: evalkit.load(…, input="COLUMN", expected="COLUMN").',
        )
    for key in values:
        if key not in FIELDS:
            raise DatasetError(
                f'A case has no key "{key}".' + did_you_mean(str(key), FIELDS),
                where=where,
                why="It may have " + ", ".join(FIELDS) + ".",
                hint='Put it under "metadata", or keep it as it is and use evalkit.load(…, input="input"), '
                "which makes metadata of the columns that are left over.",
            )


def _picked(values: Mapping[str, Any], mapped: Mapped, used: frozenset[str], where: str) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    for field in FIELDS:
        column = getattr(mapped, field)
        if column is None:
            parts[field] = values.get(field)
        elif type(column) is str:
            parts[field] = values[column] if column in values else _absent(values, column, field, where)
        elif callable(column):
            parts[field] = _called(column, values, field, where)
        else:
            pairs = column.items() if isinstance(column, Mapping) else zip(column, column, strict=True)
            parts[field] = {
                name: values[source] if source in values else _absent(values, source, field, where)
                for name, source in pairs
            }
    if mapped.input is None and "input" not in values:
        _check_case_shaped(values, where)
    if mapped.tags is not None and isinstance(parts["tags"], dict):
        parts["tags"] = [value for value in parts["tags"].values() if value not in (None, "")]
    if mapped.metadata is None:
        own = parts["metadata"]
        left = {key: value for key, value in values.items() if key not in used}
        if isinstance(own, Mapping):
            left.update(own)
        parts["metadata"] = left if own in (None, "") or isinstance(own, Mapping) else own
    elif isinstance(mapped.metadata, str) and not isinstance(parts["metadata"], Mapping):
        parts["metadata"] = {mapped.metadata: parts["metadata"]}
    return parts


def _absent(values: Mapping[str, Any], column: str, field: str, where: str) -> Any:
    """`None` for a column that a row does not have, unless it is the input's."""
    if field == "input":
        raise DatasetError(
            f'The row has no column "{column}", which is mapped to input.' + did_you_mean(column, values),
            where=where,
            hint=_listed(values),
        )
    return None


def _called(function: Callable[[Mapping[str, Any]], Any], values: Mapping[str, Any], field: str, where: str) -> Any:
    try:
        return function(values)
    except Exception as error:  # whatever a user's function raises, the row it choked on is what helps
        name = getattr(function, "__name__", "the function")
        raise DatasetError(
            f"{name}, which makes the {field}, raised {type(error).__name__}: {error}.",
            where=where,
            hint=_listed(values),
        ) from error


def _id(value: Any, where: str, *, mapped: bool) -> str:
    if isinstance(value, str) and (value or not mapped):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None and not mapped:
        return ""
    found = "empty" if value in (None, "") else f"{value!r:.60}"
    raise DatasetError(
        f"The id is {found}; it is text or a whole number.",
        where=where,
        why="Results are paired across runs by case id.",
        hint="Give every row an id, or none: ids are then made from the content.",
    )


def _tags(value: Any, where: str, *, texts: bool) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        parts = re.split(r"[;,]", value) if texts else [value]
        return tuple(part.strip() for part in parts if part.strip())
    if isinstance(value, list | tuple | set | frozenset) and all(isinstance(tag, str) for tag in value):
        return tuple(sorted(value) if isinstance(value, set | frozenset) else value)
    raise DatasetError(f"The tags are {value!r:.60}; they are a list of texts.", where=where)


def _metadata(value: Any, where: str) -> Mapping[str, Any]:
    if value is None or value == "":
        return {}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return dict(value)
    raise DatasetError(f"The metadata is {value!r:.60}; it is an object with keys.", where=where)


def _named(column: Column | None) -> list[str]:
    if isinstance(column, str):
        return [column]
    if column is None or callable(column):
        return []
    return list(column.values()) if isinstance(column, Mapping) else list(column)


def _listed(columns: Mapping[str, Any] | set[str]) -> str:
    names = sorted(columns) if isinstance(columns, set) else list(columns)
    shown = ", ".join(f"{str(name)[:40]}" for name in names[:20])
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return f"Its columns are: {shown}{more}." if names else "It has no columns at all."
