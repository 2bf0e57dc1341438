"""Files of labels that people gave."""

from __future__ import annotations

import tempfile
from pathlib import Path

from evalkit.errors import EvalkitError
from evalkit.labelrows import label_rows

SEEDS = (
    b'\x00case,label,annotator\na,pass,ann\n"b\nc","fa""il",bob\n',
    b'\x01{"case": "a", "label": "pass", "trial": 1}\n\n{"case": "b", "label": null}\n',
    b"\x00case,case\n" + b"a," * 500,
    b"\x00a,b\n" + b"x" * 140_000,
    b"\x01" + b"[" * 5000,
)


def one(data: bytes) -> None:
    """The first byte says whether the others are CSV or lines of JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "l.jsonl" if data[:1] == b"\x01" else "l.csv")
        path.write_bytes(data[1:])
        try:
            list(label_rows(path))
        except EvalkitError as error:
            str(error)
