"""`evalkit tokens`, `audit` and `outbox` on the command line."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.attestation import new_key
from evalkit.identity import is_secret
from evalkit.promotion import Actor
from evalkit.promotion.ledger import Event
from evalkit.store import open_store
from evalkit.versions import Version

Cli = Callable[..., Any]
STORE = Path(".evalkit/evalkit.db")


@pytest.fixture
def admin(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> str:
    """The token of an admin, in the environment from now on."""
    made = cli("tokens", "create", "ada", "--role", "admin")
    assert made.code == 0, made.err
    secret = str(made.out.strip())
    monkeypatch.setenv("EVALKIT_TOKEN", secret)
    return secret


def test_a_token_is_shown_once_and_kept_nowhere(cli: Cli) -> None:
    made = cli("tokens", "create", "ada", "--role", "approver:production", "--expires", "never")
    assert is_secret(made.out.strip())
    assert "for ever. It is not shown again." in made.err
    assert "There is no admin yet" in made.err
    assert made.out.strip() not in made.err
    for words in (["tokens", "list"], ["tokens", "list", "--json"], ["audit", "log"], ["audit", "log", "--json"]):
        assert made.out.strip()[:20] not in cli(*words).out
    written = b"".join(path.read_bytes() for path in STORE.parent.iterdir() if path.is_file())
    assert b"approver" in written
    assert made.out.strip().encode() not in written
    assert made.out.strip()[4:].encode() not in written


def test_only_admins_make_tokens_once_there_is_one(cli: Cli, admin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("tokens", "create", "ci", "--service", "--role", "runner:production").code == 0
    monkeypatch.delenv("EVALKIT_TOKEN")
    refused = cli("tokens", "create", "eve", "--role", "admin")
    assert (refused.code, refused.out) == (1, "")
    assert "[role]" in refused.err
    assert [(one["name"], one["service"], one["works"]) for one in cli("tokens", "list", "--json").json()] == [
        ("ada", False, True),
        ("ci", True, True),
    ]


def test_who_somebody_is(cli: Cli, admin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("tokens", "whoami").out == "ada (api-token)\nroles: admin\n"
    assert cli("tokens", "whoami", "--json").json()["roles"] == {"admin": ["*"]}
    monkeypatch.delenv("EVALKIT_TOKEN")
    assert "proves nothing" in cli("tokens", "whoami").out
    monkeypatch.setenv("EVALKIT_TOKEN", "evk_wrong")
    wrong = cli("tokens", "whoami")
    assert wrong.code == 2
    assert "evk_wrong" not in wrong.err


def test_a_token_is_revoked(cli: Cli, admin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = cli("tokens", "create", "bob", "--role", "viewer").out.strip()
    cli("tokens", "create", "eve", "--role", "viewer")
    monkeypatch.setenv("EVALKIT_TOKEN", own)
    assert cli("tokens", "revoke", "eve").code == 1
    assert "was revoked" in cli("tokens", "revoke", "bob").out  # everybody may revoke their own
    assert cli("tokens", "whoami").code == 2
    monkeypatch.setenv("EVALKIT_TOKEN", admin)
    assert cli("tokens", "revoke", "eve", "--json").json()["revoked_by"] == "ada"
    assert [one["name"] for one in cli("tokens", "--json").json()] == ["ada"]
    assert "revoked" in cli("tokens", "list", "--all").out
    missing = cli("tokens", "revoke", "evil")
    assert (missing.code, "no token" in missing.err) == (2, True)
    actions = [one["action"] for one in cli("audit", "log", "--action", "token.*", "--json").json()]
    assert actions == ["token.created"] * 3 + ["token.revoked"] * 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--role", "aprover"], 'Did you mean "approver"'),
        (["--role", "viewer", "--expires", "soon"], "no span of time"),
        (["--role", "viewer", "--expires", "0d"], "no span of time"),
        ([], "--role"),
    ],
)
def test_a_token_that_cannot_be_made(cli: Cli, words: list[str], said: str) -> None:
    found = cli("tokens", "create", "ada", *words)
    assert found.code == 2
    assert said in found.err


@pytest.fixture
def moved(cli: Cli, project: Path) -> None:
    """An alias that was moved twice, by two people."""
    STORE.parent.mkdir(exist_ok=True)
    with open_store(STORE) as store:
        for number, by in enumerate(("ada", "bob\x1b[31m")):
            version = Version(kind="prompt", name="greet", digest=str(number) * 64, body={"n": number})
            store.register(version)
            store.set_alias("prompt", "greet", "production", version.digest, expected_generation=number, by=by)


@pytest.mark.parametrize("width", [60, 72, 80, 90, 100, 120, 160])
def test_the_log_breaks_no_word_at_any_width(
    cli: Cli, moved: None, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    with open_store(STORE) as store, store.ledger() as ledger:
        for action in ("promotion.requested", "promotion.invalidated"):
            said = Event(
                action=action,
                actor=Actor(name="release-bot", authentication="api-token"),
                at=ledger.now(),
                subject="prompt/complaint-triage",
                alias="production",
                promotion="01a206b1-3d11-7b42-9d0e-1f6a2b3c4d5e",
            )
            ledger.append(said)
    lines = cli("audit", "log").out.splitlines()
    assert max(map(len, lines)) <= width
    words = set(" ".join(lines).split())
    assert words >= {"prompt/complaint-triage", "(01a206b1-3d11)", "promotion.requested", "promotion.invalidated"}
    assert ("hash" in words) == (width >= 100)


def test_the_log_says_who_did_what(cli: Cli, moved: None) -> None:
    text = cli("audit", "log").out
    assert text.count("alias.moved") == 2
    assert "\x1b" not in text
    entries = cli("audit", "log", "--json").json()
    assert [(one["seq"], one["actor"]["name"]) for one in entries] == [(1, "ada"), (2, "bob\x1b[31m")]
    assert cli("audit", "log", "--limit", "1", "--json").json() == entries[1:]
    for words in (["--subject", "prompt/greet"], ["--alias", "production"], ["--action", "alias.*"]):
        assert cli("audit", "log", *words, "--json").json() == entries
    assert cli("audit", "log", "--promotion", "0", "--json").json() == []
    assert cli("audit", "log", "--subject", "prompt/other").out == "No entry is like that.\n"


def test_a_log_that_is_whole(cli: Cli, moved: None) -> None:
    found = cli("audit", "verify", "--strict")
    assert found.code == 0
    assert found.out.startswith("OK  2 entries, head 2 ")
    assert cli("audit", "verify", "--json").json()["ok"] is True


def tampered(statement: str) -> None:
    with contextlib.closing(sqlite3.connect(STORE)) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)


def test_a_log_that_was_changed(cli: Cli, moved: None) -> None:
    tampered("UPDATE audit SET body = REPLACE(body, 'ada', 'eve') WHERE seq = 1")
    found = cli("audit", "verify")
    assert found.code == 1
    assert found.out.startswith("BROKEN  Entry 1: its hash is ")
    said = cli("audit", "verify", "--json")
    assert (said.code, said.json()["ok"], said.json()["entries"]) == (1, False, 0)
    assert "eve" in cli("audit", "log").out  # it can still be looked at
    assert cli("audit", "export", "--output", "log.jsonl").code == 1
    assert not Path("log.jsonl").exists()


def test_a_log_that_cannot_be_read_can_be_looked_at(cli: Cli, moved: None) -> None:
    tampered("UPDATE audit SET body = 'what' WHERE seq = 1")
    assert "cannot be read" in cli("audit", "log").out


def test_a_checkpoint_is_kept_and_held_against_the_log(cli: Cli, moved: None) -> None:
    assert "unsigned" in cli("audit", "checkpoint", "--output", "then.json").out
    assert json.loads(cli("audit", "checkpoint").out)["hash"] == json.loads(Path("then.json").read_text())["hash"]
    found = cli("audit", "verify", "--checkpoint", "then.json")
    assert (found.code, found.out.splitlines()[1]) == (0, "It goes on from the checkpoint of entry 2.")
    tampered("DELETE FROM audit WHERE seq = 2")
    tampered("DELETE FROM ledger")
    with contextlib.closing(sqlite3.connect(STORE)) as database, database:
        database.execute("INSERT INTO ledger SELECT 1, '2026-11-22T09:30:00.000000Z', seq, hash FROM audit")
    assert cli("audit", "verify").code == 0
    found = cli("audit", "verify", "--checkpoint", "then.json")
    assert found.code == 1
    assert "Entry 2 is missing: the checkpoint of" in found.out


def test_a_signed_checkpoint(cli: Cli, moved: None, project: Path) -> None:
    new_key(project / "key.pem", project / "key.pub.pem")
    new_key(project / "other.pem", project / "other.pub.pem")
    (project / "pyproject.toml").write_text('[tool.evalkit.signing]\nkey = { file = "key.pem" }\n')
    assert "signed by SHA256:" in cli("audit", "checkpoint", "--output", "then.json").out
    found = cli("audit", "verify", "--checkpoint", "then.json", "--key", "key.pub.pem")
    assert (found.code, "signed by SHA256:" in found.out) == (0, True)
    assert "was not checked" in cli("audit", "verify", "--checkpoint", "then.json").out
    wrong = cli("audit", "verify", "--checkpoint", "then.json", "--key", "other.pub.pem")
    assert (wrong.code, "not of this key" in wrong.out) == (1, True)
    assert cli("audit", "verify", "--checkpoint", "then.json", "--key", "other.pub.pem", "--json").json()["ok"] is False
    assert cli("audit", "verify", "--key", "key.pub.pem").code == 2


def test_an_exported_log_is_verified_without_a_store(cli: Cli, moved: None) -> None:
    cli("audit", "checkpoint", "--output", "then.json")
    assert "2 lines" in cli("audit", "export", "--output", "log.jsonl", "--statement", "log.dsse").out
    assert cli("audit", "export").out == Path("log.jsonl").read_text()
    said = json.loads(Path("log.dsse").read_text())
    assert said["payloadType"] == "application/vnd.in-toto+json"
    STORE.unlink()
    found = cli("audit", "verify", "--file", "log.jsonl", "--checkpoint", "then.json")
    assert (found.code, found.out.startswith("OK  2 entries")) == (0, True)
    lines = Path("log.jsonl").read_text().splitlines(keepends=True)
    Path("log.jsonl").write_text(lines[1])
    assert cli("audit", "verify", "--file", "log.jsonl").code == 1
    Path("log.jsonl").write_text(lines[0])
    assert cli("audit", "verify", "--file", "log.jsonl").code == 0
    assert cli("audit", "verify", "--file", "log.jsonl", "--checkpoint", "then.json").code == 1


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "--checkpoint", "none.json"],
        ["verify", "--checkpoint", "pyproject.toml"],
        ["verify", "--file", "pyproject.toml"],
        ["export", "--statement", "x"],
        ["export", "--output", "no/such/folder/x"],
    ],
)
def test_what_cannot_be_asked_of_the_log(cli: Cli, moved: None, words: list[str]) -> None:
    found = cli("audit", *words)
    assert found.code == 2
    assert found.err.startswith("Error: ")


@pytest.fixture
def hooked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook at a port where nobody is, which listens to tokens."""
    (project / "pyproject.toml").write_text(
        '[tool.evalkit.webhooks.chat]\nurl = "http://127.0.0.1:9/hook?key=hidden"\nevents = ["token.*"]\n'
    )


def test_messages_wait_are_sent_and_can_be_sent_again(cli: Cli, hooked: None) -> None:
    cli("tokens", "create", "ada", "--role", "viewer")
    [waiting] = cli("outbox", "--json").json()
    assert (waiting["event"], waiting["target"], waiting["state"]) == ("token.created", "chat", "waiting")
    sent = cli("outbox", "deliver")
    assert sent.code == 1
    assert "connection refused; again at" in sent.out
    assert "hidden" not in sent.out + cli("outbox").out
    assert cli("outbox", "deliver").out == "Nothing is due.\n"
    assert cli("outbox", "list", "--state", "dead").out == "No message is dead.\n"
    assert cli("outbox", "redeliver", waiting["id"][:20]).code == 0
    [again] = cli("outbox", "deliver", "--json").json()
    assert (again["id"], again["delivered"], again["status"]) == (waiting["id"], False, None)
    assert cli("outbox", "redeliver", "nothing").code == 2


def test_empty_ones_say_so(cli: Cli, moved: None) -> None:
    assert cli("outbox").out == "There are no messages.\n"
    assert cli("tokens").out == "There are no tokens.\n"
    assert cli("outbox", "deliver").out == "Nothing is due.\n"
