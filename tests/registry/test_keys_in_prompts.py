"""A key in a prompt file is not stored with it, and the stored version is then shown, not used."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.errors import PromptError
from evalkit.registry import Project
from evalkit.registry.loading import load_prompt
from evalkit.registry.syncing import standings, sync
from evalkit.store import Store

CANARY = "cnry-4f9d1b7e2a85c0"


@pytest.fixture
def with_key(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("PROMPT_API_KEY", CANARY)
    Path("prompts/greet.md").write_text(f"Greet {{{{ name }}}} with {CANARY}.\n")
    return project


def test_it_is_blotted_out_in_the_store_and_the_version_keeps_its_digest(with_key: Project, store: Store) -> None:
    sync(with_key, store)
    stored = store.version("prompt", "greet", "v1").version
    assert CANARY not in str(stored.body)
    assert "[redacted: PROMPT_API_KEY]" in str(stored.body)
    assert [one.state for one in standings(with_key, store) if one.name == "greet"] == ["same"]
    assert sync(with_key, store)
    assert len(store.versions("prompt", "greet")) == 1
    store.close()
    data = b"".join(path.read_bytes() for path in Path(".evalkit").rglob("*") if path.is_file())
    assert CANARY.encode() not in data


def test_a_version_without_all_of_its_text_is_not_given_to_a_model(with_key: Project, store: Store) -> None:
    sync(with_key, store)
    with pytest.raises(PromptError, match="looked like a key") as caught:
        load_prompt("greet", version="v1")
    assert "evalkit prompts show greet" in str(caught.value)
    assert CANARY in str(load_prompt("greet").body), "the file itself is used as it is"
