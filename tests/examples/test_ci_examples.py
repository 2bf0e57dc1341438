"""The workflows in examples/ci: every command and flag in them exists, and GitHub's steps do what they say."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from evalkit.cli.app import cli
from evalkit.cli.app import run as run_command_line
from pytest_evalkit.plugin import FLAGS

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / "examples/ci/github/evals.yml"
GITLAB = ROOT / "examples/ci/gitlab/.gitlab-ci.yml"
OF_PYTEST = {"--junitxml"}


def scripts(path: Path) -> Iterator[str]:
    """Every piece of shell in a file."""

    def below(value: Any, key: str = "") -> Iterator[str]:
        if isinstance(value, dict):
            for name, item in value.items():
                yield from below(item, str(name))
        elif isinstance(value, list):
            for item in value:
                yield from below(item, key)
        elif key in ("run", "script", "before_script", "after_script"):
            yield str(value)

    yield from below(yaml.safe_load(path.read_text(encoding="utf-8")))


def commands(path: Path, program: str) -> list[list[str]]:
    """Every call of a program, as words; what the shell puts in for a variable is `x`."""
    found = []
    for script in scripts(path):
        joined = re.sub(r"\$\{[^}]*\}|\$\w+", "x", script.replace("\\\n", " "))
        for call in re.findall(rf"(?:^|[;(\s]){program} ([^\n;|)>]*)", joined, flags=re.M):
            found.append(shlex.split(call.partition(" ||")[0]))
    return found


@pytest.mark.parametrize("path", [GITHUB, GITLAB], ids=["github", "gitlab"])
def test_every_command_of_evalkit_is_one(path: Path) -> None:
    calls = [words for words in commands(path, "evalkit") if words]
    assert {words[0] for words in calls} >= {"sync", "promote", "promotions", "runs", "policy", "audit"}
    for words in calls:
        command: click.Command = cli
        context = click.Context(cli, info_name="evalkit")
        rest = list(words)
        while isinstance(command, click.Group):
            name = "list" if rest[0].startswith("-") else rest.pop(0)
            found = command.get_command(context, name)
            assert found is not None, words
            command = found
        command.make_context(command.name or "", rest, parent=context)  # raises for an option that there is not


@pytest.mark.parametrize("path", [GITHUB, GITLAB], ids=["github", "gitlab"])
def test_every_flag_of_pytest_is_one(path: Path) -> None:
    known = {f"--evalkit-{name}" for name, _ in FLAGS} | OF_PYTEST
    calls = commands(path, "pytest")
    assert len(calls) == 2
    for words in calls:
        flags = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert flags
        assert flags <= known


def test_the_workflow_of_github_is_one() -> None:
    found = yaml.safe_load(GITHUB.read_text(encoding="utf-8"))
    assert found[True] == {"pull_request": None, "push": {"branches": ["main"]}}  # YAML 1.1 takes `on` for true
    assert set(found["jobs"]) == {"pull-request", "promote"}
    assert found["permissions"] == {"contents": "read"}
    for job in found["jobs"].values():
        assert job["runs-on"] == "ubuntu-latest"
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            assert set(step) <= {"name", "if", "env", "uses", "with", "run"}
        assert job["steps"][0] == {"uses": "actions/checkout@v4", "with": {"fetch-depth": 0}}
    secrets = re.findall(r"secrets\.(\w+)", GITHUB.read_text(encoding="utf-8"))
    assert set(secrets) == {"EVALKIT_STORE", "EVALKIT_TOKEN", "OPENAI_API_KEY"}
    assert "EVALKIT_TOKEN" not in json.dumps(found["jobs"]["pull-request"]), "a pull request asks for nothing"


def test_the_jobs_of_gitlab_are_jobs() -> None:
    found = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))
    jobs = {name: job for name, job in found.items() if isinstance(job, dict) and not name.startswith(".")}
    assert set(jobs) == {"merge request", "promote"}
    for job in jobs.values():
        assert job["extends"] in found
        assert job["stage"] in found["stages"]
        assert job["rules"]
        assert job["script"]


class Runner:
    """What stands for GitHub's machine: a checkout, the secrets, and `gh`, of which every call is noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.summary, self.calls = folder / "step-summary.md", folder / "gh-calls"
        self.store = folder / "evalkit.db"
        stub = folder / "bin/gh"
        stub.parent.mkdir()
        stub.write_text(f'#!/bin/sh\necho "$@" >> {shlex.quote(str(self.calls))}\n')
        stub.chmod(0o755)
        ours = ("EVALKIT_", "PYTEST_", "GIT", "CI")
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)} | {
            "PATH": f"{stub.parent}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "EVALKIT_STORE": str(self.store),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "GITHUB_ACTIONS": "true",
            "GITHUB_BASE_REF": "main",
            "GITHUB_REPOSITORY": "somebody/something",
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "NUMBER": "7",
            "PYTEST_ADDOPTS": "-p no:asyncio -p no:cacheprovider",
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{f"GIT_{who}_{what}": "ada" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.folder, env=self.environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def step(self, job: str, name: str, **more: str) -> tuple[int, str]:
        """Run a step as GitHub does; gives its exit code and what it wrote."""
        steps = yaml.safe_load(GITHUB.read_text(encoding="utf-8"))["jobs"][job]["steps"]
        (script,) = [one["run"] for one in steps if one.get("name") == name]
        assert "${{" not in script, "what a pull request says must not become shell"
        environment = self.environment | {"GITHUB_SHA": self.git("rev-parse", "HEAD")} | more
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    made = Runner(tmp_path)
    ignored = shutil.ignore_patterns(".evalkit", "__pycache__", ".pytest_cache")
    shutil.copytree(ROOT / "examples/promotion", made.folder, ignore=ignored)
    (made.folder / ".gitignore").write_text("__pycache__/\nsummary.md\nreport.html\njunit.xml\npromotion-*.json\n")
    made.git("init", "-q", "-b", "main")
    made.commit("The first version")
    made.git("update-ref", "refs/remotes/origin/main", "main")
    return made


@pytest.mark.slow
def test_a_pull_request_is_judged_and_a_merge_asks_for_the_promotion(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens: dict[str, str] = {}

    def act(*words: str, by: str = "") -> int:
        monkeypatch.delenv("EVALKIT_TOKEN", raising=False)
        if by:
            monkeypatch.setenv("EVALKIT_TOKEN", tokens[by])
        capsys.readouterr()
        return run_command_line(words)

    for name in [name for name in os.environ if name.startswith("EVALKIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EVALKIT_STORE", str(runner.store))
    monkeypatch.chdir(runner.folder)

    # Before anything is in force the main branch runs all suites, and somebody promotes what there is.
    code, said = runner.step("promote", "all suites")
    assert code == 0, said
    assert "Nothing to compare with" in said
    for name, role in {"ada": "author", "ben": "approver", "ci": "runner"}.items():
        assert act("tokens", "create", name, "--role", role, *(["--service"] if name == "ci" else [])) == 0
        tokens[name] = capsys.readouterr().out.strip()
    for subject in ("model/urgency", "prompt/urgency"):
        words = ("promote", subject, "--to", "production", "--version", "file", "--run", "last", "--baseline", "last")
        assert act(*words, by="ada") == 5, capsys.readouterr()
        assert act("approve", f"{subject}@production", by="ben") == 0
        assert act("apply", f"{subject}@production", by="ada") == 0

    # A pull request that makes it worse.
    runner.git("checkout", "-q", "-b", "friendlier")
    shutil.copy(runner.folder / "next/friendlier.md", runner.folder / "prompts/urgency.md")
    runner.commit("Friendlier")
    code, said = runner.step("pull-request", "suites that may have changed")
    assert code == 1, said
    summary = (runner.folder / "summary.md").read_text(encoding="utf-8")
    assert "❌" in summary
    assert "-0.633" in summary, "the difference to what is in force"
    assert runner.step("pull-request", "every prompt and model was run")[0] == 0
    assert runner.step("pull-request", "summary of the job")[0] == 0
    assert summary in runner.summary.read_text(encoding="utf-8")
    assert runner.step("pull-request", "comment")[0] == 0
    assert "pr comment 7 --body-file summary.md" in runner.calls.read_text()

    # A pull request that changes nothing that a suite depends on.
    runner.git("checkout", "-q", "-b", "words", "main")
    (runner.folder / "README.md").write_text("What this is\n")
    runner.commit("Words")
    runner.summary.unlink()
    code, said = runner.step("pull-request", "suites that may have changed")
    assert code == 0, said
    assert runner.summary.read_text() == "Nothing changed that a suite depends on.\n"

    # A pull request that makes it better, and its merge.
    runner.git("checkout", "-q", "-b", "clearer", "main")
    shutil.copy(runner.folder / "next/clearer.md", runner.folder / "prompts/urgency.md")
    runner.commit("Clearer")
    code, said = runner.step("pull-request", "every prompt and model was run")
    assert (code, "prompt urgency" in said) == (1, True), "no suite has run with it yet"
    code, said = runner.step("pull-request", "suites that may have changed")
    assert code == 0, said
    assert runner.step("pull-request", "every prompt and model was run")[0] == 0
    runner.git("checkout", "-q", "main")
    runner.git("merge", "-q", "--no-ff", "-m", "Merge", "clearer")
    for name in ("policies and prompts", "all suites", "ask for the promotions"):
        code, said = runner.step("promote", name, EVALKIT_TOKEN=tokens["ci"])
        assert code == 0, said
    asked = json.loads((runner.folder / "promotion-prompt-urgency.json").read_text())
    assert (asked["exit_code"], asked["promotion"]["state"]) == (5, "pending_approval")
    assert asked["promotion"]["by"]["name"] == "ci"
    assert asked["promotion"]["evidence"]["commit"] == runner.git("rev-parse", "HEAD")
    assert not (runner.folder / "promotion-model-urgency.json").exists(), "it did not change"
    assert json.loads((runner.folder / "checkpoint.json").read_text())["seq"] > 0
    assert "pending approval" in runner.summary.read_text()

    assert act("approve", "prompt/urgency@production", by="ci") == 1, "a service approves nothing"
    assert act("approve", "prompt/urgency@production", by="ben") == 0
    assert act("apply", "prompt/urgency@production", by="ci") == 0
