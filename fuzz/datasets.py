"""Dataset files of every kind that is text."""

from __future__ import annotations

import evalkit
from fuzz._files import read_as

SUFFIXES = (".jsonl", ".json", ".csv", ".yaml")
SEEDS = (
    b'\x00{"id": "a", "input": {"q": 1}, "expected": [1, 2.5, null]}\n{"input": "b", "tags": ["x"]}\n',
    b'\x01[{"id": "a", "input": 1e999}, {"input": NaN}, {"input": "\\ud800"}]',
    b'\x02id,input,expected\na,"one, two",3\n"b\nc",=1+1,"x""y"\n',
    b"\x03- id: a\n  input: &x [1]\n- input: *x\n  expected: !!python/object:os.system [id]\n",
    b"\x01" + b"[" * 3000,
    b"\x03" + b"{a: " * 300,
    b"\x03? [a, b]\n: {1: 2, 0x1F: .inf}\n",
)


def one(data: bytes) -> None:
    """The first byte says which kind of file the others are."""
    name = "cases" + SUFFIXES[data[0] % len(SUFFIXES)] if data else "cases.json"
    read_as(name, data[1:], lambda path: evalkit.load(path).read())
