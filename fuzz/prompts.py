"""Prompt files: the head, chat files, plain and Jinja texts; what can be read is filled in, too."""

from __future__ import annotations

from pathlib import Path

from evalkit.prompts import read_prompt
from fuzz._files import read_as

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
    read_as("p.yaml" if data[:1] == b"\x01" else "p.md", data[1:], rendered)


def rendered(path: Path) -> None:
    prompt = read_prompt(path)
    prompt.render(**dict.fromkeys(prompt.variables, "value"))
