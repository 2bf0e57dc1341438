"""Where a run came from: the commit, the machine, the versions, the CI job, and no secret."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

import evalkit
from evalkit import provenance
from evalkit.provenance import CI_VARIABLES, ci_variables, collect, mask_command, package_versions


def git(folder: Path, *words: str) -> str:
    options = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *options, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init")
    (tmp_path / "a.txt").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def test_a_clean_checkout(repository: Path) -> None:
    found = collect(folder=repository)
    assert found.commit == git(repository, "rev-parse", "HEAD").strip()
    assert (found.branch, found.dirty) == ("main", False)


def test_changed_files_make_it_dirty_and_unknown_ones_do_not(repository: Path) -> None:
    (repository / "unknown.txt").write_text("x")
    assert collect(folder=repository).dirty is False
    (repository / "a.txt").write_text("two")
    assert collect(folder=repository).dirty is True


def test_a_detached_head_has_no_branch(repository: Path) -> None:
    git(repository, "checkout", "--detach")
    found = collect(folder=repository)
    assert (found.branch, found.dirty) == (None, False)
    assert found.commit is not None


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init")
    found = collect(folder=tmp_path)
    assert (found.commit, found.branch) == (None, "main")


def test_no_repository_and_no_git(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = collect(folder=repository)
    assert (found.commit, found.branch, found.dirty) == (None, None, None)
    monkeypatch.undo()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", "/")
    (tmp_path / ".git").rename(tmp_path / "not-git")
    assert collect(folder=tmp_path).commit is None


def test_git_that_hangs_is_given_up_on(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = repository / "tools"
    tools.mkdir()
    (tools / "git").write_text("#!/bin/sh\nexec sleep 30\n")
    (tools / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setattr(provenance, "_GIT_TIMEOUT", 0.2)
    start = time.monotonic()
    assert collect(folder=repository).commit is None
    assert time.monotonic() - start < 10


def test_the_machine_and_the_versions() -> None:
    found = collect("pytest evals")
    assert found.python == ".".join(map(str, sys.version_info[:3]))
    assert found.evalkit == evalkit.__version__
    assert found.host
    assert found.platform
    assert found.command == "pytest evals"
    assert found.packages["pytest"] == pytest.__version__


def test_versions_are_read_from_what_is_installed_without_importing(tmp_path: Path) -> None:
    before = set(sys.modules)
    for name in ("openai-2.3.4.dist-info", "Google_GenAI-1.0.dist-info", "left_pad-9.dist-info", "torch-2.0.egg-info"):
        (tmp_path / name).mkdir()
    later = tmp_path / "later"
    (later / "openai-1.0.dist-info").mkdir(parents=True)
    found = package_versions([str(tmp_path), str(tmp_path / "missing"), str(later)])
    assert found == {"google-genai": "1.0", "openai": "2.3.4", "torch": "2.0"}
    assert not {"google.genai", "torch"} & (set(sys.modules) - before)


def test_only_known_variables_are_taken_and_only_in_ci() -> None:
    environment = {"GITHUB_SHA": "abc", "GITHUB_TOKEN": "ghs_secret", "OPENAI_API_KEY": "sk-secret", "HOME": "/root"}
    assert ci_variables(environment) == {}
    assert ci_variables(environment | {"GITHUB_ACTIONS": "true"}) == {"GITHUB_ACTIONS": "true", "GITHUB_SHA": "abc"}
    assert (
        ci_variables({"CI": "1", "BUILD_URL": "https://me:pw@ci.example/1"})["BUILD_URL"]
        == "https://me:***@ci.example/1"
    )


def test_no_variable_on_the_list_is_a_secrets() -> None:
    assert not [name for name in CI_VARIABLES if any(word in name for word in ("TOKEN", "KEY", "SECRET", "PASSWORD"))]


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("pytest evals -k 'one or two' --max-tokens 5", "pytest evals -k 'one or two' --max-tokens 5"),
        ("pytest --api-key hush -x", "pytest --api-key *** -x"),
        ("pytest --openai-api-key=hush", "pytest --openai-api-key=***"),
        ("pytest --auth.token hush", "pytest --auth.token ***"),
        ("OPENAI_API_KEY=hush pytest", "OPENAI_API_KEY=*** pytest"),
        ("pytest -p password=hush", "pytest -p password=***"),
        ("pytest --evalkit-store postgresql://me:hush@h/db", "pytest --evalkit-store postgresql://me:***@h/db"),
        ("run sk-proj-hush1234hush1234 now", "run *** now"),
        ("run --model=ghp_hushhushhushhush1234", "run --model=***"),
        ("curl -H 'Authorization: Bearer hush'", "curl -H 'Authorization: Bearer ***'"),
        ("pytest --keyword x --monkey y", "pytest --keyword x --monkey y"),
        ("pytest --token", "pytest --token"),
        ("an 'open quote --secret hush", "an ''\"'\"'open' quote --secret ***"),
    ],
)
def test_what_looks_like_a_secret_is_masked_in_the_command(command: str, shown: str) -> None:
    assert mask_command(command) == shown
    assert "hush" not in mask_command(command)


def test_the_command_of_this_process_is_how_it_was_started(tmp_path: Path) -> None:
    code = "from evalkit.provenance import collect; print(collect().command)"
    script = tmp_path / "evals.py"
    script.write_text(code)
    done = subprocess.run([sys.executable, script, "--fast"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{Path(sys.executable).name} {script} --fast"
