"""Running the same suite again and again until it is green is counted, and said."""

from __future__ import annotations

import json
import math
import re
import subprocess

import pytest

from evalkit.attempts import WHY, ordinal
from evalkit.cli.app import run as run_command_line

SUITE = """
@evalkit.suite(dataset=rows({n}), scorers=[same], gates=["same >= 0.5"])
def test_it(case):
    return case.input

@evalkit.suite(dataset=rows(3), scorers=[same])
def test_without_gates(case):
    return case.input
"""


@pytest.fixture
def commit(pytester):
    """Make a commit of what is there; the first makes the repository."""
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]

    def make():
        for step in (
            ["init", "-q"],
            ["add", "-A"],
            ["commit", "-q", "--allow-empty", "-m", "work"],
        ):
            subprocess.run([*git, *step], cwd=pytester.path, check=True, capture_output=True)

    return make


def told(ran):
    found = re.search(r"test_it: (\w+) run at commit", " ".join(ran.text.split()))
    return found and found[1]


@pytest.fixture
def run_suite(run_evals, pytester, commit):
    (pytester.path / ".gitignore").write_text("*\n!.gitignore\n")
    commit()
    return lambda *arguments, n=20: run_evals(SUITE.format(n=n), "-p", "no:cacheprovider", *arguments)


def test_from_the_second_run_on_it_is_counted(run_suite):
    assert told(run_suite()) is None
    second = run_suite()
    assert told(second) == "2nd"
    assert WHY in " ".join(second.text.split())
    assert "test_without_gates: 2nd" not in second.text
    assert told(run_suite()) == "3rd"


def test_another_commit_other_cases_or_a_part_of_them_count_for_themselves(run_suite, commit):
    run_suite()
    assert told(run_suite(n=21)) is None
    assert told(run_suite("-k", "c1")) is None
    assert told(run_suite()) == "2nd", "the run of a part was no attempt"
    commit()
    assert told(run_suite()) is None


def test_a_run_that_stopped_when_decided_was_an_attempt(run_suite):
    run_suite("--evalkit-stop", "anytime", n=200)
    assert told(run_suite(n=200)) == "2nd"


def test_uncommitted_changes_are_said_and_counted_apart(run_suite, pytester):
    run_suite()
    (pytester.path / ".gitignore").write_text("*\n!.gitignore\n# changed\n")
    assert told(run_suite()) is None
    ran = run_suite()
    assert "with uncommitted changes, which may have been others each time" in " ".join(ran.text.split())


def test_a_stored_run_says_which_attempt_it_was(run_suite, pytester, capsys):
    for _ in range(3):
        run_suite()
    capsys.readouterr()
    store = str(pytester.path / ".evalkit" / "evalkit.db")
    assert run_command_line(["show", "last", "--store", store]) == 0
    assert "test_it: 3rd run at commit" in capsys.readouterr().out
    assert run_command_line(["show", "last", "--json", "--store", store]) == 0
    assert json.loads(capsys.readouterr().out)["earlier_runs"] == {"test_it": 2, "test_without_gates": 2}


def test_without_git_nothing_is_counted(run_evals, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", "/")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    for _ in range(2):
        assert told(run_evals(SUITE.format(n=20))) is None


def test_ordinals():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]
    )


def test_the_chances_it_names_are_those():
    """A true share of 0.88 against 0.9 on 100 cases."""
    once = sum(math.comb(100, k) * 0.88**k * 0.12 ** (100 - k) for k in range(90, 101))
    assert f"{100 * once:.0f} %" == "33 %"
    assert f"{100 * (1 - (1 - once) ** 3):.0f} %" == "70 %"
    assert "33 %" in WHY
    assert "70 %" in WHY


def test_another_prompt_is_no_other_attempt(run_evals, pytester, commit):
    (pytester.path / ".gitignore").write_text("*\n!.gitignore\n")
    commit()
    prompts = pytester.path / "prompts"
    prompts.mkdir()
    suite = (
        SUITE.format(n=20)
        .replace("gates=", 'prompt="say", gates=')
        .replace("def test_it(case)", "def test_it(case, prompt)")
    )
    for text, expected in (("One.", None), ("Two.", None), ("Two.", "2nd"), ("One.", "2nd")):
        (prompts / "say.md").write_text(text)
        assert told(run_evals(suite, "-p", "no:cacheprovider")) == expected
