"""A case is one row of a dataset; a dataset is named, ordered, content-hashed cases."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from evalkit.canonical import canonical_json, digest
from evalkit.errors import DatasetError

_NONE: Mapping[str, Any] = MappingProxyType({})
_LONGEST_ID = 200
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _no_metadata() -> Mapping[str, Any]:
    return _NONE


CLUSTER = "evalkit.cluster"
"""Where the metadata of a suite keep the name of its cluster key."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row: what goes in, what should come out, and what is known about it.

    `id` is stable across runs; left out, it is made from the content of `input` when the case joins a dataset.
    `input` is anything JSON can say, a dict by habit. `expected=None` means that none is given.
    `tags` are words, `metadata` is a flat mapping; both make slices (`accuracy[lang=de]`, `accuracy[hard]`).
    `source` is where the row was read, such as `cases.jsonl:17`, and is no part of its content.
    """

    id: str = ""
    input: Any = None
    expected: Any = None
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=_no_metadata)
    tags: tuple[str, ...] = ()
    source: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.tags, str):
            object.__setattr__(self, "tags", (self.tags,))
        elif type(self.tags) is not tuple:
            object.__setattr__(self, "tags", tuple(self.tags))

    def content(self) -> dict[str, Any]:
        """What the case says, without where it was read: `id, input, expected, metadata, tags`."""
        return {
            "id": self.id,
            "input": self.input,
            "expected": self.expected,
            "metadata": dict(self.metadata),
            "tags": list(self.tags),
        }


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Named, ordered cases whose ids are unique; `digest` is the version.

    Make one with `Dataset.of`, which gives ids to the cases that have none.
    """

    name: str
    cases: tuple[Case, ...]
    digest: str
    source: str | None = None

    @classmethod
    def of(cls, cases: Sequence[Case], *, name: str, source: str | None = None) -> Dataset:
        """The dataset of `cases`, in their order.

        A case without an id gets `case-` and ten hex digits of its input's digest; of several such cases with
        the same input the second gets `-2` behind it, and so on, so that an id moves with the content and
        survives a corrected `expected`. Raises `DatasetError` for no cases at all, for an id given twice, and
        for one that is not text, is longer than 200 characters, or has control characters in it.
        """
        if not cases:
            raise DatasetError(
                f"The dataset {name} has no cases.",
                where=source,
                why="A suite with nothing to run can never pass a gate.",
                hint="Check the file or callable it is read from.",
            )
        for case in cases:
            _check_id(case, name)
        seen: dict[str, Case] = {case.id: case for case in cases if case.id}
        if len(seen) < sum(1 for case in cases if case.id):
            raise _duplicate_ids(cases, name)
        counts: dict[str, int] = {}
        named: list[Case] = []
        for case in cases:
            if case.id:
                named.append(case)
                continue
            base = f"case-{digest(case.input)[:10]}"
            counts[base] = counts.get(base, 0) + 1
            identifier = base if counts[base] == 1 else f"{base}-{counts[base]}"
            if identifier in seen:
                raise _duplicate_ids([*named, dataclasses.replace(case, id=identifier)], name)
            named.append(dataclasses.replace(case, id=identifier))
        return cls(name=name, cases=tuple(named), digest=_digest_of(named), source=source)

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, index: Any) -> Any:
        return self.cases[index]

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)


def _digest_of(cases: Sequence[Case]) -> str:
    """The digest of the list of their contents, made one case at a time to keep no second copy of all."""
    whole = hashlib.sha256(b"[")
    for index, case in enumerate(cases):
        if index:
            whole.update(b",")
        whole.update(canonical_json(case.content()))
    whole.update(b"]")
    return whole.hexdigest()


def _check_id(case: Case, name: str) -> None:
    identifier = case.id
    if type(identifier) is str and len(identifier) <= _LONGEST_ID and not _UNPRINTABLE.search(identifier):
        return
    if not isinstance(identifier, str):
        what = f"is {type(identifier).__name__}, not text"
    elif len(identifier) > _LONGEST_ID:
        what = f"has {len(identifier)} characters, more than {_LONGEST_ID}"
    else:
        what = "has control characters in it"
    raise DatasetError(
        f"An id in the dataset {name} {what}: {repr(identifier)[:60]}.",
        where=case.source,
        why="Ids are shown in every listing and selected by name.",
        hint="Give the case a short, readable id, or leave it out: it is then made from the content.",
    )


def _duplicate_ids(cases: Sequence[Case], name: str) -> DatasetError:
    first: dict[str, Case] = {}
    for case in cases:
        if not case.id:
            continue
        if case.id in first:
            before = first[case.id].source or "an earlier case"
            return DatasetError(
                f'The id "{case.id}" is given twice in the dataset {name}, first at {before}.',
                where=case.source,
                why="Results are paired across runs by case id, so an id names one case only.",
                hint="Give each case its own id, or leave ids out: they are then made from the content.",
            )
        first[case.id] = case
    raise AssertionError("called without a duplicate")
