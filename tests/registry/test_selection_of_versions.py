"""A suite gets its prompt and its model, and the run says which versions they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import evalkit
from evalkit.errors import ConfigError, NotFound, PromptError, SuiteError
from evalkit.prompts import Prompt
from evalkit.registry import Project, Selection
from evalkit.runs import Run

CASES = [evalkit.Case(id="ada", input={"name": "Ada"}, expected="Greet Ada.")]


def same(output: str, expected: str) -> bool:
    return output == expected


def greeting(**declared: Any) -> Callable[..., Any]:
    @evalkit.suite(dataset=CASES, scorers=[same], **declared)
    def greets(case: evalkit.Case, prompt: Prompt) -> str:
        return str(prompt.render(**case.input))

    return greets


def run(*suites: Callable[..., Any], **options: Any) -> Run:
    return evalkit.run(*suites, progress=False, **options)


def test_a_name_is_the_file(project: Project) -> None:
    result = run(greeting(prompt="greet"))
    (version,) = result.suites[0].info.versions
    assert (version.kind, version.name, version.source) == ("prompt", "greet", "prompts/greet.md")
    assert result.suites[0].trials[0].outcome == "passed"


def test_what_a_run_used_is_stored_whether_or_not_it_was_registered(project: Project, store: Any) -> None:
    result = run(greeting(prompt="greet"))
    (stored,) = store.versions("prompt", "greet")
    assert stored.version.number == 1
    (version,) = store.load(result.id).suites[0].info.versions
    assert (version.number, version.digest) == (1, stored.version.digest)
    assert version.body == {"template": "plain", "text": "Greet {{ name }}."}


def test_another_text_is_another_version_and_the_old_one_stays(project: Project, store: Any, tmp_path: Path) -> None:
    first = run(greeting(prompt="greet"))
    (tmp_path / "prompts/greet.md").write_text("Salute {{ name }}.\n")
    second = run(greeting(prompt="greet"))
    (tmp_path / "prompts/greet.md").write_text("Greet {{ name }}.\n")
    third = run(greeting(prompt="greet"))
    numbers = [store.load(one.id).suites[0].info.versions[0].number for one in (first, second, third)]
    assert numbers == [1, 2, 1]


def test_a_prompt_made_in_code_is_versioned_too(project: Project, store: Any) -> None:
    run(greeting(prompt=Prompt(name="inline", text="Greet {{ name }}.")))
    assert [one.version.name for one in store.versions("prompt")] == ["inline"]


def test_a_version_can_be_named_instead_of_the_file(
    project: Project, register: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    register("greet", "Hello {{ name }}", alias="production")
    for which in ("v1", "production", "latest"):
        monkeypatch.setenv("EVALKIT_USE_PROMPTS", f"greet={which}")
        (version,) = run(greeting(prompt="greet")).suites[0].info.versions
        assert version.number == 1
        assert version.body["text"] == "Hello {{ name }}"
    # A prompt made in code is replaced by its name as well.
    in_code = run(greeting(prompt=Prompt(name="greet", text="Greet {{ name }}.")))
    assert in_code.suites[0].info.versions[0].number == 1


@pytest.mark.parametrize(
    ("line", "error", "said"),
    [
        ("greet", ConfigError, "Write NAME=VERSION, such as greet=v2"),
        ("greet=", ConfigError, "names no version"),
        ("=v1", ConfigError, "names no version"),
        ("greet=v1\ngreet=v2", ConfigError, "both v1 and v2"),
        ("gret=v1", NotFound, 'Did you mean "greet"'),
        ("greet=v7", NotFound, 'no version "v7"'),
        ("greet=producton", NotFound, 'Did you mean "production"'),
    ],
)
def test_a_version_that_is_not_there_is_said_before_anything_runs(
    project: Project, register: Callable[..., int], monkeypatch: pytest.MonkeyPatch, line: str, error: type, said: str
) -> None:
    register("greet", "Hello {{ name }}", alias="production")
    monkeypatch.setenv("EVALKIT_USE_PROMPTS", line)
    with pytest.raises(error) as caught:
        run(greeting(prompt="greet"))
    assert said in str(caught.value)


def test_a_version_named_for_nothing_is_said(
    project: Project, register: Callable[..., int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    register("greet", "Hello {{ name }}")
    register("other", "Hello {{ name }}")
    monkeypatch.setenv("EVALKIT_USE_PROMPTS", "other=v1\ngreet=v1")
    run(greeting(prompt="greet"))
    assert [record.message for record in caplog.records if "changed nothing" in record.message] == [
        "--evalkit-prompt other=v1 changed nothing: no suite uses the prompt other, and no trial loaded it."
    ]
    caplog.clear()
    monkeypatch.setenv("EVALKIT_USE_PROMPTS", "greet=v1")
    run(loading(alias="production"))
    assert "changed nothing" not in caplog.text


def test_an_unknown_name_is_said_with_the_suites_place(project: Project) -> None:
    with pytest.raises(NotFound) as caught:
        run(greeting(prompt="gret"))
    assert str(caught.value).startswith(f"{__file__}:")
    assert 'Did you mean "greet"' in str(caught.value)


def test_a_broken_file_is_said_with_its_line(project: Project, tmp_path: Path) -> None:
    (tmp_path / "prompts/greet.md").write_text("Greet {{ name }")
    with pytest.raises(PromptError, match=r"prompts/greet\.md:1"):
        run(greeting(prompt="greet"))


def test_a_suite_that_does_not_take_its_prompt_is_refused(project: Project) -> None:
    with pytest.raises(SuiteError, match="takes no argument `prompt`"):

        @evalkit.suite(dataset=CASES, prompt="greet")
        def greets(case: evalkit.Case) -> None: ...

    with pytest.raises(SuiteError, match="not int"):
        greeting(prompt=5)


def test_def_gets_a_model_and_async_def_an_async_one(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLVER_KEY", "canary")
    kinds = []

    @evalkit.suite(dataset=CASES, model="solver")
    def plain(case: evalkit.Case, model: evalkit.Model) -> None:
        kinds.append(type(model))

    @evalkit.suite(dataset=CASES, model="solver")
    async def asynchronous(case: evalkit.Case, model: evalkit.AsyncModel) -> None:
        kinds.append(type(model))

    @evalkit.suite(dataset=CASES, model=evalkit.Model("mine", base_url="http://127.0.0.1:9/v1"))
    async def in_code(case: evalkit.Case, model: evalkit.AsyncModel) -> None:
        kinds.append(type(model))

    result = run(plain, asynchronous, in_code)
    assert kinds == [evalkit.Model, evalkit.AsyncModel, evalkit.AsyncModel]
    assert [suite.info.versions[0].name for suite in result.suites] == ["solver", "solver", "mine"]


def test_a_model_without_its_key_is_refused_before_anything_runs(project: Project) -> None:
    @evalkit.suite(dataset=CASES, model="solver")
    def asks(case: evalkit.Case, model: evalkit.Model) -> None:
        raise AssertionError("never called")

    with pytest.raises(ConfigError, match="SOLVER_KEY"):
        run(asks)


def loading(**which: Any) -> Callable[..., Any]:
    @evalkit.suite(dataset=CASES, name="application")
    def application(case: evalkit.Case) -> str:
        return str(evalkit.load_prompt("greet", **which).render(**case.input))

    return application


def test_inside_a_trial_application_code_gets_the_working_tree(
    project: Project, register: Callable[..., int], store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("greet", "Hello {{ name }}", alias="production")

    def used(**which: Any) -> tuple[object, str]:
        result = run(loading(**which))
        (version,) = store.load(result.id).suites[0].trials[0].versions
        return store.load(result.id).suites[0].trials[0].output.value, version.label

    assert used(alias="production") == ("Greet Ada.", "v2"), "the file is what is being evaluated"
    assert used(version="v1") == ("Hello Ada", "v1"), "a version means itself"
    monkeypatch.setenv("EVALKIT_USE_PROMPTS", "greet=production")
    assert used(alias="production") == ("Hello Ada", "v1"), "the version named for the session comes first"


def test_outside_trials_the_session_changes_nothing(project: Project, register: Callable[..., int]) -> None:
    register("greet", "Hello {{ name }}", alias="production")
    run(loading(alias="production"))
    assert str(evalkit.load_prompt("greet", alias="production").render(name="Ada")) == "Hello Ada"


def test_a_prompt_that_was_loaded_early_and_rendered_in_a_trial_is_recorded(project: Project, store: Any) -> None:
    early = Prompt(name="early", text="Greet {{ name }}.")

    @evalkit.suite(dataset=CASES, scorers=[same])
    def renders(case: evalkit.Case) -> str:
        return str(early.render(**case.input))

    result = run(renders)
    (version,) = store.load(result.id).suites[0].trials[0].versions
    assert (version.name, version.number) == ("early", 1)


def test_every_trial_of_a_session_gets_the_same_text(project: Project, tmp_path: Path) -> None:
    texts = []

    @evalkit.suite(dataset=CASES, repeat=3, max_concurrency=1)
    def edits(case: evalkit.Case) -> None:
        texts.append(str(evalkit.load_prompt("greet").render(name="Ada")))
        (tmp_path / "prompts/greet.md").write_text("Somebody edits {{ name }} meanwhile.")

    run(edits)
    assert texts == ["Greet Ada."] * 3


def test_a_selection_reads_nothing_that_is_not_asked_for(project: Project, tmp_path: Path) -> None:
    from evalkit.config import load_settings

    (tmp_path / "prompts/broken.md").write_text("{{")
    Selection(load_settings(tmp_path)).check_picks()
