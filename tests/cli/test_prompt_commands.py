"""`evalkit prompts`, `evalkit models` and `evalkit sync`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import evalkit
from evalkit.case import Case
from evalkit.store import open_store

Call = Callable[..., Any]


def given(output: object) -> bool:
    return output is not None


@pytest.fixture
def files(project: Path) -> Path:
    """A project with two prompts and a model."""
    (project / "prompts").mkdir()
    (project / "models").mkdir()
    (project / "prompts/add.md").write_text(
        "---\ndescription: Adds\nsettings: {temperature: 0}\n---\nAdd {{ a }} and {{ b }}.\nBe brief.\n"
    )
    (project / "prompts/chat.yaml").write_text("messages:\n  - role: system\n    content: You are {{ tone }}.\n")
    (project / "models/solver.yaml").write_text(
        "model: scripted-small\nbase_url: http://127.0.0.1:9/v1\nparameters: {temperature: 0}\n"
    )
    return project


def edit(files: Path) -> None:
    (files / "prompts/add.md").write_text(
        "---\nsettings: {temperature: 0.5}\n---\nAdd {{ a }} to {{ c }}.\nBe brief.\n"
    )


def test_an_empty_project_says_so(cli: Call) -> None:
    assert cli("prompts", "list").out == "No prompts yet: no file in prompts, none in the store.\n"
    assert cli("models", "list", "--json").json() == []
    assert cli("sync", "--check").out == "0 files, all in the store as they are.\n"
    assert not Path(".evalkit").exists(), "looking makes no store"


def test_the_list_says_how_file_and_store_stand(cli: Call, files: Path) -> None:
    assert [(one["name"], one["state"]) for one in cli("prompts", "list", "--json").json()] == [
        ("add", "new"),
        ("chat", "new"),
    ]
    cli("sync")
    edit(files)
    (files / "prompts/chat.yaml").unlink()
    found = {one["name"]: one for one in cli("prompts", "list", "--json").json()}
    assert (found["add"]["state"], found["chat"]["state"]) == ("changed", "stored")
    assert found["add"]["latest"]["number"] == 1
    assert found["chat"]["file"] is None
    lines = cli("prompts", "list").out.splitlines()
    assert lines[1].split()[:4] == ["add", found["add"]["file"]["digest"][:8], "changed", "1"]


def test_sync_says_what_is_new_and_check_leaves_with_1_on_drift(cli: Call, files: Path) -> None:
    before = cli("sync", "--check")
    assert before.code == 1
    assert "3 of 3 files not in the store" in before.out
    assert not Path(".evalkit").exists(), "a check changes nothing"
    assert "3 files, 3 new to the store." in cli("sync").out
    assert [one["added"] for one in cli("sync", "--json").json()] == [False] * 3
    assert cli("sync", "--check").code == 0
    edit(files)
    drifted = cli("sync", "--check")
    assert drifted.code == 1
    assert "prompt add (" in drifted.out
    assert "is changed; the newest stored version is v1" in drifted.out
    assert cli("sync", "--check", "--json").code == 1
    assert "prompt add v2" in cli("sync").out
    assert cli("sync", "--check").code == 0


def test_nothing_is_registered_where_one_file_is_broken(cli: Call, files: Path) -> None:
    (files / "models/zero.yaml").write_text("modell: x\n")
    result = cli("sync")
    assert result.code == 2
    assert "zero.yaml:1" in result.err
    assert not Path(".evalkit").exists()


def test_show_has_the_text_and_what_is_known_of_it(cli: Call, files: Path) -> None:
    cli("sync")
    shown = cli("prompts", "show", "add").out
    assert shown.startswith("prompt add v1 (")
    assert "variables a, b" in shown
    assert 'settings {"temperature": 0}' in shown
    assert shown.endswith("Add {{ a }} and {{ b }}.\nBe brief.\n")
    edit(files)
    assert cli("prompts", "show", "add").out.startswith("prompt add the file (")
    assert cli("prompts", "show", "add", "file").out == cli("prompts", "show", "add").out
    assert "Add {{ a }} and {{ b }}." in cli("prompts", "show", "add", "v1").out
    assert "Add {{ a }} and {{ b }}." in cli("prompts", "show", "add", "latest").out


def test_show_fills_in_variables(cli: Call, files: Path) -> None:
    shown = cli("prompts", "show", "add", "--var", "a=1", "--var", "b={{ a }}").out
    assert shown.endswith("[user]\nAdd 1 and {{ a }}.\nBe brief.\n")
    document = cli("prompts", "show", "chat", "--var", "tone=kind", "--json").json()
    assert document["rendered"]["messages"] == [{"role": "system", "content": "You are kind."}]
    assert document["number"] is None
    wrong = cli("prompts", "show", "add", "--var", "a=1", "--var", "d=2")
    assert wrong.code == 2
    assert '"d" is no variable of the prompt add' in wrong.err
    assert "--var" in cli("prompts", "show", "add", "--var", "a").err


def test_what_a_text_says_cannot_move_the_cursor(cli: Call, files: Path) -> None:
    (files / "prompts/add.md").write_text("Hello \x1b[2J\x1b]0;title\x07 {{ a }}\n")
    for words in (("show", "add"), ("show", "add", "--var", "a=\x1b[31m"), ("list",)):
        assert "\x1b" not in cli("prompts", *words, "--no-color").out
    cli("sync")
    edit(files)
    assert "\x1b" not in cli("prompts", "diff", "add", "--no-color").out


def test_diff_shows_words_variables_and_settings(cli: Call, files: Path) -> None:
    cli("sync")
    edit(files)
    shown = cli("prompts", "diff", "add").out.splitlines()
    assert shown[0].startswith("prompt add: v1 (")
    assert "→ the file (" in shown[0]
    assert shown[1:] == [
        "- Add {{ a }} [-and-] {{ [-b-] }}.",
        "+ Add {{ a }} {+to+} {{ {+c+} }}.",
        "  Be brief.",
        "variables: +c, -b",
        "settings.temperature: 0 → 0.5",
    ]
    cli("prompts", "add", "add")
    assert cli("prompts", "diff", "add").out.splitlines()[1:] == ["The two say the same."]
    document = cli("prompts", "diff", "add", "v1", "v2", "--json").json()
    assert document["differ"] is True
    assert document["variables"] == {"added": ["c"], "removed": ["b"]}
    assert document["values"] == [{"path": "settings.temperature", "before": 0, "after": 0.5}]
    assert cli("prompts", "diff", "add", "v2", "v1", "--json").json()["variables"] == {"added": ["b"], "removed": ["c"]}


def test_models_have_the_same_commands(cli: Call, files: Path) -> None:
    cli("models", "add", "solver")
    (files / "models/solver.yaml").write_text(
        "model: scripted-large\nbase_url: http://127.0.0.1:9/v1\nparameters: {temperature: 1}\n"
    )
    assert "is now in the store" in cli("models", "add", "solver").out
    assert cli("models", "diff", "solver", "v1").out.splitlines()[1:] == [
        "model: scripted-small → scripted-large",
        "parameters.temperature: 0 → 1",
    ]
    assert [one["number"] for one in cli("models", "history", "solver", "--json").json()] == [2, 1]
    assert "parameters" in cli("models", "show", "solver", "v1").out


def test_add_registers_what_the_file_says_now_once(cli: Call, files: Path) -> None:
    assert "add v1 (" in cli("prompts", "add", "add", "chat").out
    assert "was in the store already" in cli("prompts", "add", "add").out
    assert [one["added"] for one in cli("prompts", "add", "add", "--json").json()] == [False]
    wrong = cli("prompts", "add", "chat", "adder")
    assert wrong.code == 2
    assert 'Did you mean "add"?' in wrong.err


def test_history_is_newest_first_with_aliases(cli: Call, files: Path) -> None:
    cli("sync")
    edit(files)
    assert "none of the stored versions" in cli("prompts", "history", "add").out
    cli("sync")
    with open_store(".evalkit/evalkit.db") as store:
        digest = store.version("prompt", "add", "v1").version.digest
        store.set_alias("prompt", "add", "production", digest, expected_generation=0)
    found = cli("prompts", "history", "add", "--json").json()
    assert [(one["number"], one["aliases"], one["is_file"]) for one in found] == [
        (2, [], True),
        (1, ["production"], False),
    ]
    lines = cli("prompts", "history", "add").out.splitlines()
    assert lines[1].split()[0] == "v2"
    assert lines[1].endswith("(now)")
    assert "production" in lines[2]
    assert "production → v1" in cli("prompts", "list").out
    assert "aliases production" in cli("prompts", "show", "add", "production").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "ad"), 'There is no prompt "ad". Did you mean "add"?'),
        (("diff", "ad"), 'There is no prompt "ad". Did you mean "add"?'),
        (("history", "ad"), 'There is no prompt "ad". Did you mean "add"?'),
        (("show", "add", "v9"), 'The prompt "add" has no version "v9"'),
        (("shw",), 'There is no command "shw". Did you mean "show"?'),
        (("show", "../../etc/passwd"), "There is no prompt"),
    ],
)
def test_what_is_not_there_is_said_with_the_nearest(cli: Call, files: Path, words: tuple[str, ...], said: str) -> None:
    cli("sync")
    result = cli("prompts", *words)
    assert result.code == 2
    assert said in result.err
    assert result.out == ""


def test_runs_and_comparisons_say_which_versions(cli: Call, files: Path) -> None:
    def run() -> str:
        @evalkit.suite(name="sums", dataset=[Case(id="a", input={"a": 1}, expected=1)], scorers=[given], prompt="add")
        def suite(case: Case, prompt: evalkit.Prompt) -> str:
            return str(prompt.render(**dict.fromkeys(prompt.variables, 1)))

        made = evalkit.run(suite, progress=False)
        assert made.suites[0].versions[0].number is not None, "the run that comes back has the store's numbers"
        return made.id

    first = run()
    edit(files)
    second = run()
    assert "prompt add v1 (" in cli("show", first).out
    assert cli("show", second, "--json").json()["run"]["suites"][0]["versions"][0]["number"] == 2
    shown = next(line for line in cli("compare", first, second).out.splitlines() if line.startswith("prompt"))
    assert shown.startswith("prompt add v1 (")
    assert "→ v2 (" in shown
    (pair,) = cli("compare", first, second, "--json").json()["suites"][0]["versions"]
    assert (pair["base"]["number"], pair["candidate"]["number"]) == (1, 2)
    assert "in both" in cli("compare", second, second).out
