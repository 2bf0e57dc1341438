"""Envelopes say who signed which bytes, keys are read by reference, and nothing that was changed is accepted."""

from __future__ import annotations

import base64
import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.attestation import IN_TOTO, Envelope, Statement, new_key, private_key, public_key
from evalkit.config import load_settings
from evalkit.errors import AttestationError, ConfigError


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    public = new_key(folder / "signing.pem", folder / "signing.pub.pem")
    return private_key(str(folder / "signing.pem")), public, folder


@pytest.fixture(scope="module")
def statement() -> Statement:
    return Statement(
        subjects={"prompt/reply": "ab" * 32}, predicate_type="https://example.org/said/v1", predicate={"é": 1.0}
    )


def test_what_is_signed_is_what_the_specification_says(pair) -> None:
    # The example of the DSSE v1 protocol: type "http://example.com/HelloWorld", content "hello world".
    key, public, _ = pair
    sealed = Envelope.seal(b"hello world", "http://example.com/HelloWorld", key)
    said = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert public.accepts(sealed.signatures[0].signature, said)
    assert sealed.is_signed_by(public)


def test_an_envelope_comes_back_from_json(pair, statement) -> None:
    key, public, _ = pair
    sealed = statement.envelope(key)
    back = Envelope.from_json(json.loads(json.dumps(sealed.to_json())))
    assert back == sealed
    assert back.is_signed_by(public)
    assert Statement.of(back) == statement
    assert sealed.to_json()["signatures"][0]["keyid"] == public.id


def test_base64_for_urls_is_read_too(pair, statement) -> None:
    key, public, _ = pair
    data = statement.envelope(key).to_json()
    for part in (data, data["signatures"][0]):
        for field in ("payload", "sig"):
            if field in part:
                part[field] = part[field].replace("+", "-").replace("/", "_").rstrip("=")
    assert Envelope.from_json(data).is_signed_by(public)


@given(st.data())
def test_no_byte_can_be_changed(pair, statement, data) -> None:
    key, public, _ = pair
    sealed = statement.envelope(key)
    place = data.draw(st.integers(0, len(sealed.payload) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != sealed.payload[place]))
    payload = sealed.payload[:place] + bytes([other]) + sealed.payload[place + 1 :]
    changed = Envelope(payload_type=IN_TOTO, payload=payload, signatures=sealed.signatures)
    assert not changed.is_signed_by(public)


def test_neither_type_nor_key_can_be_changed(pair, statement, tmp_path) -> None:
    key, _, _ = pair
    sealed = statement.envelope(key)
    renamed = Envelope(payload_type="text/plain", payload=sealed.payload, signatures=sealed.signatures)
    assert not renamed.is_signed_by(key.public)
    stranger = new_key(tmp_path / "a.pem", tmp_path / "a.pub.pem")
    assert not sealed.is_signed_by(stranger)
    assert not statement.envelope(None).is_signed_by(key.public)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"payloadType": "a", "payload": "!!", "signatures": []},
        {"payloadType": 1, "payload": "", "signatures": []},
        {"payloadType": "a", "payload": "", "signatures": [{}]},
        {"payloadType": "a", "payload": "", "signatures": ["sig"]},
        {"payloadType": "a", "payload": "", "signatures": None},
        {"payloadType": "a", "payload": "é", "signatures": []},
    ],
)
def test_what_is_no_envelope_is_said_to_be_none(data) -> None:
    with pytest.raises(AttestationError, match="no DSSE envelope"):
        Envelope.from_json(data, where="a.jsonl:1")


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b"\xff", b'{"_type": "x"}', b"[" * 100_000])
def test_what_is_no_statement_is_said_to_be_none(payload) -> None:
    with pytest.raises(AttestationError, match="no in-toto Statement"):
        Statement.of(Envelope(payload_type=IN_TOTO, payload=payload))
    with pytest.raises(AttestationError, match="text/plain"):
        Statement.of(Envelope(payload_type="text/plain", payload=payload))


def test_a_key_is_its_owners_only_and_is_never_written_over(tmp_path) -> None:
    new_key(tmp_path / "new" / "k.pem", tmp_path / "k.pub.pem")
    assert stat.S_IMODE((tmp_path / "new" / "k.pem").stat().st_mode) == 0o600
    with pytest.raises(AttestationError, match="cannot be written"):
        new_key(tmp_path / "new" / "k.pem", tmp_path / "other.pem")


def test_a_key_is_found_in_a_variable(pair, monkeypatch) -> None:
    _, public, folder = pair
    monkeypatch.setenv("SIGNING", (folder / "signing.pem").read_text())
    found = private_key("env:SIGNING")
    assert found.public.id == public.id
    assert "PRIVATE" not in repr(found)
    assert private_key(None) is None
    assert public_key(folder / "signing.pub.pem").id == public.id


def test_a_key_that_cannot_be_used_is_not_shown(pair, tmp_path, monkeypatch) -> None:
    _, _, folder = pair
    monkeypatch.setenv("SIGNING", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    for reference in ("env:SIGNING", str(folder / "signing.pub.pem"), "env:NOT_SET", str(tmp_path / "none.pem")):
        with pytest.raises(AttestationError) as caught:
            private_key(reference)
        assert "c2VjcmV0" not in str(caught.value)
    with pytest.raises(AttestationError, match="public Ed25519"):
        public_key(folder / "signing.pem")


def test_a_key_of_another_kind_is_refused(tmp_path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    key = X25519PrivateKey.generate()
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "k.pem").write_bytes(key.private_bytes(*form))
    with pytest.raises(AttestationError, match="another kind"):
        private_key(str(tmp_path / "k.pem"))


def test_the_settings_say_where_the_key_is(tmp_path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.evalkit.signing]\nkey = { env = "SIGNING" }\n')
    assert load_settings(tmp_path, environ={}).signing_key == "env:SIGNING"
    file.write_text('[tool.evalkit.signing]\nkey = { file = "keys/signing.pem" }\n')
    assert load_settings(tmp_path, environ={}).signing_key == str(tmp_path / "keys/signing.pem")


@pytest.mark.parametrize(
    "table",
    [
        'signing = "PEM"',
        "[tool.evalkit.signing]\nkeys = 1",
        '[tool.evalkit.signing]\nkey = "-----BEGIN PRIVATE KEY-----c2VjcmV0"',
        '[tool.evalkit.signing]\nkey = { env = "-----BEGIN PRIVATE KEY-----c2VjcmV0" }',
        '[tool.evalkit.signing]\nkey = { path = "a" }',
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_without_being_shown(tmp_path, table) -> None:
    (tmp_path / "pyproject.toml").write_text(table if table.startswith("[") else f"[tool.evalkit]\n{table}\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, environ={})
    assert "pyproject.toml:" in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)


def test_the_payload_is_canonical_json(statement) -> None:
    data = statement.envelope(None).to_json()
    text = base64.b64decode(data["payload"]).decode()
    assert text.startswith('{"_type":"https://in-toto.io/Statement/v1","predicate":{"é":1},')
