"""Webhooks: messages of the outbox are signed and sent, at least once, until somebody took them."""

from __future__ import annotations

from evalkit.delivering.webhook import Webhook, listeners, webhooks_of

__all__ = ["Webhook", "listeners", "webhooks_of"]
