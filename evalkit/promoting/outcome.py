"""What came of a command on promotions."""

from __future__ import annotations

import dataclasses

from evalkit.promotion import Event, Freeze, Promotion


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command did, or would do: with `dry_run` nothing of it was written.

    `promotion` is how it stands afterwards, `None` for a freeze. `events` are the rows of the audit log, in their
    order; the first is of what was asked, the others of what followed. `others` are promotions that changed with it,
    such as the one that was superseded.
    """

    promotion: Promotion | None = None
    events: tuple[Event, ...] = ()
    others: tuple[Promotion, ...] = ()
    freeze: Freeze | None = None
    dry_run: bool = False
