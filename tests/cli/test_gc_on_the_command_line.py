"""`evalkit gc` says what it will delete and why before it does, and deletes nothing that something rests on."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.canonical import new_id, utc_now
from evalkit.case import Case, Dataset
from evalkit.runs import DatasetInfo, Provenance, SuiteInfo
from evalkit.score import Score
from evalkit.store import open_store
from evalkit.trial import Output, Trial


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    return tmp_path / ".evalkit" / "evalkit.db"


@pytest.fixture
def run(store: Path) -> Callable[..., str]:
    """A finished run of so many days ago; its id."""

    def made(days: float, *, gates: tuple[str, ...] = ()) -> str:
        dataset = Dataset.of([Case(id="a", input=1)], name="sums")
        run_id, at = new_id(), utc_now() - dt.timedelta(days=days)
        info = SuiteInfo(
            name="sums", nodeid="n", location="l", gates=gates, declared=1, planned=1,
            dataset=DatasetInfo(name="sums", digest=dataset.digest, size=1),
        )  # fmt: skip
        scores = (Score(name="exact", value=True, scorer="exact", scorer_version="1"),)
        trial = Trial(
            case_id="a", output=Output(value="x" * 20_000), scores=scores, outcome="passed", started_at=at, duration=1
        )
        with open_store(store) as opened:
            opened.start_run(run_id, started_at=at, provenance=Provenance(), seed=1)
            opened.add_suite(run_id, info, dataset, dataset.cases)
            opened.add_trials(run_id, "sums", [trial])
            opened.finish_run(run_id, status="complete", finished_at=at, metrics=[], verdicts=[])
        return run_id

    return made


def left(store: Path) -> set[str]:
    with open_store(store) as opened:
        return {found.id for found in opened.runs()}


def test_a_dry_run_says_what_would_go_and_why(cli: Any, store: Path, run: Callable[..., str]) -> None:
    old, young = run(200), run(1)
    result = cli("gc", "--keep", "90d", "--dry-run")
    assert result.code == 0, result.err
    assert f"delete  {old[:13]}" in result.out
    assert "older than 90 days" in result.out
    assert "1 of 2 runs to delete: 1 trial, 1 score" in result.out
    assert "Nothing was changed." in result.out
    assert left(store) == {old, young}


def test_it_deletes_with_yes_and_asks_without(cli: Any, store: Path, run: Callable[..., str]) -> None:
    old, young = run(200), run(1)
    asked = cli("gc", "--keep", "90d")
    assert asked.code != 0 or "Delete 1 run?" in asked.out
    assert left(store) == {old, young}
    result = cli("gc", "--keep", "90d", "--yes")
    assert result.code == 0, result.err
    assert result.out.index("1 of 2 runs to delete") < result.out.index("Deleted 1 run: 1 trial")
    assert left(store) == {young}
    assert "0 of 1 run to delete" in cli("gc", "--keep", "90d", "--yes").out


def test_baselines_and_named_runs_stay(cli: Any, store: Path, run: Callable[..., str]) -> None:
    of_gate, of_settings, named, gone = run(400), run(300), run(200), run(150)
    run(1, gates=(f"exact not worse than baseline {of_gate} by 0.05 @ 95%",))
    Path("pyproject.toml").write_text(f'[tool.evalkit]\nbaseline = "{of_settings}"\n')
    result = cli("gc", "--keep", "90d", "--keep-run", named, "--yes")
    assert result.code == 0, result.err
    assert {of_gate, of_settings, named} < left(store)
    assert gone not in left(store)
    assert "compares with it" in result.out
    assert "the settings name it as the baseline" in result.out
    assert "named with --keep-run" in result.out


def test_as_json(cli: Any, store: Path, run: Callable[..., str]) -> None:
    old, _ = run(200), run(1)
    found = json.loads(cli("gc", "--keep-last", "1", "--json", "--dry-run").out)
    assert (found["schema"], found["done"], found["delete"][0]["run_id"]) == ("evalkit.gc/1", None, old)
    found = json.loads(cli("gc", "--keep-last", "1", "--json").out)
    assert (found["done"]["runs"], found["done"]["swept"]) == (1, True)


def test_mistakes(cli: Any, store: Path, run: Callable[..., str]) -> None:
    run(1)
    for words in (
        ["gc"],
        ["gc", "--keep", "soon"],
        ["gc", "--keep-last", "-1"],
        ["gc", "--keep", "1d", "--keep-run", "no"],
    ):
        result = cli(*words)
        assert result.code == 2, words
        assert "Traceback" not in result.err
