"""One of several parts of a run: `2/8` is the second of eight, each on a machine of its own."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from evalkit.errors import ConfigError

T = TypeVar("T")

SHARD = "evalkit.shard"
"""Where the metadata of a suite keep which shard of it a run is."""

MOST = 10_000
"""How many shards there may be."""

_NEAR = re.compile(r"\s*(\d{1,6})\s*(?:/|-|:|\||\\|of|out of|,)\s*(\d{1,6})\s*", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """The `index`th of `of` shards, counted from 1."""

    index: int
    of: int

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"

    @classmethod
    def parse(cls, text: str, *, where: str | None = None) -> Shard:
        """The shard that `text` says, such as `2/8`. Raises `ConfigError`, with what was probably meant."""
        found = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", text)
        if found is not None:
            shard = cls(index=int(found[1]), of=int(found[2]))
            if shard.index <= shard.of <= MOST:
                return shard
        raise ConfigError(
            f"`shard` is a part of a whole such as 2/8, the second of eight, not {text!r:.60}.",
            where=where,
            why="Shards that do not fit together would leave cases out, or run them twice.",
            hint=_hint(text),
        )

    def part(self, cases: Sequence[T]) -> tuple[T, ...]:
        """Those of `cases` that are this shard's: every `of`th by position, so that all shards take about as long.

        The shards of one number are disjoint and together are the whole, whatever the seed; of the trials of a case
        all are in one.
        """
        return tuple(cases[self.index - 1 :: self.of])

    @property
    def selection(self) -> str:
        """How the record of a run says that it is a shard."""
        return f"shard {self}"

    def to_metadata(self) -> dict[str, Any]:
        """The record as it stands in the metadata of a suite."""
        return {SHARD: {"index": self.index, "of": self.of}}

    @staticmethod
    def without(metadata: Mapping[str, Any]) -> dict[str, Any]:
        """The metadata of the whole suite that those of a shard's are."""
        return {key: value for key, value in metadata.items() if key != SHARD}


def _hint(text: str) -> str:
    near = _NEAR.fullmatch(text)
    if near is None:
        return "Write the number of this shard, a slash, and how many there are: 1/8, 2/8, … 8/8."
    index, of = int(near[1]), int(near[2])
    if index == 0 and of > 0:
        return f"Shards are counted from 1: the first is 1/{of}, the last {of}/{of}."
    if of == 0 or index > of:
        return f"There is no shard {index} of {of}."
    return f"There are at most {MOST:,} shards." if of > MOST else f"Write {index}/{of}."
