"""What is a secret, how it is blotted out, and what is left alone."""

from __future__ import annotations

import dataclasses
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import ConfigError
from evalkit.redaction import Redactor, note, redactor, secrets_in

KEY = "canary-7f3a9b2c/x+y=="
redact = Redactor({"OPENAI_API_KEY": KEY})


def made_up(*parts: str) -> str:
    """A key in pieces, so that this file is not taken for one that leaks keys."""
    return "".join(parts)


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY", "OPENAI_API_KEY_2", "API_KEY", "APIKEY", "KEY", "AWS_SECRET_ACCESS_KEY", "HF_TOKEN",
        "GITHUB_TOKEN", "SOME_SECRET", "CLIENT_SECRET_PROD", "DB_PASSWORD", "PGPASSWORD", "GITHUB_PAT",
        "service_api_key", "APP_CREDENTIALS", "API_KEY_FOR_TESTS",
    ],
)  # fmt: skip
def test_variables_that_name_a_secret(name: str) -> None:
    assert secrets_in({name: KEY}) == {name: KEY}


@pytest.mark.parametrize(
    "name",
    ["PATH", "MONKEY", "KEYBOARD_LAYOUT", "TOKENIZERS_PARALLELISM", "MAX_TOKENS", "SSH_AUTH_SOCK", "HOME", "PATTERN"],
)
def test_variables_that_name_none(name: str) -> None:
    assert secrets_in({name: KEY}) == {}


@pytest.mark.parametrize(
    "value", ["", "short", "1234567", "password", "Production", "anonymous", "ENABLED_", "12345678", "xxxxxxxx"]
)
def test_values_that_would_blot_out_ordinary_text_are_left_alone(value: str) -> None:
    assert secrets_in({"MY_KEY": value.replace("_", "")}) == {}


def test_the_path_of_a_file_that_is_there_is_no_secret(tmp_path: Any) -> None:
    file = tmp_path / "credentials.json"
    file.write_text("{}")
    assert secrets_in({"GOOGLE_APPLICATION_CREDENTIALS": str(file)}) == {}
    assert secrets_in({"AWS_SECRET_ACCESS_KEY": "/abc+def/ghi0123"}) != {}


def test_the_password_in_the_url_of_a_database() -> None:
    found = secrets_in({"DATABASE_URL": "postgresql://me:s3cr3t-pass@host/db", "HOMEPAGE": "https://host/x"})
    assert found == {"DATABASE_URL": "s3cr3t-pass"}


@pytest.mark.parametrize("text", ["{}", "it is {}.", "{}{}", "a" * 500 + "{}", "{}" + "ä" * 500, "\ud800" * 300 + "{}"])
def test_a_secret_is_found_wherever_it_stands(text: str) -> None:
    clean = redact(text.replace("{}", KEY))
    assert KEY not in clean
    assert clean == text.replace("{}", "[redacted: OPENAI_API_KEY]")


@pytest.mark.parametrize(
    "written", [json.dumps, lambda v: json.dumps(v, ensure_ascii=False), repr, lambda v: quote(v, safe="")]
)
@pytest.mark.parametrize("secret", ['pass"word\\1', "tab\tand\nline", "pässwört-9", 'it\'s "both" 1'])
def test_a_secret_is_found_as_it_is_written_elsewhere(secret: str, written: Any) -> None:
    assert Redactor({"X_KEY": secret})(f"… {written(secret)} …").count("[redacted: X_KEY]") == 1


def test_of_two_secrets_one_inside_the_other_the_longer_is_found() -> None:
    two = Redactor({"A_KEY": "abcdef-123", "B_KEY": "abcdef-123-456"})
    assert two("abcdef-123-456 abcdef-123") == "[redacted: B_KEY] [redacted: A_KEY]"


SHAPES = [
    made_up("sk-", "proj-Ab12Cd34Ef56Gh78"),
    made_up("sk-", "ant-api03-Ab12Cd34Ef56"),
    made_up("ghp", "_0123456789abcdefABCDEF012345678901"),
    made_up("github_pat", "_11ABCDEFG0123456789_abcdefghij"),
    made_up("glpat", "-0123456789abcdefghij"),
    made_up("AKIA", "IOSFODNN7EXAMPLE"),
    made_up("AIza", "SyA1234567890abcdefghijklmnopqrstuv"),
    made_up("hf", "_abcdefghijklmnopqrstu1234"),
    made_up("gsk", "_abcdefghijklmnopqrstu1234"),
    made_up("npm", "_0123456789abcdefghijklmnop"),
    made_up("xoxb", "-123456789012-abcdef"),
    made_up("evk_", "0123456789abcdef" * 4),
    made_up("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    made_up("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0NTYifQ", ".c2lnbmF0dXJlMTIz"),
]


@pytest.mark.parametrize("around", ["{}", "key={}", '{{"k": "{}"}}', "x" * 300 + " {} " + "y" * 300])
@pytest.mark.parametrize("key", SHAPES, ids=lambda key: key[:5])
def test_keys_are_known_by_their_looks(key: str, around: str) -> None:
    clean = Redactor({})(around.format(key))
    assert key not in clean
    assert "[redacted: " in clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abc123def456ghi", "Authorization: Bearer [redacted: token]"),
        ("{'authorization': 'Basic dXNlcjpwYXNzMTIz'}", "{'authorization': 'Basic [redacted: token]'}"),
        ('{\\"x-api-key\\": \\"abcd1234efgh\\"}', '{\\"x-api-key\\": \\"[redacted: header]\\"}'),
        ("api-key=abcd1234efgh&x=1", "api-key=[redacted: header]&x=1"),
        ("Cookie: session=abc123def456", "Cookie: [redacted: header]"),
        ("postgres://me:hunter2@db/x", "postgres://me:[redacted: password]@db/x"),
    ],
)
def test_headers_and_urls(text: str, clean: str) -> None:
    assert Redactor({})(text) == clean
    assert Redactor({})(f"{text}\n{'…' * 300}").startswith(clean)


def test_a_private_key() -> None:
    begin, end = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
    assert Redactor({})(f"x {begin}\nabc\n{end} y") == "x [redacted: private key] y"
    assert Redactor({})(f"x {begin}\nabc cut off") == "x [redacted: private key]"


@pytest.mark.parametrize(
    "text",
    [
        "use sk-learn-compatible-estimators, task-0123456789abcdefgh and risk-adjusted-0123456789",
        "The bearer of bad news understands basic misunderstandings.",
        "authorization: required; api_key = os.environ['OPENAI_API_KEY']",
        "the key: value, the monkey, https://host/a:b@c, 10:30 a.m.",
        "def f(api_key: str | None = None) -> str: ...",
        "A short 'cookie: yes' and a token",
        "[redacted: OPENAI_API_KEY]",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact(text) is text
    long = text + " and so on" * 40
    assert redact(long) is long


@given(text=st.text(st.characters(exclude_categories=()), max_size=300), where=st.integers(0, 300))
def test_no_secret_survives_in_any_text(text: str, where: int) -> None:
    dirty = text[:where] + KEY + text[where:]
    clean = redact(dirty)
    assert KEY not in clean
    assert redact(clean) == clean


def test_the_users_patterns() -> None:
    mine = Redactor({}, ["acct-[0-9]+", "(?i)mrs? [a-z]+"])
    assert mine("acct-12 of Mr Smith") == "[redacted: pattern] of [redacted: pattern]"
    assert mine("\ud800 acct-12 \ud800") == "\ud800 [redacted: pattern] \ud800"
    assert mine("nothing") == "nothing"


@pytest.mark.parametrize(
    ("pattern", "said"), [("(", "no regular expression"), ("(?=x)", "no regular expression"), ("x*", "fits everywhere")]
)
def test_a_pattern_that_cannot_work_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        Redactor({}, [pattern])
    assert pattern in str(caught.value)


@dataclasses.dataclass
class Answer:
    text: str
    parts: tuple[str, ...] = ()


def test_data_is_looked_through() -> None:
    dirty = {"a": [1, {"b": KEY}], KEY: ("x", KEY), "n": None}
    mark = "[redacted: OPENAI_API_KEY]"
    assert redact.data(dirty) == {"a": [1, {"b": mark}], mark: ("x", mark), "n": None}
    assert redact.data(Answer(text="fine", parts=(KEY,))) == {"text": "fine", "parts": [mark]}
    assert redact.data({KEY}) == [mark]


def test_data_without_secrets_is_the_same_object() -> None:
    for value in ({"a": [1, {"b": "c"}]}, ("x", 1.5), Answer(text="x"), "text", None, {1, 2}, [[]]):
        assert redact.data(value) is value


def test_headers_in_data_are_known_by_their_name() -> None:
    clean = Redactor({}).data(
        {"http.request.header.authorization": ["Bearer of-news"], "X-Api-Key": "a b c d e", "key": "fine"}
    )
    assert clean == {
        "http.request.header.authorization": ["[redacted: header]"],
        "X-Api-Key": "[redacted: header]",
        "key": "fine",
    }


def test_data_nested_without_end_does_not_break_anything() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(RecursionError):
        json.dumps(loop, check_circular=False)
    assert redact.data(loop) == "[redacted: nested too deep]"


def test_the_environment_may_change_while_a_run_goes() -> None:
    environ = {"A_KEY": "first-value-1"}
    live = redactor(environ=environ)
    assert live("first-value-1 second-value-2") == "[redacted: A_KEY] second-value-2"
    environ["B_TOKEN"] = "second-value-2"
    assert live("first-value-1 second-value-2") == "[redacted: A_KEY] [redacted: B_TOKEN]"
    environ["B_TOKEN"] = "another-value-3"
    assert live("another-value-3 second-value-2") == "[redacted: B_TOKEN 2] [redacted: B_TOKEN]"
    del environ["A_KEY"]
    assert live("first-value-1") == "[redacted: A_KEY]"


def test_a_secret_that_was_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalkit.redaction.live._noted", {})
    live = redactor(environ={})
    assert live("from-a-vault-1") == "from-a-vault-1"
    note("vault", "from-a-vault-1\n")
    note("vault", "from-a-vault-2")
    note("vault", "password")
    assert live("from-a-vault-1 from-a-vault-2 password") == "[redacted: vault] [redacted: vault 2] password"
