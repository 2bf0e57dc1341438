"""Rubrics of judges: a head of YAML and a criterion."""

from __future__ import annotations

from evalkit_scorers.judges.rubric import read_rubric
from fuzz._files import read_as

SEEDS = (
    b"---\ntitle: Polite\nshows: [input, output]\nlevels: binary\n---\nIs it polite?\n",
    b"---\ntitle: x\nshows: output\nlevels: {good: it is, fair: almost, bad: it is not}\n---\nc\n",
    b"---\ntitle: x\nshows: output\n"
    b"levels: [{label: a, value: 1, meaning: m}, {label: b, value: 0, meaning: n}]\n---\nc",
    b"---\ntitle: &x [a]\nshows: [*x, *x]\nlevels: 2001-99-99\n---\nc\n",
    b"---\n" + b"[" * 3000 + b"\n---\nc\n",
)


def one(data: bytes) -> None:
    """The bytes are the file."""
    read_as("r.md", data, read_rubric)
