"""What the store could not take is kept in a file, and taken in later, as often as one likes."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import NotFound, StoreCorrupt, StoreFull
from evalkit.runs import DatasetInfo, Metric, Provenance, ScorerInfo, SuiteInfo, Verdict
from evalkit.score import ErrorInfo, Score
from evalkit.store import Spool, ingest, open_store
from evalkit.trial import Output, Usage

NOW = dt.datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=dt.UTC)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool" / "run.jsonl")


def rich_trial(run: Any, index: int) -> Any:
    error = ErrorInfo(type="ValueError", message="no\x00\ud800", traceback="…", is_assertion=True)
    return run.trial(
        index,
        attempt=2,
        output=Output(
            value={"text": "zwölf \ud800", "more": [1, None]},
            error=error,
            usage=Usage(input_tokens=1, cost=Decimal("0.10")),
            metadata={"a": 1},
        ),
        scores=(Score(name="a", value=0.5, error=error, metadata={"k": []}), Score(name="b", label="x")),
        started_at=NOW,
    )


def test_trials_kept_are_trials_stored(run: Any, spool: Spool) -> None:
    run.add(run.trial(0))
    spool.append(run.run_id, "math", [rich_trial(run, 1)])
    spool.append(run.run_id, "math", [rich_trial(run, 2), run.trial(0)])
    for _ in range(2):
        assert ingest(run.store, spool.path) == 3
        assert run.trials() == (run.trial(0), rich_trial(run, 1), rich_trial(run, 2))


def test_a_whole_run_goes_through_the_spool(tmp_path: Path, run: Any, spool: Spool) -> None:
    run.add(rich_trial(run, 0))
    metric = Metric(suite="math", name="a", statistic="mean", value=0.5, low=0.1, slice={"tag": "x"})
    verdict = Verdict(suite="math", gate="a >= 0.4", decision="pass", inputs={"n": 1})
    info = SuiteInfo(
        name="math",
        nodeid="n",
        location="l",
        dataset=DatasetInfo(name="sums", digest=run.dataset.digest, size=3),
        scorers=(ScorerInfo(name="a", version="1", config={"x": [1]}),),
        gates=("a >= 0.4",),
        seed=2**70,
    )
    provenance = Provenance(commit="abc", dirty=False, packages={"pytest": "9"})
    spool.start_run(run.run_id, started_at=NOW, provenance=provenance, seed=2**70)
    spool.add_suite(run.run_id, info, run.dataset, run.dataset.cases[:2])
    spool.append(run.run_id, "math", [rich_trial(run, 0)])
    ending = {"metrics": [metric], "verdicts": [verdict], "degraded": "d", "prices": {"m": {"input": "0.5"}}}
    spool.finish_run(run.run_id, status="complete", finished_at=NOW, **ending)
    with open_store(tmp_path / "other.db") as other:
        for _ in range(2):
            ingest(other, spool.path)
        loaded = other.load(run.run_id)
        assert other.runs()[0].counts["passed"] == 1
    assert loaded.prices == {"m": {"input": "0.5"}}
    assert (loaded.status, loaded.seed, loaded.degraded, loaded.provenance) == ("complete", 2**70, "d", provenance)
    assert (loaded.metrics, loaded.verdicts) == ((metric,), (verdict,))
    assert loaded.suite("math").info == info
    assert loaded.suite("math").cases == run.dataset.cases[:2]
    assert loaded.suite("math").trials == (rich_trial(run, 0),)


def test_a_last_line_that_was_cut_off_is_left_out(run: Any, spool: Spool) -> None:
    spool.append(run.run_id, "math", [run.trial(0)])
    spool.append(run.run_id, "math", [run.trial(1)])
    content = spool.path.read_bytes()
    spool.path.write_bytes(content[:-20])
    assert ingest(run.store, spool.path) == 1
    assert run.trials() == (run.trial(0),)


@pytest.mark.parametrize("line", ["nonsense", "[]", "{}", '{"call": "drop_all", "run": "r"}', '{"call": "add_trials"}'])
def test_a_line_that_is_broken_is_named(run: Any, spool: Spool, line: str) -> None:
    spool.append(run.run_id, "math", [run.trial(0)])
    with spool.path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(StoreCorrupt) as caught:
        ingest(run.store, spool.path)
    assert str(caught.value).startswith(f"{spool.path}:2: ")
    assert run.trials() == (run.trial(0),)


def test_no_spool_there_or_no_run_for_it(store: Any, run: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        ingest(store, tmp_path / "none.jsonl")
    spool = Spool(tmp_path / "s.jsonl")
    spool.append("unknown", "math", [run.trial(0)])
    with pytest.raises(NotFound, match="unknown"):
        ingest(store, spool.path)


def test_the_spool_lies_beside_the_store(path: Path) -> None:
    assert Spool.beside(f"sqlite:///{path}", "run-1").path == path.parent / "spool" / "run-1.jsonl"
    assert Spool.beside("postgresql://h/d", "run-1").path.name == "run-1.jsonl"


def test_a_spool_goes_elsewhere_where_its_folder_takes_nothing(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    blocked = tmp_path / "file"
    blocked.touch()
    spool = Spool(blocked / "spool" / "r.jsonl")
    spool.append(run.run_id, "math", [run.trial(0)])
    assert spool.path.parent.parent == tmp_path / "temporary"
    assert ingest(run.store, spool.path) == 1


def test_a_spool_that_fills_up_keeps_its_whole_lines_and_says_so(
    run: Any, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.append(run.run_id, "math", [run.trial(0)])
    real = os.write

    def nearly_full(handle: int, data: Any) -> int:
        if len(data) <= 100:
            raise OSError(28, "No space left on device")
        return real(handle, data[:100])

    monkeypatch.setattr(os, "write", nearly_full)
    with pytest.raises(StoreFull, match="No space left"):
        spool.append(run.run_id, "math", [run.trial(1)])
    monkeypatch.undo()
    spool.append(run.run_id, "math", [run.trial(2)])
    assert ingest(run.store, spool.path) == 2
    assert run.trials() == (run.trial(0), run.trial(2))


def test_a_value_that_cannot_be_written_does_not_stop_the_spool(run: Any, spool: Spool) -> None:
    value: list[Any] = []
    value.append(value)
    spool.append(run.run_id, "math", [run.trial(0, output=Output(value=value))])
    ingest(run.store, spool.path)
    assert "$unstorable" in run.trials()[0].output.value
