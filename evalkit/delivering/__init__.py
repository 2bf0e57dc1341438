"""Webhooks: messages of the outbox are signed and sent, at least once, until somebody took them.

ledger.append → outbox (same transaction) → deliver: lease, sign, send → settle: delivered, waiting, or dead
"""

from __future__ import annotations

from evalkit.delivering.delivery import MAX_ATTEMPTS, Attempt, deliver
from evalkit.delivering.signing import headers_of, is_genuine
from evalkit.delivering.webhook import Webhook, listeners, webhooks_of

__all__ = [
    "MAX_ATTEMPTS",
    "Attempt",
    "Webhook",
    "deliver",
    "headers_of",
    "is_genuine",
    "listeners",
    "webhooks_of",
]
