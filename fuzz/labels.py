"""Files of labels that people gave."""

from __future__ import annotations

from evalkit.labelrows import label_rows
from fuzz._files import read_as

SEEDS = (
    b'\x00case,label,annotator\na,pass,ann\n"b\nc","fa""il",bob\n',
    b'\x01{"case": "a", "label": "pass", "trial": 1}\n\n{"case": "b", "label": null}\n',
    b"\x00case,case\n" + b"a," * 500,
    b"\x00a,b\n" + b"x" * 140_000,
    b"\x01" + b"[" * 5000,
)


def one(data: bytes) -> None:
    """The first byte says whether the others are CSV or lines of JSON."""
    read_as("l.jsonl" if data[:1] == b"\x01" else "l.csv", data[1:], lambda path: list(label_rows(path)))
