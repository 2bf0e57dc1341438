"""The bundle of a shard is read only where every line of it can be meant."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from evalkit.case import Case, Dataset
from evalkit.errors import StoreCorrupt
from evalkit.runs import DatasetInfo, Provenance, SuiteInfo
from evalkit.shardfile import BundleWriter, read_bundle
from evalkit.shards import Shard
from evalkit.trial import Output, Trial

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DATASET = Dataset.of([Case(id="a", input=1), Case(id="b", input=2)], name="sums")


def written(path: Path, *, case: str = "a", selected: str = "a", sample: Any = None) -> Path:
    shard = Shard.parse("1/2", where="here")
    writer = BundleWriter(path, "run", shard=shard, sample=sample, policies={})
    info = SuiteInfo(
        name="sums",
        nodeid="n",
        location="l",
        dataset=DatasetInfo(name="sums", digest=DATASET.digest, size=2),
        declared=2,
        planned=1,
    )
    writer.spool.start_run("run", started_at=NOW, provenance=Provenance(), seed=0)
    writer.spool.add_suite("run", info, DATASET, [Case(id=selected, input=1)])
    trial = Trial(case_id=case, output=Output(value=1), outcome="passed", started_at=NOW, duration=1.0)
    writer.spool.append("run", "sums", [trial])
    writer.spool.finish_run("run", status="complete", finished_at=NOW, metrics=[], verdicts=[])
    return writer.end()


def test_one_that_is_whole_is_read(tmp_path: Path) -> None:
    bundle = read_bundle(written(tmp_path / "b.jsonl", sample=5))
    assert (bundle.sample, bundle.parts["sums"].selected) == (5, ("a",))
    assert [trial.case_id for trial in bundle.parts["sums"].trials] == ["a"]


@pytest.mark.parametrize("nonsense", [{"case": "b"}, {"case": "z"}, {"selected": "z", "case": "z"}, {"sample": "five"}])
def test_one_whose_lines_cannot_be_meant_is_damaged(tmp_path: Path, nonsense: dict[str, Any]) -> None:
    path = written(tmp_path / "b.jsonl", **nonsense)
    with pytest.raises(StoreCorrupt) as caught:
        read_bundle(path)
    assert str(path) in str(caught.value)
