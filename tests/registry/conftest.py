"""A project with prompt and model files, and a store: in a file, and with `EVALKIT_TEST_PG_URL` set on a server too."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evalkit.config import load_settings
from evalkit.registry import Project
from evalkit.registry.loading import forget
from evalkit.store import Store, open_store

SERVER = os.environ.get("EVALKIT_TEST_PG_URL", "")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = [mark for mark in metafunc.definition.iter_markers("parametrize") if mark.args[0] == "project"]
    if SERVER and "project" in metafunc.fixturenames and not chosen:
        metafunc.parametrize("project", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project in the working directory, with the prompts `greet` and `chat` and the model `solver`."""
    server = request.getfixturevalue("empty_database") if getattr(request, "param", "") == "postgresql" else None
    for variable in [name for name in os.environ if name.startswith("EVALKIT_")]:
        monkeypatch.delenv(variable)
    if server is not None:
        monkeypatch.setenv("EVALKIT_STORE", server)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "prompts/greet.md").write_text("Greet {{ name }}.\n")
    (tmp_path / "prompts/chat.yaml").write_text('messages:\n  - role: user\n    content: "{{ question }}"\n')
    (tmp_path / "models/solver.yaml").write_text(
        "model: scripted-small\nbase_url: http://127.0.0.1:9/v1\napi_key: {env: SOLVER_KEY}\nparameters: {temperature: 0}\n"
    )
    forget()
    yield Project.of(load_settings(tmp_path))
    forget()


@pytest.fixture
def store(project: Project) -> Iterator[Store]:
    """The project's store."""
    with open_store(project.store) as opened:
        yield opened


@pytest.fixture
def register(project: Project) -> Callable[..., int]:
    """Store a text as the next version of a prompt, pointed at by `alias` where one is given; gives its number."""
    from evalkit.prompts import Prompt

    def registered(name: str, text: str, *, alias: str | None = None) -> int:
        with open_store(project.store) as opened:
            version = opened.register(Prompt(name=name, text=text).version)
            if alias is not None:
                known = opened.alias("prompt", name, alias)
                generation = 0 if known is None else known.generation
                opened.set_alias("prompt", name, alias, version.digest, expected_generation=generation)
        assert version.number is not None
        return version.number

    return registered
