"""Exported audit logs and checkpoints, which are read to find out whether somebody changed them."""

from __future__ import annotations

from evalkit.audit import held_against, read_checkpoint, rows_of, verify
from evalkit.errors import EvalkitError

SEEDS = (
    b'\x00{"seq": 1, "prev_hash": "%s", "hash": "%s", "body": "{}"}\n' % (b"0" * 64, b"1" * 64),
    b'\x00{"seq": "1", "prev_hash": null, "hash": [], "body": {"a": NaN}}\n{"seq": 2}\n',
    b'\x01{"seq": 1, "hash": "%s", "at": "2026-11-23T00:00:00.000000Z"}' % (b"1" * 64),
    b'\x01{"payloadType": "application/vnd.in-toto+json", "payload": "e30=",'
    b' "signatures": [{"keyid": "k", "sig": "AA=="}]}',
    b"\x01" + b"[" * 5000,
)


def one(data: bytes) -> None:
    """The first byte says whether the others are a log or a checkpoint."""
    text = data[1:].decode("utf-8", "surrogateescape")
    try:
        if data[:1] == b"\x01":
            kept = read_checkpoint(text, where="c.json")
            held_against(kept.checkpoint, verify([]), None)
        else:
            found = verify(rows_of(text.split("\n"), where="a.jsonl"), strict=True)
            assert isinstance(found.problem, str)
    except EvalkitError as error:
        str(error)
