"""A receiver on this machine that answers as it is told, and a store with messages for it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evalkit.promotion import Actor, Event
from evalkit.store import Store, open_store
from evalkit.store import ledger as ledger_module

AT = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)


@dataclasses.dataclass
class Receiver:
    """What came in; `answers` say what is done with each, the last one with all that follow.

    An answer is a status, `(status, headers)`, `hang`, `reset`, `drip` or `garbage`.
    """

    url: str
    answers: list[Any]
    got: list[tuple[dict[str, str], bytes]] = dataclasses.field(default_factory=list)
    let_go: threading.Event = dataclasses.field(default_factory=threading.Event)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


def handler(receiver: Receiver) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            number = min(len(receiver.got), len(receiver.answers)) - 1
            answer = receiver.answers[number]
            if answer == "hang":
                receiver.let_go.wait(60)
            elif answer == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                self.connection.close()
            elif answer == "drip":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not receiver.let_go.wait(0.02):
                    self.wfile.write(b"x")
            elif answer == "garbage":
                self.wfile.write(b"what?\r\n\r\n")
            else:
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing: the tests look at what came in."""

    return Handler


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: senders that go away are what is tested."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver(url="", answers=[204])
    server = Server(("127.0.0.1", 0), handler(made))
    made.url = f"http://127.0.0.1:{server.server_address[1]}/hook?key=hidden"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.let_go.set()
    server.shutdown()
    server.server_close()
    thread.join(30)


@dataclasses.dataclass
class Clock:
    """The time of the store, which goes on only when it is told to."""

    time: dt.datetime = AT

    def pass_(self, **span: float) -> None:
        self.time += dt.timedelta(**span)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(ledger_module, "utc_now", lambda: made.time)
    return made


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with open_store(tmp_path / "evalkit.db", webhooks={"chat": ["promotion.*"], "all": ["*"]}) as opened:
        yield opened


@pytest.fixture
def say(store: Store) -> Callable[..., None]:
    """Let something happen, of which messages tell."""

    def said(action: str = "promotion.applied", **facts: Any) -> None:
        with store.ledger() as ledger:
            ledger.append(
                Event(
                    action=action,
                    actor=Actor(name="ada"),
                    at=ledger.now(),
                    subject="prompt/greet",
                    alias="production",
                    facts=facts,
                )
            )

    return said
