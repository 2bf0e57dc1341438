"""`--evalkit-changed REF`: a pull request runs the suites that it may have changed, and no others."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml  # noqa: F401 - pytester forgets what an inner session imports first; half of yaml's C part stays

SUITES = """
@evalkit.suite(dataset="greet.jsonl", scorers=[same], prompt="greet")
def test_greet(case, prompt):
    return case.input

@evalkit.suite(dataset=evalkit.load("part.jsonl"), scorers=[same], prompt="part", model="small")
def test_part(case, prompt, model):
    return case.input

@evalkit.suite(dataset=rows(1), scorers=[same])
def test_alone(case):
    return case.input

def test_ordinary():
    pass
"""
ROW = '{"id": "b", "input": 1, "expected": 1}\n'
MODEL = "model: scripted-small\nbase_url: http://127.0.0.1:9\n"
ALL = {"test_greet", "test_part", "test_alone"}


def git(folder: Path, *words: str) -> None:
    identity = {f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True)


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture
def ran(run_evals: Callable[..., Any], pytester: pytest.Pytester) -> Callable[..., set[str]]:
    """Change files on a branch of a committed project; gives the suites that then run."""
    folder = pytester.path
    row = '{"id": "a", "input": 1, "expected": 1}\n'
    write(
        folder,
        {
            "prompts/greet.md": "Hello {{ name }}",
            "prompts/part.md": "Bye {{ name }}",
            "models/small.yaml": "model: scripted-small\nbase_url: http://127.0.0.1:9\n",
            "greet.jsonl": row,
            "part.jsonl": row,
            "app.py": "ANSWER = 1\n",
            "README.md": "What this is\n",
            "docs/page.md": "How it is used\n",
            ".gitignore": ".evalkit/\n__pycache__/\n.pytest_cache/\n",
        },
    )
    run_evals(SUITES, "--collect-only", "-q")  # which writes the test file
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "before")
    git(folder, "checkout", "-q", "-b", "topic")

    def change(files: dict[str, str], *, commit: bool = True, source: str = SUITES) -> set[str]:
        write(folder, files)
        if commit:
            git(folder, "add", "-A")
            git(folder, "commit", "-q", "--allow-empty", "-m", "after")
        result = run_evals(source, "--evalkit-changed", "main")
        assert result.result.ret == 0, result.text
        assert result.result.parseoutcomes()["passed"] == 1 + (len(result.run.suites) if result.run else 0)
        return set() if result.run is None else {suite.info.name for suite in result.run.suites}

    return change


@pytest.mark.parametrize(
    ("changed", "suites"),
    [
        ("prompts/greet.md", {"test_greet", "test_alone"}),
        ("models/small.yaml", {"test_part", "test_alone"}),
        ("greet.jsonl", {"test_greet"}),
        ("part.jsonl", {"test_part"}),
        ("app.py", ALL),
        ("other/settings.toml", ALL),
        ("README.md", set()),
        ("docs/page.md", set()),
        (".github/workflows/ci.yml", set()),
    ],
)
def test_a_change_runs_the_suites_that_it_concerns(ran: Any, changed: str, suites: set[str]) -> None:
    new = {"greet.jsonl": ROW, "part.jsonl": ROW, "models/small.yaml": MODEL + "parameters: {seed: 1}\n"}
    assert ran({changed: new.get(changed, "# Something else\n")}) == suites


def test_a_suite_that_is_run_is_whole(ran: Any, pytester: pytest.Pytester) -> None:
    ran({"prompts/greet.md": "Hi {{ name }}"})
    from evalkit.store import open_store

    with open_store(pytester.path / ".evalkit/evalkit.db", read_only=True) as store:
        assert not store.load(store.resolve("last")).is_partial


def test_what_is_not_committed_counts_as_changed(ran: Any) -> None:
    assert ran({"prompts/part.md": "So long {{ name }}"}, commit=False) == {"test_part", "test_alone"}


def test_a_new_file_counts_where_it_is_known_what_it_is(ran: Any) -> None:
    assert ran({"report.html": "<p>of an earlier session</p>", "prompts/new.md": "New"}, commit=False) == {"test_alone"}


def test_a_prompt_that_is_gone_concerns_all(ran: Any, pytester: pytest.Pytester) -> None:
    (pytester.path / "models/small.yaml").rename(pytester.path / "models/tiny.yaml")
    assert ran({}, source=SUITES.replace('model="small"', 'model="tiny"')) == ALL


def test_what_main_did_meanwhile_is_not_this_branch(ran: Any, pytester: pytest.Pytester) -> None:
    git(pytester.path, "checkout", "-q", "main")
    write(pytester.path, {"app.py": "ANSWER = 2\n"})
    git(pytester.path, "commit", "-q", "-a", "-m", "elsewhere")
    git(pytester.path, "checkout", "-q", "topic")
    assert ran({"greet.jsonl": ROW}) == {"test_greet"}


def test_what_is_left_out_is_said(run_evals: Any, ran: Any, pytester: pytest.Pytester) -> None:
    ran({"greet.jsonl": ROW})
    text = run_evals(SUITES, "--evalkit-changed", "main").text
    assert "Left out, as nothing changed for them since main: test_part, test_alone." in text
    assert "2 deselected" in text


@pytest.mark.parametrize(("ref", "said"), [("nowhere", 'git knows no commit "nowhere"'), ("--all", "git knows no")])
def test_a_branch_that_git_does_not_know_is_a_mistake(run_evals: Any, ran: Any, ref: str, said: str) -> None:
    result = run_evals(SUITES, f"--evalkit-changed={ref}")
    assert result.result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.result.stderr.str()
    assert "fetch-depth: 0" in result.result.stderr.str()


def test_outside_of_git_it_is_a_mistake(run_evals: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    result = run_evals(
        SUITES.replace(', prompt="greet"', "").replace("case, prompt)", "case)"), "--evalkit-changed=main"
    )
    assert result.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "this is no git checkout" in result.result.stderr.str()
