"""Whatever a model or a user's code gives is stored, or its loss is said in its place; the trial is never lost."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evalkit.score import ErrorInfo, Score
from evalkit.store import check
from evalkit.trial import Output, Usage

DATA = Path(os.environ.get("EVALKIT_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
MEGABYTE = 1_000_000


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def deep(levels: int) -> Any:
    value: Any = "bottom"
    for _ in range(levels):
        value = [value]
    return value


def endless() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


def stored(run: Any, value: Any) -> Any:
    run.add(run.trial(0, output=Output(value=value)))
    (trial,) = run.trials()
    return trial.output.value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (math.nan, "NaN"),
        ({"x": [math.inf, -math.inf]}, {"x": ["Infinity", "-Infinity"]}),
        ((1, 2), [1, 2]),
        (Decimal("1.50"), "1.50"),
        ({1: "one", None: "none"}, {"1": "one", "null": "none"}),
        (10**400, 10**400),
    ],
)
def test_what_json_cannot_say_is_stored_as_what_comes_nearest(run: Any, value: Any, said: Any) -> None:
    assert stored(run, value) == said


@pytest.mark.parametrize(
    "text",
    [
        "\x00",
        "a\x00b",
        "\ud800",
        "\udfff\ud800",
        "\x1a0000",
        "\x1a",
        "\u2028\u2029",
        "\ufeff",
        "é\u0301",
        "🏳️‍🌈",
        "'; DROP TABLE runs; --",
    ],
)
def test_strange_text_comes_back_as_it_was_from_every_column_that_takes_text(run: Any, text: str) -> None:
    error = ErrorInfo(type=text, message=text, traceback=text)
    score = Score(name=text, label=text, explanation=text, scorer=text, scorer_version=text, error=error)
    output = Output(value={text: text}, error=error, trace_id=text, metadata={text: text})
    trial = run.trial(0, case_id=text, output=output, scores=(score,), nodeid=text)
    run.add(trial)
    assert run.trials() == (trial,)


@pytest.mark.parametrize(
    "value",
    [deep(5000), endless(), Rude(), {"fine": 1, "rude": Rude()}, 10**5000],
    ids=["deep", "endless", "rude", "rude-inside", "huge"],
)
def test_a_value_that_cannot_be_written_says_so_and_the_rest_of_the_trial_is_stored(run: Any, value: Any) -> None:
    trial = run.trial(0, output=Output(value=value, latency=0.5))
    run.add(trial)
    (loaded,) = run.trials()
    assert "$unstorable" in loaded.output.value
    assert loaded.output.latency == 0.5
    assert loaded.scores == trial.scores


def test_numbers_that_a_database_cannot_hold_become_unknown(run: Any) -> None:
    usage = Usage(input_tokens=2**70, output_tokens=5, cost=Decimal("NaN"))
    run.add(run.trial(0, output=Output(value=1, latency=math.nan, usage=usage)))
    (loaded,) = run.trials()
    assert loaded.output.latency is None
    assert loaded.output.usage == Usage(output_tokens=5)


def test_fifty_megabytes_in_one_value(run: Any, path: Path) -> None:
    text = "0123456789" * (5 * MEGABYTE)
    run.add(run.trial(0, output=Output(value={"text": text})))
    (loaded,) = run.trials()
    assert loaded.output.value == {"text": text}
    assert run.store.load(run.run_id, payload=False).suite("math").trials[0].output.value is None


@pytest.mark.slow
def test_fifty_megabytes_that_do_not_compress(run: Any) -> None:
    text = os.urandom(25 * MEGABYTE).hex()
    assert stored(run, text) == text


def test_a_large_value_is_stored_once_however_often_it_occurs(run: Any, path: Path) -> None:
    large = os.urandom(MEGABYTE).hex()
    for index in range(3):
        trials = [run.trial(index, number=number, output=Output(value=large)) for number in range(1, 6)]
        run.add(*trials)
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT COUNT(*) FROM blobs").fetchone() == (1,)
        assert database.execute("SELECT COUNT(*) FROM trials WHERE output_blob IS NOT NULL").fetchone() == (15,)
    assert all(trial.output.value == large for trial in run.trials())
    assert check(path).ok


def test_a_short_value_can_be_read_with_plain_sql(run: Any, path: Path) -> None:
    run.add(run.trial(0, output=Output(value={"answer": "zwölf"})))
    with contextlib.closing(sqlite3.connect(path)) as database:
        (text,) = database.execute("SELECT output FROM trials").fetchone()
        (answer,) = database.execute("SELECT json_extract(output, '$.answer') FROM trials").fetchone()
    assert text == '{"answer":"zwölf"}'
    assert answer == "zwölf"


@pytest.mark.data
def test_naughty_strings_and_real_outputs(store: Any, begin: Any) -> None:
    folder = DATA / "nasty"
    if not folder.is_dir():
        pytest.skip(f"EVALKIT_DATA has no folder {folder}; the recorded data is needed here")
    strings = [json.loads(line)["string"] for line in (folder / "blns.jsonl").read_text("utf-8").splitlines()]
    outputs = [json.loads(line) for line in (folder / "real_outputs.jsonl").read_text("utf-8").splitlines()]
    values = strings + outputs
    assert len(values) > 500
    run = begin(store, size=len(values))
    trials = tuple(
        run.trial(index, output=Output(value=value), scores=(Score(name=f"s{index}", label=str(value)),))
        for index, value in enumerate(values)
    )
    run.add(*trials)
    assert run.trials() == trials
