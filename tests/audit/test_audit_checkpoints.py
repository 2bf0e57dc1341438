"""A checkpoint shows that a log was written anew, or cut off, which the chain alone does not."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from evalkit.attestation import Envelope, PrivateKey, PublicKey, Statement, new_key, private_key, public_key
from evalkit.audit import (
    GENESIS,
    Checkpoint,
    Entry,
    body_of,
    following,
    held_against,
    lines_of,
    read_checkpoint,
    rows_of,
    statement_of,
    verify,
)
from evalkit.errors import AttestationError

AT = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)


def chain(length: int, word: str = "") -> list[Entry]:
    entries: list[Entry] = []
    before = GENESIS
    for seq in range(1, length + 1):
        entries.append(following(before, seq, body_of({"n": seq, "word": word})))
        before = entries[-1].hash
    return entries


def problem(entries: list[Entry], checkpoint: Checkpoint) -> str:
    found = verify(dataclasses.astuple(entry) for entry in entries)  # type: ignore[misc]  # four fields
    assert found.ok
    there = {entry.seq: entry.hash for entry in entries}
    return held_against(checkpoint, found, there.get(checkpoint.seq))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[PrivateKey, PublicKey]:
    folder = tmp_path_factory.mktemp("keys")
    new_key(folder / "key.pem", folder / "key.pub.pem")
    private = private_key(str(folder / "key.pem"))
    assert private is not None
    return private, public_key(folder / "key.pub.pem")


def test_a_log_that_only_grew_is_the_same_log() -> None:
    entries = chain(6)
    for seq in range(7):
        own = entries[seq - 1].hash if seq else GENESIS
        assert problem(entries, Checkpoint(seq=seq, hash=own, at=AT)) == ""


def test_a_log_that_was_cut_off_or_written_anew_is_named() -> None:
    checkpoint = Checkpoint(seq=4, hash=chain(4)[-1].hash, at=AT)
    assert problem(chain(3), checkpoint).startswith("Entry 4 is missing: the checkpoint of 2026-11-22 09:30 UTC has it")
    assert problem([], checkpoint).startswith("Entry 4 is missing")
    assert "was rewritten" in problem(chain(6, "other"), checkpoint)


def test_a_checkpoint_is_read_as_it_was_written(keys: tuple[PrivateKey, PublicKey]) -> None:
    private, public = keys
    checkpoint = Checkpoint(seq=4, hash="a" * 64, at=AT)
    plain = read_checkpoint(json.dumps(checkpoint.sealed(None)))
    assert (plain.checkpoint, plain.keys) == (checkpoint, ())
    signed = read_checkpoint(json.dumps(checkpoint.sealed(private)), key=public)
    assert (signed.checkpoint, signed.keys) == (checkpoint, (public.id,))
    assert read_checkpoint(json.dumps(checkpoint.sealed(private))) == signed


def test_a_signature_has_to_be_there_and_right(keys: tuple[PrivateKey, PublicKey], tmp_path: Path) -> None:
    private, public = keys
    checkpoint = Checkpoint(seq=4, hash="a" * 64, at=AT)
    with pytest.raises(AttestationError, match="is not signed"):
        read_checkpoint(json.dumps(checkpoint.sealed(None)), key=public)
    other = new_key(tmp_path / "k", tmp_path / "p")
    with pytest.raises(AttestationError, match="not of this key"):
        read_checkpoint(json.dumps(checkpoint.sealed(private)), key=other)
    forged = dataclasses.replace(checkpoint, seq=3).sealed(private) | {
        "signatures": checkpoint.sealed(private)["signatures"]
    }
    with pytest.raises(AttestationError, match="not of this key"):
        read_checkpoint(json.dumps(forged), key=public)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": "evalkit.checkpoint/2"}',
        json.dumps({**Checkpoint(seq=1, hash="a" * 64, at=AT).to_json(), "seq": "1"}),
        json.dumps({**Checkpoint(seq=1, hash="a" * 64, at=AT).to_json(), "seq": True}),
        json.dumps({**Checkpoint(seq=1, hash="a" * 64, at=AT).to_json(), "hash": "a"}),
        json.dumps({**Checkpoint(seq=1, hash="a" * 64, at=AT).to_json(), "at": "yesterday"}),
        json.dumps(Envelope(payload_type="text/plain", payload=b"{}").to_json()),
        json.dumps(Envelope(payload_type="application/vnd.evalkit.checkpoint+json", payload=b"{").to_json()),
        "[" * 30_000,
        " " * 70_000,
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(AttestationError, match="checkpoint") as caught:
        read_checkpoint(text, where="old.json")
    assert str(caught.value).startswith("old.json: ")


def test_a_log_that_was_exported_can_be_verified() -> None:
    entries = chain(4, "ünïcode 🎉  \x00")
    lines = list(lines_of(entries))
    assert verify(rows_of(lines)).hash == entries[-1].hash
    assert not any("\n" in line for line in lines)
    assert verify(rows_of([*lines[:1], *lines[2:]])).problem.startswith("Entry 2 is missing")
    for wrong in ("", "[]", "{", '{"seq": 1}'):
        with pytest.raises(AttestationError, match=r"log\.jsonl:3: This line"):
            list(rows_of([*lines[:2], wrong], where="log.jsonl"))


def test_the_statement_names_the_file_and_the_end_of_the_chain(keys: tuple[PrivateKey, PublicKey]) -> None:
    private, public = keys
    content = b"one line\n"
    head = Checkpoint(seq=7, hash="b" * 64, at=AT)
    envelope = statement_of(content, "audit.jsonl", head).envelope(private)
    assert envelope.is_signed_by(public)
    said: dict[str, Any] = json.loads(envelope.payload)
    assert said["subject"] == [{"name": "audit.jsonl", "digest": {"sha256": hashlib.sha256(content).hexdigest()}}]
    assert said["predicate"] == {"entries": 7, "hash": "b" * 64, "exportedOn": "2026-11-22T09:30:00.000000Z"}
    assert isinstance(Statement.of(envelope), Statement)
