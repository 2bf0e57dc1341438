"""Prompt files: the head, chat files, plain and Jinja texts; what can be read is filled in, too."""

from __future__ import annotations

import tempfile
from pathlib import Path

from evalkit.errors import EvalkitError
from evalkit.prompts import read_prompt

SEEDS = (
    b"\x00---\ndescription: x\nsettings: {temperature: 0.2}\n---\nHello {{ name }}\n",
    b"\x00---\ntemplate: jinja\n---\n{% for x in name %}{{ x.__class__.__mro__ }}{% endfor %}",
    b"\x00---\ntemplate: jinja\n---\n{{ 'a' * 1000000000 }}{{ name|upper }}{% if name %}b{% endif %}",
    b"\x01messages:\n  - {role: system, content: Hi}\n  - insert: history\n  - {role: user, content: '{{ q }}'}\n",
    b"\x01text: &x a\ntools: *x\n",
    b"\x00---\na: &x [1]\nb: *x\n---\nHello",
)


def one(data: bytes) -> None:
    """The first byte says whether the others are a text file or a chat file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "p.yaml" if data[:1] == b"\x01" else "p.md")
        path.write_bytes(data[1:])
        try:
            prompt = read_prompt(path)
            prompt.render(**dict.fromkeys(prompt.variables, "value"))
        except EvalkitError as error:
            str(error)
