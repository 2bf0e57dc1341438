"""A promotion judged again from what is stored: does it still come out the same?"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from evalkit.promotion import Promotion, RuleVerdict

if TYPE_CHECKING:
    from evalkit.store import Store


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What judging again gave. `differences` are sentences, none where everything came out the same; `verdicts` are
    the new ones. Rules that held against the state of that day (`current`) are not judged again.
    """

    promotion: Promotion
    verdicts: tuple[RuleVerdict, ...]
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether it comes out as it is recorded."""
        return not self.differences


def verify(store: Store, promotion: str) -> Verification:
    """Judge a promotion again by its own policy, on its own runs, at the time it was judged. Raises `NotFound`."""
    raise NotImplementedError
