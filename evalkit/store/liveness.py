"""Whether a run that has not finished is still going."""

from __future__ import annotations

import datetime as dt

from evalkit.canonical import utc_now
from evalkit.runs import RunStatus
from evalkit.store.cells import time_of

ALIVE_FOR = dt.timedelta(seconds=60)
"""How long after its last heartbeat a run counts as going on."""


def shown_status(status: RunStatus, heartbeat_at: str) -> RunStatus:
    """The status to show: a `running` run without a fresh heartbeat was `interrupted`, never `complete`."""
    if status == "running" and utc_now() - time_of(heartbeat_at) > ALIVE_FOR:
        return "interrupted"
    return status
