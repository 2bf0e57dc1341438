"""`evalkit doctor`: each thing that may be wrong is found, said with what to do, and nothing is changed."""

from __future__ import annotations

import datetime as dt
import shutil
import types
from pathlib import Path
from typing import Any

import pytest

from evalkit.canonical import new_id, utc_now
from evalkit.cli import checkup
from evalkit.cli.app import run
from evalkit.runs import Provenance
from evalkit.store import Spool, ingest, open_store
from evalkit.trial import Output, Trial


@pytest.fixture
def doctor(project: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run it; its code and what it printed."""

    def go(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(["doctor", *arguments])
        said = capsys.readouterr()
        assert said.err == ""
        return code, said.out

    return go


@pytest.fixture
def store(project: Path) -> Path:
    path = project / ".evalkit" / "evalkit.db"
    open_store(path).close()
    return path


def begin(path: Path, *, started_at: dt.datetime | None = None, end: str = "complete") -> str:
    run_id, now = new_id(), started_at or utc_now()
    with open_store(path) as store:
        store.start_run(run_id, started_at=now, provenance=Provenance(), seed=0)
        store.finish_run(run_id, status=end, finished_at=now, metrics=[], verdicts=[])  # type: ignore[arg-type]  # of a parameter
    return run_id


def test_nothing_is_wrong_where_nothing_is_yet(doctor: Any, project: Path) -> None:
    code, said = doctor()
    assert code == 0
    assert "none yet; the first run makes it" in said
    assert "All is well." in said
    assert not (project / ".evalkit").exists(), "it changes nothing"


def test_a_store_that_is_well(doctor: Any, store: Path) -> None:
    begin(store)
    before = store.read_bytes()
    code, said = doctor()
    assert (code, store.read_bytes()) == (0, before)
    assert "1 run" in said
    assert "All is well." in said


def test_a_damaged_store_is_a_problem(doctor: Any, store: Path) -> None:
    begin(store)
    with store.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 8)
    code, said = doctor()
    assert code == 1
    assert "problem store: " in said
    assert "evalkit db restore" in said


def test_settings_that_cannot_be_read_are_a_problem(doctor: Any, project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.evalkit]\nrepeet = 3\n")
    code, said = doctor()
    assert code == 1
    assert "problem settings: " in said
    assert "repeat" in said


def test_a_disk_that_is_full(doctor: Any, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, level, code in ((10**7, "problem", 1), (5 * 10**8, "warn", 0)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: types.SimpleNamespace(free=free))
        found, said = doctor()
        assert found == code
        assert f"{level:<8}disk: {free // 10**6} MB free" in said


def test_a_spool_that_waits_and_one_that_was_taken_in(doctor: Any, project: Path, store: Path) -> None:
    run_id = new_id()
    spool = Spool.beside(store, run_id)
    now = utc_now()
    spool.start_run(run_id, started_at=now, provenance=Provenance(), seed=0)
    code, said = doctor()
    assert code == 0
    assert f"evalkit ingest {spool.path}" in " ".join(said.split())
    with open_store(store) as opened:
        ingest(opened, spool.path)
    spool.finish_run(run_id, status="complete", finished_at=now, metrics=[], verdicts=[])
    assert "0 trials that the store does not have" in doctor()[1], "the end of the run is missing"
    with open_store(store) as opened:
        ingest(opened, spool.path)
    assert "has been taken in; it can be deleted" in doctor()[1]
    trial = Trial(case_id="a", output=Output(value=1), outcome="passed", started_at=now, duration=0.0)
    spool.append(run_id, "s", [trial])
    assert "1 trial that the store does not have" in doctor()[1]


@pytest.mark.parametrize("line", ["nonsense", "[]", "{}", '{"call": "x", "run": "r", "trials": [1]}'])
def test_a_spool_that_is_none(doctor: Any, store: Path, line: str) -> None:
    spool = Spool.beside(store, "x")
    spool.path.parent.mkdir()
    spool.path.write_text(line + "\n")
    code, said = doctor()
    assert code == 1
    assert "is no spool that can be read" in said


def test_runs_that_broke_off_and_runs_from_the_future(doctor: Any, store: Path) -> None:
    broken = begin(store, end="interrupted")
    begin(store, started_at=utc_now() + dt.timedelta(days=2))
    code, said = doctor()
    assert code == 0
    assert "warn    runs: 1 of the newest 2 did not come to an end" in said
    assert broken[:8] in said
    assert "began in the future" in said


def test_prompts_that_are_not_in_the_store_and_one_that_is_broken(doctor: Any, project: Path, store: Path) -> None:
    (project / "prompts").mkdir()
    (project / "prompts" / "greet.md").write_text("Hello {{ name }}\n")
    assert "evalkit sync" in doctor()[1]
    run(["sync"])
    assert "evalkit sync" not in doctor()[1]
    (project / "prompts" / "greet.md").write_text("---\nnonsense: 1\n---\nHello")
    code, said = doctor()
    assert code == 1
    assert "problem prompts and models: " in said


def test_keys_are_looked_for_and_never_shown(doctor: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "models").mkdir()
    (project / "models" / "solver.yaml").write_text("model: gpt-x\napi_key: {env: SOLVER_KEY}\n")
    code, said = doctor()
    assert code == 1
    assert "export SOLVER_KEY=" in said
    monkeypatch.setenv("SOLVER_KEY", "sk-canary-0123456789")
    code, said = doctor()
    assert code == 0
    assert "$SOLVER_KEY is there" in said
    assert "canary" not in said + doctor("--json")[1]


def test_packages_that_are_needed(doctor: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup.importlib.util, "find_spec", lambda name: None)
    (project / "pyproject.toml").write_text('[tool.evalkit]\nstore = "postgresql://nobody@127.0.0.1:1/none"\n')
    code, said = doctor()
    assert code == 1
    assert "pip install 'pytest-evalkit[postgres]'" in said
    assert "not installed: text, parquet, frames, postgres, stats" in said


def test_what_is_set_around_it(doctor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    code, said = doctor()
    assert code == 0
    assert said.count("warn ") == 2


def test_as_json(doctor: Any, store: Path) -> None:
    import json

    code, said = doctor("--json")
    shape = json.loads(said)
    assert (code, shape["schema"], shape["ok"]) == (0, "evalkit.doctor/1", True)
    assert {one["area"] for one in shape["findings"]} >= {"environment", "settings", "store", "disk", "spool", "clock"}
    assert set(shape["findings"][0]) == {"area", "level", "what", "todo"}
