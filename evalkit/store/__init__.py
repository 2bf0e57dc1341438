"""The store: where runs are kept, in a file or on a server.

`open_store` gives a `Store`; `upgrade`, `check`, `backup` and `restore` look after one.
"""

from __future__ import annotations

from evalkit.store.listing import RunSummary
from evalkit.store.opening import open_store
from evalkit.store.store import Store

__all__ = ["RunSummary", "Store", "open_store"]
