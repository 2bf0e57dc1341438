"""Sends one message over HTTP, once, and says what came of it.

With the standard library alone: nothing is pooled, streamed or followed here, and a promotion should not fail for want
of an HTTP library. A redirect is an answer without success, like an error: whoever is configured gets the message, and
nobody else. The body of an answer is not read.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

GONE = 410
_LONGEST_WAIT = 3600


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of sending: the HTTP `status`, `None` where there was no answer, and then the `error` in words.

    `retry_after` is for how many seconds the receiver asks to be left alone, at most an hour.
    """

    status: int | None
    error: str = ""
    retry_after: int = 0

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_final(self) -> bool:
        """Whether the receiver says that it never wants another."""
        return self.status == GONE


def send(url: str, body: bytes, headers: Mapping[str, str], *, timeout: float) -> Sent:
    """POST `body` to `url`; within `timeout` seconds in all, however slowly the receiver answers."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = {"Content-Type": "application/json", "User-Agent": "evalkit", "Connection": "close", **headers}
    if parts.username is not None:
        own["Authorization"] = _basic(parts.username, parts.password)
    connection = _connection(parts.scheme, parts.hostname or "", parts.port, timeout)
    try:
        with _deadline(connection, timeout) as is_over:
            try:
                connection.request("POST", path, body=body, headers=own)
                answer = connection.getresponse()
                if is_over.is_set():  # what was cut off can look like an end
                    raise TimeoutError
            except (OSError, http.client.HTTPException, ValueError) as error:
                if is_over.is_set() or isinstance(error, TimeoutError):
                    return Sent(status=None, error=f"no answer within {timeout:g} s")
                return Sent(status=None, error=_words(error))
            problem = "" if 200 <= answer.status < 300 else f"answered {answer.status} {answer.reason}".strip()
            return Sent(status=answer.status, error=problem, retry_after=_seconds(answer.getheader("Retry-After")))
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None, timeout: float) -> http.client.HTTPConnection:
    if scheme == "http":  # only ever this machine, which no proxy stands before
        return http.client.HTTPConnection(host, port, timeout=timeout)
    proxy = None if proxy_bypass(host) else getproxies().get("https")
    if not proxy:
        return http.client.HTTPSConnection(host, port, timeout=timeout)
    through = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    tunnel = http.client.HTTPSConnection(through.hostname or "", through.port or 3128, timeout=timeout)
    known = {"Proxy-Authorization": _basic(through.username, through.password)} if through.username else {}
    tunnel.set_tunnel(host, port or 443, headers=known)
    return tunnel


@contextlib.contextmanager
def _deadline(connection: http.client.HTTPConnection, timeout: float) -> Iterator[threading.Event]:
    # The timeout of a socket is for each read: a receiver that gives a byte now and then would be waited for for ever.
    is_over = threading.Event()

    def cut() -> None:
        is_over.set()
        if connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(timeout, cut)
    timer.daemon = True
    timer.start()
    try:
        yield is_over
    finally:
        timer.cancel()


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return "the name of the host is not known"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return f"no answer that is HTTP ({type(error).__name__})"


def _basic(user: str, password: str | None) -> str:
    return "Basic " + base64.b64encode(f"{unquote(user)}:{unquote(password or '')}".encode()).decode("ascii")


def _seconds(header: str | None) -> int:
    text = (header or "").strip()
    return min(int(text), _LONGEST_WAIT) if text.isascii() and text.isdigit() and len(text) < 10 else 0
