"""What a prompt file says, and which part of it makes the version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import NotFound, PromptError
from evalkit.prompts import Prompt, prompt_files, prompt_of, read_prompt

TEXT = """---
description: Answers support mail.
owner: team-mail
tags: [mail, de]
settings:
  temperature: 0.2
---

Answer {{ question }} in {{ language }}.
Be brief.
"""

CHAT = """
description: A chat
messages:
  - role: system
    content: You are {{ tone }}.
  - insert: history
  - role: user
    content:
      - type: text
        text: "{{ question }}"
      - type: image_url
        image_url: {url: "{{ image }}"}
tools:
  - type: function
    function: {name: refund, parameters: {type: object}}
response_format: {type: json_object}
settings: {temperature: 0.2, max_tokens: 200}
"""


def test_a_text_file_is_one_message(write: Callable[..., Prompt]) -> None:
    prompt = write("reply.md", TEXT)
    assert (prompt.name, prompt.description, prompt.owner, prompt.tags) == (
        "reply",
        "Answers support mail.",
        "team-mail",
        ("mail", "de"),
    )
    assert prompt.variables == ("question", "language")
    rendered = prompt.render(question="why?", language="German")
    assert str(rendered) == "Answer why? in German.\nBe brief."
    assert rendered.messages == [{"role": "user", "content": "Answer why? in German.\nBe brief."}]
    assert rendered.settings == {"temperature": 0.2}
    assert rendered.version.digest == prompt.digest


def test_a_file_without_a_head_is_text(write: Callable[..., Prompt]) -> None:
    assert write("plain.md", "Say {{ word }}.\n").body == {"template": "plain", "text": "Say {{ word }}."}


def test_a_chat_file_is_its_messages(write: Callable[..., Prompt]) -> None:
    prompt = write("chat.yaml", CHAT)
    assert prompt.variables == ("tone", "history", "question", "image")
    history = [{"role": "user", "content": "hello {{ tone }}"}, {"role": "assistant", "content": "hello"}]
    rendered = prompt.render(tone="kind", history=history, question="why?", image="https://example.org/a.png")
    assert rendered.messages == [
        {"role": "system", "content": "You are kind."},
        *history,
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "why?"},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
            ],
        },
    ]
    assert rendered.tools == [{"type": "function", "function": {"name": "refund", "parameters": {"type": "object"}}}]
    assert rendered.response_format == {"type": "json_object"}
    assert rendered.settings == {"temperature": 0.2, "max_tokens": 200}


def test_inserted_messages_must_be_messages(write: Callable[..., Prompt]) -> None:
    prompt = write("chat.yaml", "messages: [{insert: history}]")
    assert prompt.render(history=[]).messages == []
    for wrong in ("text", [{"content": "x"}], [{"role": "boss", "content": "x"}], 5, {"role": "user"}):
        with pytest.raises(PromptError, match=r"chat\.yaml:1"):
            prompt.render(history=wrong)


def test_rendering_twice_shares_nothing(write: Callable[..., Prompt]) -> None:
    prompt = write("chat.yaml", CHAT)
    given: dict[str, Any] = {"tone": "", "history": [{"role": "user", "content": "a"}], "question": "", "image": ""}
    first = prompt.render(**given)
    first.messages[1]["content"] = "changed"
    first.tools[0]["function"]["name"] = "changed"
    first.settings["temperature"] = 2
    second = prompt.render(**given)
    assert second.messages[1]["content"] == "a"
    assert second.tools[0]["function"]["name"] == "refund"
    assert second.settings["temperature"] == 0.2
    assert given["history"] == [{"role": "user", "content": "a"}]


@pytest.mark.parametrize(
    "same",
    [
        TEXT.replace("\n", "\r\n"),
        "\ufeff" + TEXT,
        TEXT.rstrip(),
        TEXT + "\n\n",
        TEXT.replace("---\n\nAnswer", "---\nAnswer"),
        TEXT.replace("description: Answers support mail.\n", ""),
        TEXT.replace("team-mail", "team-post").replace("[mail, de]", "[other]"),
        TEXT.replace("  temperature: 0.2", "  temperature: 0.20"),
        TEXT.replace("settings:\n  temperature: 0.2", "settings: {temperature: 0.2}"),
    ],
    ids=[
        "CRLF",
        "BOM",
        "no last line end",
        "more line ends",
        "no blank line",
        "no description",
        "owner",
        "0.20",
        "flow",
    ],
)
def test_what_is_no_part_of_the_version(write: Callable[..., Prompt], same: str) -> None:
    digest = write("reply.md", TEXT).digest
    assert write("reply.md", same).digest == digest


@pytest.mark.parametrize(
    "other",
    [
        TEXT.replace("Be brief.", "Be  brief."),
        TEXT.replace("{{ language }}", "{{language}}"),
        TEXT.replace("0.2", "0.3"),
        TEXT.replace("---\n\nAnswer", "role: system\n---\n\nAnswer"),
        TEXT.replace("---\n\nAnswer", "template: jinja\n---\n\nAnswer"),
        TEXT.replace("---\n\nAnswer", "response_format: {type: json_object}\n---\n\nAnswer"),
    ],
    ids=["a space", "a space in braces", "settings", "role", "template", "response_format"],
)
def test_what_makes_another_version(write: Callable[..., Prompt], other: str) -> None:
    digest = write("reply.md", TEXT).digest
    assert write("reply.md", other).digest != digest


def test_the_name_is_no_part_of_the_digest_and_the_kind_of_file_neither(write: Callable[..., Prompt]) -> None:
    one, two = write("one.md", "Say {{ word }}.\n"), write("two.yaml", "text: |\n  Say {{ word }}.\n")
    assert one.digest == two.digest
    assert one != two


def test_the_digest_is_what_it_was(write: Callable[..., Prompt]) -> None:
    # Stored versions are found by it: a change here makes every prompt of every project a new version.
    assert write("one.md", "Say {{ word }}.").digest == (
        "dce17cf66bd2e6fe1c7515ea36e0372090e4dce43ee6c89ba8aa3300f4c64c09"
    )


def test_a_version_gives_the_prompt_back(write: Callable[..., Prompt]) -> None:
    for prompt in (write("reply.md", TEXT), write("chat.yaml", CHAT)):
        again = prompt_of(prompt.version)
        assert again.digest == prompt.digest
        assert again.variables == prompt.variables


def test_a_version_of_a_newer_evalkit_is_said_to_be_one(write: Callable[..., Prompt]) -> None:
    import dataclasses

    version = write("reply.md", TEXT).version
    newer = dataclasses.replace(version, body={**version.body, "voice": "calm"})
    with pytest.raises(PromptError, match="voice"):
        prompt_of(newer)


def test_a_prompt_made_in_code_is_the_same_as_its_file(write: Callable[..., Prompt]) -> None:
    made = Prompt(name="reply", text="Say {{ word }}.", settings={"temperature": 0})
    assert made.digest == write("reply.md", "---\nsettings: {temperature: 0}\n---\nSay {{ word }}.").digest
    with pytest.raises(AttributeError):
        made.text = "other"  # type: ignore[misc]  # which is the point
    with pytest.raises(TypeError):
        made.settings["temperature"] = 1  # type: ignore[index]  # likewise


def test_files_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "prompts"
    (folder / "team" / ".hidden").mkdir(parents=True)
    for name in ("reply.md", "chat.yaml", "README.md", ".draft.md", "notes.txt", "team/reply.md", "team/.hidden/x.md"):
        (folder / name).write_text("text: hello\n")
    files = prompt_files(folder)
    assert list(files.all()) == ["chat", "reply", "team/reply"]
    assert read_prompt(files.require("team/reply"), name="team/reply").name == "team/reply"
    with pytest.raises(NotFound, match=r'"replay"\. Did you mean "reply"'):
        files.require("replay")


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    (tmp_path / "secret.md").write_text("secret")
    (folder / "link.md").symlink_to(tmp_path / "secret.md")
    files = prompt_files(folder)
    for name in ("../secret", "/etc/passwd", "team/../../secret", "..", "", "a\x00b", "~/secret", "x" * 300):
        assert files.find(name) is None
    with pytest.raises(PromptError, match="leads out"):
        files.find("link")
    with pytest.raises(PromptError, match="leads out"):
        files.all()


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "reply.md").write_text("a")
    (tmp_path / "reply.yaml").write_text("text: a")
    for look in (prompt_files(tmp_path).all, lambda: prompt_files(tmp_path).find("reply")):
        with pytest.raises(PromptError, match="Two files"):
            look()
