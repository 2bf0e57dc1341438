"""A prompt, a model and a provider on this machine: what is sent, and what a comparison of versions says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import evalkit
from evalkit.comparison import compare
from evalkit.prompts import Prompt
from evalkit.registry import Project
from evalkit.runs import Run
from evalkit.store import Store
from evalkit.testing import Server, serve

CASES = [evalkit.Case(id=f"c{n}", input={"name": name}, expected="hello") for n, name in enumerate(("Ada", "Bo", "Cy"))]


def friendly(output: str, expected: str) -> bool:
    return expected in output.lower()


@pytest.fixture
def server(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A provider that is friendly when it is asked to greet, and two model files that ask it."""
    monkeypatch.setenv("SOLVER_KEY", "none")
    with serve(lambda call: "Hello!" if "greet" in call.text.lower() else "What?") as running:
        for name, model in (("solver", "scripted-small"), ("other", "scripted-large")):
            Path(f"models/{name}.yaml").write_text(
                f"model: {model}\nbase_url: {running.url}\napi_key: {{env: SOLVER_KEY}}\nparameters: {{temperature: 0}}\n"
            )
        yield running


def suite(model: str = "solver") -> Callable[..., Any]:
    @evalkit.suite(dataset=CASES, scorers=[friendly], prompt="greet", model=model, name="greets")
    async def greets(case: evalkit.Case, prompt: Prompt, model: evalkit.AsyncModel) -> str:
        return str(await model.chat(prompt.render(**case.input)))

    return greets


def run(function: Callable[..., Any]) -> Run:
    return evalkit.run(function, progress=False)


def test_what_a_prompt_says_goes_out_as_it_is(server: Server, tmp_path: Path) -> None:
    (tmp_path / "prompts/greet.md").write_text(
        "---\nsettings: {max_tokens: 9, temperature: 0.5}\n---\nGreet {{ name }}.\n"
    )
    result = run(suite())
    assert [trial.outcome for trial in result.suites[0].trials] == ["passed"] * 3
    call = next(call for call in server.calls if "Ada" in call.text)
    assert call.body["messages"] == [{"role": "user", "content": "Greet Ada."}]
    assert (call.body["max_tokens"], call.body["temperature"]) == (9, 0.5), "a prompt's settings win over the model's"
    assert {(one.kind, one.name) for one in result.suites[0].versions} == {("prompt", "greet"), ("model", "solver")}


def test_two_versions_are_compared_by_name_and_digest(
    server: Server, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = run(suite())
    (tmp_path / "prompts/greet.md").write_text("Ignore {{ name }}.\n")
    bad = run(suite())
    monkeypatch.setenv("EVALKIT_USE_PROMPTS", "greet=v1")
    again = run(suite())

    def between(base: Run, candidate: Run) -> tuple[list[str], int]:
        (found,) = compare(store.load(base.id), store.load(candidate.id)).suites
        return [pair.title for pair in found.versions], len(found.newly_failing)

    titles, failing = between(good, bad)
    first, second = (one.suites[0].versions[0].digest[:8] for one in (good, bad))
    assert titles[0] == f"prompt greet v1 ({first}) → v2 ({second})"
    assert titles[1].endswith("in both")
    assert failing == 3
    titles, failing = between(good, again)
    assert titles[0] == f"prompt greet v1 ({first}) in both"
    assert failing == 0


def test_a_stored_version_of_a_model_is_asked_with_the_key_of_its_file(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(suite())
    file = tmp_path / "models/solver.yaml"
    file.write_text(file.read_text().replace("scripted-small", "scripted-large"))
    run(suite())
    assert {call.model for call in server.calls} == {"scripted-small", "scripted-large"}
    monkeypatch.setenv("EVALKIT_USE_MODELS", "solver=v1")
    before = len(server.calls)
    result = run(suite())
    assert {call.model for call in server.calls[before:]} == {"scripted-small"}
    assert [one.number for one in result.suites[0].versions if one.kind == "model"] == [1]


def test_the_report_says_which_versions_were_used(server: Server, store: Store, tmp_path: Path) -> None:
    from evalkit_reports import write_html

    result = run(suite())
    path = write_html(store.load(result.id), tmp_path / "report.html")
    digest = result.suites[0].info.versions[0].digest[:8]
    assert f"greet v1 ({digest})" in path.read_text(encoding="utf-8")


def test_two_models_are_compared_though_they_have_two_names(server: Server, store: Store) -> None:
    one, two = run(suite("solver")), run(suite("other"))
    (found,) = compare(store.load(one.id), store.load(two.id)).suites
    assert found.versions[1].title.startswith("model solver v1 (")
    assert "→ model other v1 (" in found.versions[1].title


def test_loaded_prompts_and_models_are_recorded_in_the_trial(server: Server, store: Store) -> None:
    @evalkit.suite(dataset=CASES, scorers=[friendly])
    def application(case: evalkit.Case) -> str:
        model = evalkit.load_model("solver")
        return str(model.chat(evalkit.load_prompt("greet").render(**case.input)))

    result = run(application)
    for trial in store.load(result.id).suites[0].trials:
        assert {(one.kind, one.name, one.number) for one in trial.versions} == {
            ("prompt", "greet", 1),
            ("model", "solver", 1),
        }
