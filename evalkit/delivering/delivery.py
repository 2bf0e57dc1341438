"""Delivers what is due: each message at least once, by one deliverer at a time, later again where it failed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections.abc import Callable, Iterator, Mapping, Sequence

from evalkit.canonical import new_id
from evalkit.delivering.sending import Sent, send
from evalkit.delivering.signing import headers_of
from evalkit.delivering.webhook import Webhook
from evalkit.store import Store
from evalkit.store.outbox import Message

MAX_ATTEMPTS = 10
"""After so many a message is dead: given up, until somebody redelivers it. They take about four hours."""

FIRST_DELAY = dt.timedelta(seconds=30)
LONGEST_DELAY = dt.timedelta(hours=6)
GRACE = dt.timedelta(seconds=60)
"""How much longer than the sending may take a message is held, before another deliverer may take it."""

Send = Callable[..., Sent]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One message that was sent, what came of it, and when it is sent again: `None` for never."""

    message: Message
    sent: Sent
    again_at: dt.datetime | None


def deliver(
    store: Store,
    webhooks: Sequence[Webhook],
    *,
    limit: int | None = None,
    environ: Mapping[str, str] | None = None,
    send: Send = send,
    jitter: Callable[[], float] = random.random,
) -> Iterator[Attempt]:
    """Send what is due for `webhooks`, oldest first, and yield what came of each; at most `limit` messages.

    A message is written down as delivered after the receiver took it: who is killed in between sends it again, under
    the same id. Raises `ConfigError` where a secret is missing, before anything is sent.
    """
    keys = {webhook.name: webhook.key(environ) for webhook in webhooks}
    known = {webhook.name: webhook for webhook in webhooks}
    longest = dt.timedelta(seconds=max((webhook.timeout for webhook in webhooks), default=0.0))
    done = 0
    while limit is None or done < limit:
        now = store.now()
        taken = store.lease(holder=new_id(), now=now, until=now + longest + GRACE, targets=list(known), limit=1)
        if not taken:
            return
        [message] = taken
        webhook = known[message.target]
        body = message.body.encode("utf-8")
        headers = headers_of(message.id, int(now.timestamp()), body, keys[webhook.name])
        sent = send(webhook.url, body, headers, timeout=webhook.timeout)
        yield _settled(store, message, sent, jitter)
        done += 1


def delay(attempts: int, jitter: float) -> dt.timedelta:
    """How long to wait after so many attempts: twice as long each time, less up to a half of it, as `jitter` (0 to 1)
    says, so that messages that failed together do not all come back together.
    """
    whole = min(LONGEST_DELAY, FIRST_DELAY * (1 << min(attempts - 1, 20)))
    return whole * (1 - 0.5 * jitter)


def _settled(store: Store, message: Message, sent: Sent, jitter: Callable[[], float]) -> Attempt:
    now = store.now()
    if sent.is_taken:
        store.settle(message, state="delivered", next_at=now, delivered_at=now, status=sent.status)
        return Attempt(message=message, sent=sent, again_at=None)
    if sent.is_final or message.attempts >= MAX_ATTEMPTS:
        store.settle(message, state="dead", next_at=now, status=sent.status, error=sent.error)
        return Attempt(message=message, sent=sent, again_at=None)
    again_at = now + max(delay(message.attempts, jitter()), dt.timedelta(seconds=sent.retry_after))
    store.settle(message, state="waiting", next_at=again_at, status=sent.status, error=sent.error)
    return Attempt(message=message, sent=sent, again_at=again_at)
