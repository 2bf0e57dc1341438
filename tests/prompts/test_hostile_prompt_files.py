"""Prompt files that are broken, or meant to break something: an error with file and line, and never anything else."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.errors import PromptError
from evalkit.prompts import read_prompt
from evalkit.prompts.files import LARGEST_FILE

Refused = Callable[[str, str | bytes], str]

HEADS = [
    ("---\ndescription: x\nHello", "p.md:1: The head that begins here never ends"),
    ("---", "p.md:1: The head that begins here never ends"),
    ("---\na: &x [1]\nb: *x\n---\nHello", "p.md:2: Anchors"),
    ("---\nsettings:\n  a: 1\n  a: 2\n---\nHello", 'p.md:4: The key "a" is given twice'),
    ("---\nsettings:\n\ta: 1\n---\nHello", "p.md:3: This is not YAML"),
    ("---\nsettings: {a: .nan}\n---\nHello", "p.md:2: .nan stands for no value"),
    ("---\nsettings: {a: -.inf}\n---\nHello", "p.md:2: -.inf stands for no value"),
    ("---\nsettings: {a: 1e999}\n---\nHello", "p.md:2: The number 1e999 is too large"),
    ("---\nsettings: !!python/object/apply:os.system [id]\n---\nHello", "p.md:2: The tag"),
    ("---\nsettings: " + "[" * 500 + "]" * 500 + "\n---\nHello", "p.md:2: The value is nested more than 100"),
    ("---\nsettings: " + "{a: " * 500 + "}" * 500 + "\n---\nHello", "p.md:2: The value is nested more than 100"),
    ("---\nowner: \x07\n---\nHello", "p.md:2: This is not YAML"),
    ("---\n- a\n---\nHello", "p.md:2: A prompt is a mapping"),
    ("---\nsetings: {}\n---\nHello", 'p.md:2: A prompt has no "setings". Did you mean "settings"?'),
    ("---\ntext: a\n---\nHello", 'p.md:2: A prompt has no "text" in its head.'),
    ("---\nmessages: []\n---\nHello", 'p.md:2: A prompt has no "messages" in its head.'),
    ("---\nowner: 5\n---\nHello", "p.md:2: `owner` is text, not a number"),
    ("---\ntags: mail\n---\nHello", "p.md:2: `tags` is a list, not text"),
    ("---\nowner: me\ntags: [1]\n---\nHello", "p.md:3: A tag is text, not a number"),
    ("---\ntemplate: mustache\n---\nHello", "p.md:2: `template` is plain or jinja, not 'mustache'"),
    ("---\nrole: usr\n---\nHello", "p.md:2: The role is 'usr'. Did you mean \"user\"?"),
    ("---\nsettings: 5\n---\nHello", "p.md:2: `settings` is a mapping"),
    ("---\ntools: {}\n---\nHello", "p.md:2: `tools` is a list, not a mapping"),
    ("---\ntools: [5]\n---\nHello", "p.md:2: tools[0] is a mapping"),
    ("---\nresponse_format: json\n---\nHello", "p.md:2: `response_format` is a mapping"),
    ("---\nname: other\n---\nHello", "p.md:2: The prompt is called 'other' here, and p by its file"),
    ("---\nowner: me\nsettings: {api_key: sk-123}\n---\nHello", 'p.md:3: "api_key" is no part of a prompt'),
    ("---\n---\n \n\n", "p.md:5: The prompt is empty"),
    ("", "p.md:1: The prompt is empty"),
]


@pytest.mark.parametrize(("content", "said"), HEADS)
def test_what_is_wrong_with_a_text_file(refused: Refused, content: str, said: str) -> None:
    assert refused("p.md", content).startswith(said)


CHATS = [
    ("", "p.yaml: The file is empty"),
    ("- a", "p.yaml:1: A prompt is a mapping"),
    ("text: 5", "p.yaml:1: `text` is text, not a number"),
    ("text:", "p.yaml:1: A prompt has a text or messages"),
    ("text: a\nmessages: [{role: user, content: b}]", "p.yaml:1: A prompt has a text or messages"),
    ("text: a\n---\ntext: b", "p.yaml:2: A second document begins here"),
    ("messages: hello", "p.yaml:1: `messages` is a list, not text"),
    ("messages:\n  - hello", "p.yaml:2: messages[0] is a mapping"),
    ("messages:\n  - content: x", "p.yaml:2: messages[0] has no role"),
    ("messages:\n  - role: user", "p.yaml:2: messages[0] has no content"),
    ("messages:\n  - role: user\n    content: 5", "p.yaml:3: messages[0].content is text or a list of parts"),
    ("messages:\n  - role: user\n    content: [5]", "p.yaml:3: messages[0].content[0] is a mapping"),
    ("messages:\n  - role: user\n    conten: x", 'p.yaml:3: A message has no "conten". Did you mean "content"?'),
    ("messages:\n  - insert: two words", "p.yaml:2: messages[0] inserts messages"),
    ("messages:\n  - insert: x\n    role: user", "p.yaml:2: messages[0] inserts messages"),
    ("messages:\n  - role: user\n    content: '{{ a b }}'", "p.yaml:3: '{{ a b }}' begins no variable"),
]


@pytest.mark.parametrize(("content", "said"), CHATS)
def test_what_is_wrong_with_a_chat_file(refused: Refused, content: str, said: str) -> None:
    assert refused("p.yaml", content).startswith(said)


def test_an_alias_bomb_is_refused_before_it_grows(refused: Refused) -> None:
    levels = "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 10))
    assert "Anchors" in refused("p.yaml", f"b0: &b0 [lol, lol]\n{levels}text: a\n")


def test_what_is_no_utf8_is_said_with_the_byte(refused: Refused) -> None:
    assert "p.md:2: Byte 5 is 0xff" in refused("p.md", b"Hell\n\xff")
    assert "UTF-16" in refused("p.md", "Hello".encode("utf-16"))


def test_a_file_that_is_too_large_is_not_read(refused: Refused) -> None:
    assert "more than 1,000,000 bytes" in refused("p.md", b"x" * (LARGEST_FILE + 1))


def test_what_is_no_file_at_all_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(PromptError, match="no file that can be read"):
        read_prompt(tmp_path / "folder.md")
    with pytest.raises(PromptError, match="cannot be read: No such file"):
        read_prompt(tmp_path / "missing.md")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(PromptError, match="no file"):
        read_prompt(tmp_path / "pipe.md")


LINES = st.sampled_from(
    ["---", "...", "description: x", "settings:", "  temperature: 0", "\t", "template: jinja", "template: plain", "- a", "text: |",
     "  {{ a }}", "messages:", "  - role: user", "    content: hi {{ b }}", "  - insert: c", "{{ a }}", "{% if a %}", "{% endif %}",
     "{{", "&x", "*x", "!!str", "? a", ": b", "'", '"', "[", "{", "\ufeff", "\x00", "\r", "name: p", "tags: [a]", "%YAML 1.1"]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, max_size=12), ending=st.sampled_from([".md", ".yaml"]), rest=st.text(max_size=20))
def test_any_file_is_a_prompt_or_refused(tmp_path: Path, lines: list[str], ending: str, rest: str) -> None:
    path = tmp_path / f"p{ending}"
    path.write_bytes("\n".join([*lines, rest]).encode("utf-8", "surrogatepass"))
    with contextlib.suppress(PromptError):
        prompt = read_prompt(path)
        assert read_prompt(path).digest == prompt.digest


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), ending=st.sampled_from([".md", ".yaml"]))
def test_any_bytes_are_a_prompt_or_refused(tmp_path: Path, data: bytes, ending: str) -> None:
    path = tmp_path / f"p{ending}"
    path.write_bytes(data)
    with contextlib.suppress(PromptError):
        assert read_prompt(path).digest
