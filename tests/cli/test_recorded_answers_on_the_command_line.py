"""`evalkit cache`: what is recorded, taking some of it out, and writing it to files for git."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.canonical import utc_now
from evalkit.exchange import Exchange, exchange_key
from evalkit.store import open_store
from evalkit.transport.folder import Folder

URL = "https://api.example.com/v1/chat/completions"


def exchange(number: int, **fields: Any) -> Exchange:
    request = f'{{"n":{number}}}'
    made = Exchange(
        key=exchange_key(method="POST", url=URL, request=request, trial=1),
        method="POST",
        url=URL,
        request=request,
        content_type="application/json",
        body='{"ok":true}',
        recorded_at=utc_now().replace(microsecond=0),
        model="scripted-a",
        suite="sums",
        case_id=f"c{number}",
    )
    return dataclasses.replace(made, **fields)


SOME = [exchange(1), exchange(2), exchange(3, model="scripted-b", suite="other")]


@pytest.fixture
def recorded(project: Path) -> Path:
    """A project whose store has three recorded answers."""
    with open_store(project / ".evalkit" / "evalkit.db") as store:
        store.exchanges.put(SOME)
    return project


def test_stats_of_the_store(cli: Callable[..., Any], recorded: Path) -> None:
    found = cli("cache", "stats", "--json").json()
    assert found["exchanges"] == 3
    assert [(group["model"], group["exchanges"]) for group in found["models"]] == [("scripted-a", 2), ("scripted-b", 1)]
    shown = cli("cache", "stats").out
    assert "evalkit.db: 3 recorded answers" in shown
    assert URL in shown


def test_a_place_with_nothing_in_it(cli: Callable[..., Any], project: Path) -> None:
    (project / "empty").mkdir()
    assert cli("cache", "stats", "--cassettes", "empty").out == "empty: 0 recorded answers\n"
    away = cli("cache", "stats", "--cassettes", "nowhere")
    assert (away.code, away.out) == (2, "")
    assert "nowhere: There is no such folder of cassettes." in away.err


def test_export_and_what_the_settings_say_is_the_place(cli: Callable[..., Any], recorded: Path) -> None:
    assert "There is no folder to write cassettes to." in cli("cache", "export").err
    (recorded / "pyproject.toml").write_text('[tool.evalkit]\ncassettes = "evals/cassettes"\n')
    assert cli("cache", "export").out.endswith("evals/cassettes: 3 recorded answers written\n")
    assert sorted(one.key for one in Folder(recorded / "evals" / "cassettes").all()) == sorted(one.key for one in SOME)
    assert cli("cache", "prune", "--suite", "other", "--json").json()["removed"] == 1
    assert cli("cache", "stats", "--json").json()["exchanges"] == 2
    assert cli("cache", "stats", "--json", "--store", ".evalkit/evalkit.db").json()["exchanges"] == 3


def test_export_of_one_suite_leaves_what_is_there(cli: Callable[..., Any], recorded: Path) -> None:
    assert cli("cache", "export", "tapes", "--suite", "sums", "--json").json()["exported"] == 2
    assert cli("cache", "export", "tapes", "--suite", "other").code == 0
    assert len(list(Folder(recorded / "tapes").all())) == 3


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--older-than", "30d"], 3),
        (["--suite", "sums"], 1),
        (["--model", "scripted-b"], 3),
        (["--model", "scripted-b", "--suite", "sums"], 4),
        (["--all"], 0),
    ],
)
@pytest.mark.parametrize("where", [[], ["--cassettes", "tapes"]], ids=["store", "cassettes"])
def test_pruning(cli: Callable[..., Any], recorded: Path, words: list[str], left: int, where: list[str]) -> None:
    with open_store(recorded / ".evalkit" / "evalkit.db") as store:
        store.exchanges.put([exchange(9, recorded_at=utc_now() - dt.timedelta(days=31))])
    cli("cache", "export", "tapes")
    assert cli("cache", "prune", *words, *where, "--json").json()["removed"] == 4 - left
    assert cli("cache", "stats", "--json", *where).json()["exchanges"] == left


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Say which: --older-than, --suite, --model, or --all."),
        (["--all", "--suite", "sums"], "--all goes with nothing else."),
        (["--older-than", "soon"], "'soon' is no age; write 12h, 30d or 8w."),
    ],
)
def test_pruning_says_what_it_wants(cli: Callable[..., Any], recorded: Path, words: list[str], said: str) -> None:
    result = cli("cache", "prune", *words)
    assert result.code == 2
    assert said in result.err


def test_a_broken_cassette_is_an_error_in_words(cli: Callable[..., Any], project: Path) -> None:
    (project / "tapes").mkdir()
    (project / "tapes" / "sums.json").write_text("[]")
    result = cli("cache", "stats", "--cassettes", "tapes")
    assert result.code == 2
    assert result.err.startswith("Error: tapes/sums.json: This is no cassette of the format evalkit.cassette/1.")
