"""`[tool.evalkit.webhooks]`: what is taken, what is refused, and where the secret comes from."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from evalkit.config import load_settings
from evalkit.delivering import Webhook, listeners, webhooks_of
from evalkit.errors import ConfigError

URL = "https://user:word@hooks.example:8443/services/T0/secret?x=1"
ROOT = Path("/project")


def test_the_settings_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EVALKIT_TOKEN", "EVALKIT_STORE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pyproject.toml").write_text(
        f"""
        [tool.evalkit.webhooks.chat]
        url = "{URL}"
        secret = {{ env = "HOOK" }}
        events = ["promotion.*", "alias.moved"]
        timeout = 5
        [tool.evalkit.webhooks.local]
        url = "http://localhost:8000"
        secret = {{ file = "secrets/hook" }}
        """
    )
    settings = load_settings(tmp_path)
    assert webhooks_of(settings.webhooks, root=settings.root) == (
        Webhook(name="chat", url=URL, secret="env:HOOK", events=("promotion.*", "alias.moved"), timeout=5.0),
        Webhook(name="local", url="http://localhost:8000", secret=str(settings.root / "secrets/hook")),
    )
    assert listeners(settings.webhooks, root=settings.root) == {
        "chat": ("promotion.*", "alias.moved"),
        "local": ("promotion.*",),
    }


def test_variables_that_the_settings_name_may_be_called_like_ours(tmp_path: Path) -> None:
    text = '[tool.evalkit.webhooks.chat]\nurl = "https://x.example"\nsecret = { env = "EVALKIT_HOOK" }\n'
    (tmp_path / "pyproject.toml").write_text(text + '[tool.evalkit.signing]\nkey = { env = "EVALKIT_SIGNING" }\n')
    environ = {"EVALKIT_HOOK": "x", "EVALKIT_SIGNING": "y", "EVALKIT_TOKEN": "z", "EVALKIT_TOKEN_FILE": "f"}
    assert load_settings(tmp_path, environ=environ).signing_key == "env:EVALKIT_SIGNING"
    with pytest.raises(ConfigError, match="EVALKIT_HOOKS"):
        load_settings(tmp_path, environ={"EVALKIT_HOOKS": "x"})


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("https://x.example", "not a table"),
        ({}, "has no url"),
        ({"url": "hooks.example"}, "no address of a web server"),
        ({"url": "ftp://hooks.example"}, "no address of a web server"),
        ({"url": "https://hooks.example:port"}, "no address of a web server"),
        ({"url": "http://hooks.example"}, "without encryption"),
        ({"url": URL, "event": ["x"]}, 'Did you mean "events"'),
        ({"url": URL, "events": []}, "`events` is"),
        ({"url": URL, "events": "promotion.*"}, "`events` is"),
        ({"url": URL, "timeout": 0}, "`timeout` is 0"),
        ({"url": URL, "timeout": True}, "`timeout` is True"),
        ({"url": URL, "timeout": 61}, "`timeout` is 61"),
        ({"url": URL, "secret": "in the open"}, "no place in a file of the project"),
        ({"url": URL, "secret": {"env": "A", "file": "b"}}, "no place in a file of the project"),
        ({"url": URL, "secret": {"env": ""}}, "no place in a file of the project"),
    ],
)
def test_what_is_wrong_is_said(table: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        webhooks_of({"chat": table}, root=ROOT)
    assert str(caught.value).startswith("tool.evalkit.webhooks.chat: ")
    assert "in the open" not in str(caught.value)


def test_a_table_of_webhooks_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.evalkit]\nwebhooks = ['https://x.example']\n")
    with pytest.raises(ConfigError, match="`webhooks` is"):
        load_settings(tmp_path)


def test_only_the_host_is_shown() -> None:
    assert Webhook(name="chat", url=URL).host == "https://hooks.example:8443"


def test_the_secret_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    text = "s" * 32
    (tmp_path / "hook").write_text(f"{text}\n")
    assert Webhook(name="a", url=URL).key({}) is None
    assert Webhook(name="a", url=URL, secret="env:HOOK").key({"HOOK": f" {text} "}) == text.encode()
    assert Webhook(name="a", url=URL, secret=str(tmp_path / "hook")).key({}) == text.encode()
    standard = "whsec_" + base64.b64encode(b"k" * 32).decode()
    assert Webhook(name="a", url=URL, secret="env:HOOK").key({"HOOK": standard}) == b"k" * 32


@pytest.mark.parametrize("value", ["", "short", "whsec_not base64", "whsec_" + base64.b64encode(b"short").decode()])
def test_a_secret_that_is_none_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Webhook(name="a", url=URL, secret="env:HOOK").key({"HOOK": value})
    assert not value or value not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        Webhook(name="a", url=URL, secret="/nowhere/at/all").key({})
