"""What a judge answers: any text at all, and never an error."""

from __future__ import annotations

from evalkit_scorers.judges.scale import BINARY
from evalkit_scorers.judges.verdict import Decided, read

SEEDS = (
    b'{"reasons": "it is", "verdict": "pass"}',
    b'```json\n{"verdict": "FAIL"}\n```',
    b'{"verdict": "unknown", "reasons": null}',
    b'{"verdict": ["pass"], "verdict": "fail"}',
    b"[" * 5000,
    b'{"verdict": "pass", "reasons": ' + b"9" * 5000 + b"}",
)


def one(data: bytes) -> None:
    """A level is only ever one of the scale."""
    said = read(data.decode("utf-8", "surrogateescape"), BINARY)
    assert not isinstance(said, Decided) or said.level in BINARY
