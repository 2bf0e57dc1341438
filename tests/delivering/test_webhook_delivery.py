"""Messages are delivered at least once, signed, under an id that stays, by one deliverer at a time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.delivering import MAX_ATTEMPTS, Attempt, Webhook, deliver, headers_of, is_genuine
from evalkit.delivering.delivery import FIRST_DELAY, GRACE, LONGEST_DELAY, delay
from evalkit.delivering.sending import Sent, send
from evalkit.errors import ConfigError, NotFound
from evalkit.promotion import Actor, Event
from evalkit.store import Store, open_store

SECRET = "a secret of thirty-two characters"
ENVIRON = {"HOOK_SECRET": SECRET}
Say = Callable[..., None]


def hook(receiver: Any, **changes: Any) -> Webhook:
    said: dict[str, Any] = {"name": "chat", "url": receiver.url, "secret": "env:HOOK_SECRET", "timeout": 20.0}
    return Webhook(**(said | changes))


def run(store: Store, *hooks: Webhook, **options: Any) -> list[Attempt]:
    said: dict[str, Any] = {"environ": ENVIRON, "jitter": lambda: 0.0}
    return list(deliver(store, hooks, **(said | options)))


def test_a_message_tells_what_the_audit_log_tells(store: Store, say: Say, receiver: Any) -> None:
    say(reason="because", score=0.5)
    [attempt] = run(store, hook(receiver))
    assert attempt.sent == Sent(status=204)
    [(headers, body)] = receiver.got
    said = json.loads(body)
    entry = store.audit()[0]
    assert said["type"] == "promotion.applied"
    assert said["timestamp"] == json.loads(entry.body)["at"]
    assert said["data"] == {**json.loads(entry.body), "seq": entry.seq, "hash": entry.hash}
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == attempt.message.id
    [message] = store.outbox("delivered")
    assert (message.target, message.last_status, message.attempts) == ("chat", 204, 1)


def test_a_message_is_signed_as_the_standard_says(store: Store, say: Say, receiver: Any, clock: Any) -> None:
    say()
    run(store, hook(receiver))
    [(headers, body)] = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert int(headers["webhook-timestamp"]) == int(clock.time.timestamp())


def test_the_example_of_the_standard_has_the_signature_that_it_says() -> None:
    # Published with the specification's own libraries.
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = headers_of("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, key)
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(body=st.binary(max_size=50), place=st.integers(0, 49), now=st.integers(-1000, 1000))
def test_only_what_was_signed_and_is_not_old_is_genuine(body: bytes, place: int, now: int) -> None:
    key, at = b"k" * 32, 1_800_000_000
    headers: Mapping[str, str] = {name.title(): value for name, value in headers_of("m1", at, body, key).items()}
    assert is_genuine(headers, body, key, now=at + now) == (abs(now) <= 300)
    assert not is_genuine(headers, body + b"x", key, now=at)
    assert not is_genuine(headers, body, b"l" * 32, now=at)
    assert not is_genuine({**headers, "Webhook-Id": "m2"}, body, key, now=at)
    assert not is_genuine({**headers, "Webhook-Timestamp": str(at + 1)}, body, key, now=at)
    assert is_genuine({**headers, "Webhook-Signature": f"v1,other {headers['Webhook-Signature']}"}, body, key, now=at)
    for gone in headers:
        assert not is_genuine({name: headers[name] for name in headers if name != gone}, body, key, now=at)


def test_a_webhook_gets_what_it_listens_to_and_is_known(store: Store, say: Say, receiver: Any) -> None:
    for action in ("promotion.requested", "alias.moved", "promotion.applied", "promotions"):
        say(action)
    assert [(one.action, one.target) for one in store.outbox()] == [
        ("promotion.requested", "all"),
        ("promotion.requested", "chat"),
        ("alias.moved", "all"),
        ("promotion.applied", "all"),
        ("promotion.applied", "chat"),
        ("promotions", "all"),
    ]
    run(store, hook(receiver))
    assert [json.loads(body)["type"] for _, body in receiver.got] == ["promotion.requested", "promotion.applied"]
    assert len(store.outbox("waiting")) == 4
    assert run(store) == []


@pytest.mark.parametrize("answer", [500, 503, 404, 302, "reset", "garbage"])
def test_what_fails_is_sent_again_later_under_the_same_id(
    store: Store, say: Say, receiver: Any, clock: Any, answer: Any
) -> None:
    say()
    receiver.answers = [answer, answer, 200]
    for waits in (30, 60):
        [attempt] = run(store, hook(receiver))
        assert not attempt.sent.is_taken
        assert attempt.sent.error
        assert "hidden" not in attempt.sent.error
        assert run(store, hook(receiver)) == []
        clock.pass_(seconds=waits - 1)
        assert run(store, hook(receiver)) == []
        clock.pass_(seconds=1)
    [attempt] = run(store, hook(receiver))
    assert attempt.sent.is_taken
    assert len(set(receiver.ids)) == 1
    assert len({body for _, body in receiver.got}) == 1
    assert len({headers["webhook-signature"] for headers, _ in receiver.got}) == 3  # each has its own time
    assert run(store, hook(receiver)) == []


@pytest.mark.parametrize("answer", ["hang", "drip"])
def test_a_receiver_that_never_ends_is_not_waited_for(store: Store, say: Say, receiver: Any, answer: str) -> None:
    say()
    receiver.answers = [answer]
    [attempt] = run(store, hook(receiver, timeout=0.5))
    assert attempt.sent.error == "no answer within 0.5 s"
    assert attempt.again_at is not None


def test_nobody_there(store: Store, say: Say) -> None:
    say()
    [attempt] = run(store, Webhook(name="chat", url="http://127.0.0.1:9/x"))  # the port of a service nobody runs
    assert attempt.sent == Sent(status=None, error="connection refused")


def test_a_redirect_is_not_followed(store: Store, say: Say, receiver: Any) -> None:
    say()
    receiver.answers = [(307, {"Location": receiver.url}), 200]
    [attempt] = run(store, hook(receiver))
    assert attempt.sent.status == 307
    assert len(receiver.got) == 1


def test_a_receiver_that_asks_for_time_gets_it(store: Store, say: Say, receiver: Any, clock: Any) -> None:
    say()
    receiver.answers = [(429, {"Retry-After": "600"}), (503, {"Retry-After": "soon"})]
    [attempt] = run(store, hook(receiver))
    assert attempt.again_at is not None
    assert (attempt.again_at - clock.time).total_seconds() == 600
    clock.pass_(seconds=600)
    [attempt] = run(store, hook(receiver))
    assert attempt.again_at is not None
    assert (attempt.again_at - clock.time).total_seconds() == 60


def test_a_receiver_that_is_gone_gets_no_more(store: Store, say: Say, receiver: Any) -> None:
    say()
    receiver.answers = [410]
    [attempt] = run(store, hook(receiver))
    assert attempt.again_at is None
    assert [(one.target, one.state) for one in store.outbox()] == [("all", "waiting"), ("chat", "dead")]


def test_a_message_dies_after_ten_attempts_and_can_be_redelivered(
    store: Store, say: Say, receiver: Any, clock: Any
) -> None:
    say()
    receiver.answers = [500] * MAX_ATTEMPTS + [200]
    for number in range(1, MAX_ATTEMPTS + 1):
        [attempt] = run(store, hook(receiver))
        assert (attempt.message.attempts, attempt.again_at is None) == (number, number == MAX_ATTEMPTS)
        clock.pass_(hours=7)
    assert run(store, hook(receiver)) == []
    [dead] = store.outbox("dead")
    assert dead.last_error == "answered 500 Internal Server Error"
    assert store.redeliver(dead.id[:30], now=store.now()).attempts == 0
    [attempt] = run(store, hook(receiver))
    assert attempt.sent.is_taken
    assert set(receiver.ids) == {dead.id}
    store.redeliver(dead.id, now=store.now())  # one that was delivered may be wanted again, too
    assert len(run(store, hook(receiver))) == 1


def test_a_message_that_is_not_there(store: Store, say: Say) -> None:
    with pytest.raises(NotFound, match='no message "x"'):
        store.redeliver("x", now=store.now())
    say()
    say()
    with pytest.raises(NotFound, match="beginning of 4 messages"):
        store.redeliver(store.outbox()[0].id[:5], now=store.now())


def test_who_is_killed_between_sending_and_marking_sends_it_again(
    store: Store, say: Say, receiver: Any, clock: Any
) -> None:
    say()

    def killed(*args: Any, **options: Any) -> Sent:
        assert send(*args, **options).is_taken
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(store, hook(receiver), send=killed)
    assert run(store, hook(receiver)) == []  # it is still held
    clock.pass_(seconds=20 + GRACE.total_seconds())
    [attempt] = run(store, hook(receiver))
    assert attempt.sent.is_taken
    assert receiver.ids == [attempt.message.id] * 2


def test_who_comes_back_late_does_not_undo_what_another_wrote(
    store: Store, say: Say, receiver: Any, clock: Any
) -> None:
    say()

    def slow(*_: Any, **__: Any) -> Sent:
        clock.pass_(seconds=20 + GRACE.total_seconds())
        assert run(store, hook(receiver))[0].sent.is_taken  # somebody else, who had better luck
        return Sent(status=None, error="too slow")

    assert [one.sent.error for one in run(store, hook(receiver), send=slow)] == ["too slow"]
    [message] = [one for one in store.outbox() if one.target == "chat"]
    assert (message.state, message.last_error) == ("delivered", None)


def test_deliverers_at_the_same_time_send_each_message_once(store: Store, say: Say, receiver: Any) -> None:
    for number in range(12):
        say(number=number)
    begin = threading.Barrier(4)

    def one(path: Path) -> None:
        with open_store(path) as own:
            begin.wait(60)
            run(own, hook(receiver))

    path = Path(store.url.removeprefix("sqlite:///"))
    threads = [threading.Thread(target=one, args=(path,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(receiver.ids) == sorted(one.id for one in store.outbox("delivered"))
    assert len(receiver.ids) == 12


@pytest.mark.slow
def test_deliverers_on_a_server_send_each_message_once(
    empty_database: str, say: Say, receiver: Any, clock: Any
) -> None:
    with open_store(empty_database, webhooks={"chat": ["*"]}) as store:
        for _ in range(8):
            with store.ledger() as ledger:
                ledger.append(Event(action="x", actor=Actor(name="a"), at=ledger.now(), subject="s"))
        begin = threading.Barrier(3)

        def one() -> None:
            with open_store(empty_database) as own:
                begin.wait(60)
                run(own, hook(receiver))

        threads = [threading.Thread(target=one) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert sorted(receiver.ids) == sorted(one.id for one in store.outbox("delivered"))
        assert len(receiver.ids) == 8


def test_a_process_that_is_killed_loses_no_message(store: Store, say: Say, receiver: Any, clock: Any) -> None:
    say()
    code = """
    import os, sys
    from evalkit.delivering import Webhook, deliver
    from evalkit.delivering.sending import send
    from evalkit.store import open_store
    def killed(*args, **options):
        assert send(*args, **options).is_taken
        os.kill(os.getpid(), 9)
    with open_store(sys.argv[1]) as store:
        list(deliver(store, [Webhook(name="chat", url=sys.argv[2])], send=killed))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), store.url, receiver.url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -9, done.stderr
    [held] = [one for one in store.outbox() if one.target == "chat"]
    clock.time = max(clock.time, held.next_at)
    [attempt] = run(store, hook(receiver))
    assert attempt.sent.is_taken
    assert receiver.ids == [attempt.message.id] * 2


def test_nothing_is_sent_where_a_secret_is_missing(store: Store, say: Say, receiver: Any) -> None:
    say()
    with pytest.raises(ConfigError, match="HOOK_SECRET has no secret"):
        run(store, hook(receiver), environ={})
    assert receiver.got == []
    assert store.outbox()[0].attempts == 0


def test_as_many_as_are_asked_for(store: Store, say: Say, receiver: Any) -> None:
    for _ in range(3):
        say()
    assert len(run(store, hook(receiver), limit=2)) == 2
    assert len(run(store, hook(receiver))) == 1


@given(st.integers(1, 1000), st.floats(0, 1))
def test_delays_grow_and_end(attempts: int, jitter: float) -> None:
    found = delay(attempts, jitter)
    assert FIRST_DELAY / 2 <= found <= LONGEST_DELAY
    assert delay(attempts, 1.0) <= found <= delay(attempts, 0.0)
    assert delay(attempts + 1, jitter) >= found
