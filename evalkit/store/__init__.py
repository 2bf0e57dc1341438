"""The store: where runs are kept, in a file or on a server.

`open_store` gives a `Store`; `upgrade`, `check`, `backup` and `restore` look after one; a `Spool` keeps what the store
could not take, until `ingest` puts it in. Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.contents import contents

if TYPE_CHECKING:
    from evalkit.store.aliases import Alias
    from evalkit.store.backups import Backup, backup, restore
    from evalkit.store.checking import Check, check
    from evalkit.store.exchanges import Recorded, StoredExchanges
    from evalkit.store.filters import RunFilter, Used
    from evalkit.store.history import HistoryPoint, UsedVersion
    from evalkit.store.listing import RunSummary
    from evalkit.store.opening import open_store
    from evalkit.store.spool import Spool, ingest
    from evalkit.store.store import Store
    from evalkit.store.tracelist import TraceSummary
    from evalkit.store.upgrading import Upgrade, upgrade
    from evalkit.store.versions import Registered

_HOMES = {
    "Alias": "aliases",
    "Backup": "backups",
    "Check": "checking",
    "HistoryPoint": "history",
    "Recorded": "exchanges",
    "Registered": "versions",
    "RunFilter": "filters",
    "RunSummary": "listing",
    "Spool": "spool",
    "Store": "store",
    "StoredExchanges": "exchanges",
    "TraceSummary": "tracelist",
    "Upgrade": "upgrading",
    "Used": "filters",
    "UsedVersion": "history",
    "backup": "backups",
    "check": "checking",
    "ingest": "spool",
    "open_store": "opening",
    "restore": "backups",
    "upgrade": "upgrading",
}

__all__ = [
    "Alias",
    "Backup",
    "Check",
    "HistoryPoint",
    "Recorded",
    "Registered",
    "RunFilter",
    "RunSummary",
    "Spool",
    "Store",
    "StoredExchanges",
    "TraceSummary",
    "Upgrade",
    "Used",
    "UsedVersion",
    "backup",
    "check",
    "ingest",
    "open_store",
    "restore",
    "upgrade",
]

__getattr__, __dir__ = contents(__name__, _HOMES)
