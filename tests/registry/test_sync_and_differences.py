"""Files and store brought together, and what differs between two versions."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import EvalkitError
from evalkit.prompts import Prompt
from evalkit.registry import Project, difference, standings, sync
from evalkit.store import Store


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_syncing_registers_every_file_once(project: Project, store: Store) -> None:
    first = [(version.kind, version.name, version.number, is_new) for version, is_new in sync(project, store)]
    assert first == [("prompt", "chat", 1, True), ("prompt", "greet", 1, True), ("model", "solver", 1, True)]
    assert [is_new for _, is_new in sync(project, store)] == [False, False, False]
    assert len(store.versions("prompt")) == 2


def test_the_commit_and_the_path_are_kept_where_they_are_true(project: Project, store: Store, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", ".")
    git(tmp_path, "add", "prompts/greet.md")
    git(tmp_path, "commit", "-qm", "greet")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "unrelated").write_text("x")
    git(tmp_path, "add", "unrelated")
    git(tmp_path, "commit", "-qm", "later")
    sync(project, store)
    (greet,) = store.versions("prompt", "greet")
    assert (greet.commit, greet.author, greet.version.source) == (commit, "Ada", "prompts/greet.md")
    (chat,) = store.versions("prompt", "chat")
    assert (chat.commit, chat.author) == (None, None), "git does not know this file"
    (tmp_path / "prompts/greet.md").write_text("Salute {{ name }}.")
    sync(project, store)
    assert store.versions("prompt", "greet")[1].commit is None, "what is not committed is from no commit"


def test_the_standing_of_each_name(project: Project, store: Store, tmp_path: Path) -> None:
    assert {one.state for one in standings(project, None)} == {"new"}
    sync(project, store)
    (tmp_path / "prompts/greet.md").write_text("Salute {{ name }}.")
    (tmp_path / "prompts/chat.yaml").unlink()
    (tmp_path / "prompts/fresh.md").write_text("Hello")
    found = {one.name: (one.state, one.drifted) for one in standings(project, store)}
    assert found == {
        "chat": ("stored", False),
        "fresh": ("new", True),
        "greet": ("changed", True),
        "solver": ("same", False),
    }


def test_a_file_put_back_to_an_old_version_has_not_drifted(project: Project, store: Store, tmp_path: Path) -> None:
    sync(project, store)
    (tmp_path / "prompts/greet.md").write_text("Salute {{ name }}.")
    sync(project, store)
    (tmp_path / "prompts/greet.md").write_text("Greet {{ name }}.")
    (greet,) = [one for one in standings(project, store) if one.name == "greet"]
    assert (greet.state, greet.file and greet.file.number) == ("same", 1)


def test_a_broken_file_is_an_error_and_nothing_less(project: Project, store: Store, tmp_path: Path) -> None:
    (tmp_path / "prompts/greet.md").write_text("{{ a b }}")
    with pytest.raises(EvalkitError, match=r"greet\.md:1"):
        standings(project, store)


def made(**parts: Any) -> Any:
    return Prompt(name="p", **parts).version


def test_a_difference_in_words_variables_and_settings() -> None:
    changes = difference(
        made(text="One\nAnswer {{ question }} now.\nTwo", settings={"temperature": 0, "stop": ["a"]}),
        made(text="One\nAnswer {{ query }} now.\nTwo", settings={"temperature": 0.5}),
    )
    assert [(mark, "".join(text for _, text in pieces)) for mark, pieces in changes.lines] == [
        (" ", "One"),
        ("-", "Answer {{ question }} now."),
        ("+", "Answer {{ query }} now."),
        (" ", "Two"),
    ]
    assert [piece for piece in changes.lines[1][1] if piece[0] == "-"] == [("-", "question")]
    assert [piece for piece in changes.lines[2][1] if piece[0] == "+"] == [("+", "query")]
    assert (changes.variables_added, changes.variables_removed) == (("query",), ("question",))
    assert [(one.path, one.before, one.after) for one in changes.values] == [
        ("settings.temperature", 0, 0.5),
        ("settings.stop[0]", "a", None),
    ]


def test_a_difference_between_chats_is_by_message() -> None:
    one = {"role": "system", "content": "Be kind."}
    two = {"role": "user", "content": [{"type": "text", "text": "{{ q }}"}]}
    changes = difference(made(messages=[two]), made(messages=[one, two]))
    assert [("".join(text for _, text in pieces)) for mark, pieces in changes.lines if mark == "+"] == [
        "[system]",
        "Be kind.",
    ]
    assert not changes.values


def test_what_is_the_same_has_no_difference() -> None:
    version = made(text="Hello {{ name }}", settings={"temperature": 0})
    assert not difference(version, version).any


@given(before=st.text(min_size=1).filter(str.strip), after=st.text(min_size=1).filter(str.strip))
def test_the_lines_of_a_difference_are_the_texts(before: str, after: str) -> None:
    # Braces are written otherwise here: this is about lines.
    old, new = (text.replace("{", "(") for text in (before, after))
    changes = difference(made(text=old), made(text=new))
    for mark, text in (("-", old), ("+", new)):
        shown = ["".join(piece for _, piece in pieces) for found, pieces in changes.lines if found == mark]
        assert set(shown) <= set(text.splitlines()) | {""}
