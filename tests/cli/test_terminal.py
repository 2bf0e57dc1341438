"""How the command line behaves as a program: mistakes, colours, widths, pipes, Ctrl-C, imports."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from evalkit.cli.app import COMMANDS
from evalkit.cli.app import cli as group
from evalkit.plaintext import cells

Cli = Callable[..., Any]
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def leaves() -> list[list[str]]:
    """Every command, as the words that call it."""
    context = click.Context(group)
    found: list[list[str]] = []
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found.extend([name, sub] for sub in command.list_commands(context))
        else:
            found.append([name])
    return found


def program(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("EVALKIT_") and key != "NO_COLOR"}
    return subprocess.run(
        [sys.executable, "-m", "evalkit", *arguments],
        cwd=cwd,
        env=clean | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["rusn"], 'There is no command "rusn". Did you mean "runs"?'),
        (["db", "chek"], 'There is no command "chek". Did you mean "check"?'),
        (["runs", "--limt", "3"], 'There is no option "--limt". Did you mean "--limit"'),
        (["--degug", "runs"], 'There is no option "--degug". Did you mean "--debug"?'),
        (["runs", "--limit", "none"], "'none' is not a valid integer"),
        (["show"], "RUN"),
        (["runs", "extra"], "extra"),
        (["gate", "last", "--inconclusive", "maybe"], "maybe"),
    ],
)
def test_a_slip_is_met_with_help_not_a_traceback(cli: Cli, words: list[str], says: str) -> None:
    result = cli(*words)
    assert (result.code, result.out) == (2, "")
    assert says in result.err
    assert re.search(r"See: evalkit.* --help", result.err)
    assert "Traceback" not in result.err


def test_debug_shows_the_traceback(cli: Cli) -> None:
    for words in (["--debug", "show", "last"], ["show", "last", "--debug"]):
        result = cli(*words)
        assert result.code == 2
        assert "Traceback" in result.err
        assert "NotFound" in result.err


def test_a_bug_of_ours_is_called_one(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> object:
        raise ZeroDivisionError("oh no")

    monkeypatch.setattr("evalkit.cli.options.Invocation.settings", broken)
    result = cli("runs")
    assert result.code == 70
    assert "bug in evalkit: ZeroDivisionError: oh no" in result.err
    assert "Traceback" not in result.err


def test_ctrl_c_ends_quietly(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("evalkit.cli.options.Invocation.settings", interrupted)
    result = cli("runs")
    assert (result.code, result.err.strip()) == (130, "Interrupted.")


@pytest.mark.parametrize("words", leaves(), ids=" ".join)
def test_every_command_has_help_that_names_its_options(cli: Cli, words: list[str]) -> None:
    result = cli(*words, "--help")
    assert result.code == 0
    assert f"Usage: evalkit {' '.join(words)}" in result.out
    for option in ("--store", "--debug", "--no-color", "--help"):
        assert option in result.out


def test_the_help_lists_every_command_with_its_own_words(cli: Cli) -> None:
    shown = cli("--help").out
    context = click.Context(group)
    for name, (_, text) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(text.split()[0])}", shown, re.M)
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name


def test_a_store_may_be_named_before_or_behind_the_command(cli: Cli, make_run: Any, project: Path) -> None:
    run = make_run()
    (project / ".evalkit").rename(project / "moved")
    for words in (["--store", "moved/evalkit.db", "runs", "--json"], ["runs", "--json", "--store", "moved/evalkit.db"]):
        assert [found["id"] for found in cli(*words).json()] == [run.id]


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize(
    "words", [["runs"], ["show", "last"], ["gate", "last"], ["compare", "last", "last"], ["config"]]
)
def test_no_line_is_wider_than_the_terminal(
    cli: Cli, make_run: Any, monkeypatch: pytest.MonkeyPatch, words: list[str], width: int
) -> None:
    make_run(wrong=(1, 2, 3), raises=(4,), gates=("right >= 0.9", "right[odd=true] >= 0.5", "p95(latency) <= 10s"))
    monkeypatch.setenv("COLUMNS", str(width))
    if words == ["config"]:
        monkeypatch.setenv("EVALKIT_STORE", "a.db")
    lines = cli(*words).out.splitlines()
    too_wide = [
        line for line in lines if cells(line) > width and not line.startswith(("run ", "root ", "base ", "candidate "))
    ]
    assert too_wide == []


def test_colour_is_for_terminals_and_on_request(cli: Cli, make_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(wrong=(1,))
    assert "\x1b" not in cli("show", "last").out
    assert "\x1b" in cli("show", "last", "--color").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in cli("show", "last").out
    assert "\x1b" not in cli("show", "last", "--no-color").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in cli("show", "last").out


def test_json_never_has_colour(cli: Cli, make_run: Any) -> None:
    make_run()
    for words in (["runs"], ["show", "last"], ["gate", "last"], ["config"]):
        assert "\x1b" not in cli(*words, "--json", "--color").out


def on_a_terminal(words: list[str], width: int, cwd: Path, **environment: str) -> str:
    """What the program writes where stdout is a terminal of `width` columns."""
    import fcntl
    import pty
    import struct
    import termios

    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    drop = ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "CI")
    clean = {key: value for key, value in os.environ.items() if key not in drop and not key.startswith("EVALKIT_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "evalkit", *words],
        cwd=cwd,
        env=clean | {"TERM": "xterm-256color"} | environment,
        stdin=child,
        stdout=child,
        stderr=child,
    )
    os.close(child)
    data = b""
    while True:
        try:
            chunk = os.read(parent, 65536)
        except OSError:  # Linux's way of saying that the other side has closed
            break
        if not chunk:
            break
        data += chunk
    os.close(parent)
    assert process.wait(timeout=60) == 0
    return data.decode()


@pytest.mark.slow
@pytest.mark.parametrize("width", [80, 160])
def test_a_real_terminal_gets_its_width_and_colours(make_run: Any, project: Path, width: int) -> None:
    make_run(wrong=(1, 2, 3), gates=("right >= 0.9 @ 95%",), cases=40)
    shown = on_a_terminal(["show", "last"], width, project)
    assert "\x1b[33mINCONCLUSIVE\x1b[0m" in shown
    assert max(cells(line) for line in ANSI.sub("", shown).splitlines()) <= width
    assert "\x1b" not in on_a_terminal(["show", "last"], width, project, NO_COLOR="1")


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error(make_run: Any, project: Path) -> None:
    make_run(wrong=tuple(range(20)))
    command = f"{sys.executable} -m evalkit show last --failed --json | head -c 10; echo ${{PIPESTATUS[0]}} >&2"
    done = subprocess.run(["bash", "-c", command], cwd=project, capture_output=True, text=True, timeout=60, check=True)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert done.stderr.strip() in ("0", "141")


@pytest.mark.slow
def test_ctrl_c_in_a_real_process(project: Path) -> None:
    (project / "slow.py").write_text(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # which a CI in the background has ignored
        "from evalkit.cli.options import Invocation\n"
        "def wait(self):\n"
        "    print('waiting', flush=True)\n"
        "    time.sleep(60)\n"
        "Invocation.settings = wait\n"
        "from evalkit.cli import main\n"
        "main(['runs'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "slow.py"], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "Interrupted."


def test_a_terminal_that_claims_to_know_ascii_only_is_no_reason_to_crash(make_run: Any, project: Path) -> None:
    make_run(wrong=(1,))
    done = program("show", "last", cwd=project, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "sums: 20 cases" in done.stdout


def test_the_module_is_the_command(project: Path) -> None:
    assert program("--version", cwd=project).stdout.startswith("evalkit ")
    assert program("rusn", cwd=project).returncode == 2


HEAVY = ("sqlalchemy", "alembic", "jinja2", "rich", "pandas", "scipy", "yaml", "pytest", "rfc8785", "jsonschema", "re2")


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["runs", "--help"], ["demo", "--help"], ["config"]])
def test_help_imports_nothing_heavy(project: Path, words: list[str]) -> None:
    code = (
        "import sys\n"
        "from evalkit.cli.app import run\n"
        f"run({words!r})\n"
        f"print('imported', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "imported []"
