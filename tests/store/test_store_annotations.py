"""What people said of outputs, and what is known of judges: kept, never changed, the last word counts."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from evalkit.annotation import Annotation
from evalkit.canonical import new_id, utc_now
from evalkit.errors import StoreError
from evalkit.provenance import collect
from evalkit.store import open_store
from evalkit.store.calibrations import StoredCalibration


@pytest.fixture
def store(path: Path) -> Any:
    with open_store(path) as opened:
        opened.start_run("run-1", started_at=utc_now(), provenance=collect(), seed=1)
        yield opened


def said(label: str, *, case: str = "a", annotator: str = "ada", name: str = "polite", **more: Any) -> Annotation:
    given = {"run_id": "run-1", "suite": "s", "trial": 1, "at": utc_now(), "chosen": "random", "seed": 7}
    return Annotation(id=new_id(), case_id=case, label=label, annotator=annotator, name=name, **{**given, **more})


def test_what_was_said_comes_back(store: Any) -> None:
    made = [said("pass", note="kind \u202e words"), said("fail", case="b", seed=None, chosen="given")]
    store.annotate(made)
    assert store.annotations("run-1") == made
    assert store.annotations("run-1", name="rude") == []
    assert store.annotations("run-2") == []


def test_the_last_word_of_an_annotator_counts_and_the_others_stay(store: Any) -> None:
    early = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    first = said("pass", at=early)
    other = said("pass", annotator="bob", at=early + dt.timedelta(seconds=1))
    last = said("fail", at=early + dt.timedelta(seconds=2))
    store.annotate([last, first, other])
    assert store.annotations("run-1") == [other, last]


def test_the_same_annotation_twice_is_one(store: Any) -> None:
    made = said("pass")
    store.annotate([made])
    store.annotate([made, dataclasses.replace(made, label="fail")])
    assert store.annotations("run-1") == [made]


def test_a_label_for_a_run_that_is_not_there_is_refused(store: Any) -> None:
    with pytest.raises(StoreError):
        store.annotate([said("pass", run_id="run-9")])


def test_calibrations_come_newest_first(store: Any) -> None:
    early = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = [
        StoredCalibration(
            id=new_id(),
            judge=judge,
            scorer_version="v" * 64,
            made_at=early + dt.timedelta(days=day),
            n=60,
            trust="calibrated",
            source="labels.csv",
            body={"kappa": 0.6},
        )
        for day, judge in enumerate(["polite", "polite", "brief"])
    ]
    for one in made:
        store.add_calibration(one)
    assert store.calibrations() == made[::-1]
    assert store.calibrations("polite") == [made[1], made[0]]
