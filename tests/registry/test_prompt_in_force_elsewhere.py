"""A process that runs sees what another one promotes, within its refresh time and without a restart."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

import evalkit
from evalkit.case import Case
from evalkit.registry import Project

PATIENCE = 120.0
"""Seconds after which something is wrong; it takes far less, unless the machine is very busy."""


def right(output: object, expected: object) -> bool:
    return output == expected


def run_suite() -> None:
    @evalkit.suite(
        name="greetings",
        dataset=[Case(id=f"c{n}", input=n, expected=n) for n in range(5)],
        scorers=[right],
        gates=["right >= 0.5"],
        prompt="greet",
    )
    def suite(case: Case, prompt: object) -> object:
        return case.input

    evalkit.run(suite, progress=False)


def evalkit_command(*words: str) -> None:
    """In a process of its own, as a person or a job would."""
    done = subprocess.run([sys.executable, "-m", "evalkit", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def seen(text: str, *, refresh: float) -> None:
    """Ask for the prompt until it reads so."""
    start = time.monotonic()
    while evalkit.load_prompt("greet", alias="production", refresh=refresh).text != text:
        assert time.monotonic() - start < PATIENCE, "it never came"
        time.sleep(0.01)


def lasting() -> str:
    """What a part of this process sees that asks once an hour; its copies have a folder of their own."""
    return str(evalkit.load_prompt("greet", alias="production", refresh=3600.0, copies="lasting").text)


@pytest.mark.slow
def test_a_promotion_of_another_process_is_seen_within_the_refresh_time(project: Project) -> None:
    texts = ["Greet {{ name }}.", "Say hello to {{ name }}."]
    for version, text in enumerate(texts, start=1):
        Path("prompts/greet.md").write_text(text + "\n")
        run_suite()
        evalkit_command("promote", "prompt/greet", "--to", "production", "--version", f"v{version}", "--run", "last")
        seen(text, refresh=0.1)
        assert lasting() == texts[0]
    evalkit_command("rollback", "prompt/greet", "--alias", "production", "--reason", "It is too stiff.")
    seen(texts[0], refresh=0.1)
