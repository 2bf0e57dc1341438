"""The story of examples/promotion: a prompt is made worse and blocked, made better, approved, applied and rolled back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import evalkit
from evalkit.cli.app import run as run_command_line
from evalkit.registry.loading import forget
from evalkit.store import open_store

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "promotion"
PROMOTE = ("promote", "prompt/urgency", "--to", "production", "--version", "file", "--run", "last")
NAME = "prompt/urgency@production"


class Story:
    """A copy of the example, and two people who act in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.tokens: dict[str, str] = {}

    def measure(self) -> int:
        """Run the suite; gives how many of sixty were right."""
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", "-p", "no:cacheprovider"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stdout + done.stderr
        with open_store(self.folder / ".evalkit/evalkit.db") as store:
            trials = store.load(store.resolve("last")).suites[0].trials
        assert len(trials) == 60
        return sum(trial.outcome == "passed" for trial in trials)

    def write(self, name: str) -> None:
        shutil.copy(self.folder / "next" / name, self.folder / "prompts/urgency.md")

    def act(self, *words: str, by: str | None = None) -> tuple[int, str]:
        """Run a command as somebody; gives its exit code and all that it wrote."""
        self._monkeypatch.delenv("EVALKIT_TOKEN", raising=False)
        if by is not None:
            self._monkeypatch.setenv("EVALKIT_TOKEN", self.tokens[by])
        self._capsys.readouterr()
        code = run_command_line(words)
        out, err = self._capsys.readouterr()
        return code, " ".join((out + err).split())

    def token(self, name: str, role: str) -> None:
        self._capsys.readouterr()
        assert run_command_line(["tokens", "create", name, "--role", role]) == 0
        self.tokens[name] = self._capsys.readouterr().out.strip()

    @property
    def in_force(self) -> str | None:
        """What an application would use."""
        return evalkit.load_prompt("urgency", alias="production", refresh=0).version.label


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".evalkit", "__pycache__", ".pytest_cache"))
    for name in [name for name in os.environ if name.startswith(("EVALKIT_", "PYTEST_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(folder)
    forget()
    yield Story(folder, monkeypatch, capsys)
    forget()


def test_the_story_of_the_page(story: Story) -> None:
    assert story.measure() == 53
    story.token("ada", "author:production")
    story.token("ben", "approver:production")
    code, said = story.act(*PROMOTE)
    assert (code, "[identity]" in said) == (1, True)

    assert story.act(*PROMOTE, "--baseline", "last", by="ada")[0] == 5
    code, said = story.act("approve", NAME, by="ada")
    assert (code, "[role]" in said) == (1, True)
    assert story.act("approve", NAME, by="ben")[0] == 0
    assert story.act("apply", NAME, by="ada")[0] == 0
    assert story.in_force == "v1"

    story.write("friendlier.md")
    assert story.measure() == 15
    code, said = story.act(*PROMOTE, by="ada")
    assert code == 1
    assert "exact_match went from 0.8833 to 0.25 on 60 pairs: 0 improved, 38 regressed, 22 stayed" in said
    assert "production will not be moved, as not every rule passed (gate)." in said
    assert story.in_force == "v1"

    story.write("clearer.md")
    assert story.measure() == 57
    code, said = story.act(*PROMOTE, by="ada")
    assert (code, "WAITING FOR APPROVAL" in said) == (5, True)
    assert story.in_force == "v1"
    code, said = story.act("apply", NAME, by="ada")
    assert code == 1
    assert story.act("approve", NAME, by="ben")[0] == 0
    assert story.act("apply", NAME, by="ada")[0] == 0
    assert story.in_force == "v3"

    assert story.act("rollback", "prompt/urgency", "--alias", "production", "--reason", "x", by="ben")[0] == 0
    assert story.in_force == "v1"
    assert story.act("promotions", "verify", NAME)[0] == 0
    code, said = story.act("audit", "verify")
    assert (code, said.startswith("OK")) == (0, True)
    with open_store(story.folder / ".evalkit/evalkit.db") as store:
        states = [one.state for one in store.promotions()]
    assert states == ["superseded", "blocked", "rolled_back", "applied"]
