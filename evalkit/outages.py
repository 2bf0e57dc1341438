"""Whether an error is the network's or the provider's, and may be gone the next time, or one of the code's."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from evalkit.errors import EvalkitError, ModelUnavailable

_STATUSES = frozenset((408, 425, 429))
_LINKS = 8
_OF_NETWORK = {
    "httpx": ("TransportError",),
    "httpx2": ("TransportError",),
    "aiohttp": ("ClientConnectionError", "ServerTimeoutError"),
    "requests": ("ConnectionError", "Timeout"),
    "urllib3.exceptions": ("NewConnectionError", "ProtocolError", "TimeoutError"),
    "openai": ("APIConnectionError",),
    "anthropic": ("APIConnectionError",),
}
"""What clients call a connection that failed; looked at only where the client is imported already."""


def is_outage(error: BaseException) -> bool:
    """Whether `error` says that a service was away: no connection, no answer in time, 408, 425, 429 or 5xx.

    An error that was raised `from` such a one counts as well; one that merely happened while another was handled does
    not. An assertion never counts, nor does a missing file or whatever else a mistake in the code raises.
    """
    return any(_away(one) for one in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    for _ in range(_LINKS):
        if seen is None or isinstance(seen, AssertionError):
            return
        yield seen
        seen = seen.__cause__


def _away(error: BaseException) -> bool:
    if isinstance(error, EvalkitError):
        return isinstance(error, ModelUnavailable)
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    status = _status(error)
    if status is not None:
        return status in _STATUSES or 500 <= status < 600
    reason = getattr(error, "reason", None)  # how urllib wraps what went wrong below it
    if isinstance(reason, BaseException) and reason is not error:
        return _away(reason)
    socket = sys.modules.get("socket")
    if socket is not None and isinstance(error, socket.gaierror):
        return True
    for name, kinds in _OF_NETWORK.items():
        module = sys.modules.get(name)
        known = tuple(kind for kind in (getattr(module, kind, None) for kind in kinds) if isinstance(kind, type))
        if known and isinstance(error, known):
            return True
    return False


def _status(error: BaseException) -> int | None:
    """The status of HTTP that an error carries as clients do: `status_code`, `status`, `code`, or its response's."""
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "status", "code"):
            found = getattr(holder, name, None)
            if isinstance(found, int) and not isinstance(found, bool) and 100 <= found < 600:
                return found
    return None
