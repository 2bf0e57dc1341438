"""A run to write, and a store to write it in.

With `EVALKIT_TEST_PG_URL` set, every test that asks for a `store` and not for its `path` runs on a database of its own on
PostgreSQL as well; see `server_url` in the conftest of all tests.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import inspect
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from evalkit.canonical import new_id
from evalkit.case import Case, Dataset
from evalkit.runs import DatasetInfo, Provenance, SuiteInfo
from evalkit.score import Score
from evalkit.store import Store, open_store
from evalkit.trial import Output, Trial

SERVER = os.environ.get("EVALKIT_TEST_PG_URL", "")
_ADDRESSES: dict[Store, str] = {}
STARTED = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)


@dataclasses.dataclass
class Example:
    """A run of one suite `math`, begun in `store`; `add` writes trials of it."""

    store: Store
    run_id: str
    dataset: Dataset

    def trial(self, index: int, **changes: Any) -> Trial:
        base = Trial(
            case_id=self.dataset.cases[index].id,
            output=Output(value=f"answer {index}", latency=0.25),
            scores=(Score(name="exact", value=True, scorer="exact", scorer_version="1"),),
            outcome="passed",
            started_at=STARTED,
            duration=0.5,
        )
        return dataclasses.replace(base, **changes)

    def add(self, *trials: Trial) -> None:
        self.store.add_trials(self.run_id, "math", trials)

    def trials(self) -> tuple[Trial, ...]:
        return self.store.load(self.run_id).suite("math").trials

    def finish(self, **changes: Any) -> None:
        ending: dict[str, Any] = {"status": "complete", "finished_at": STARTED, "metrics": [], "verdicts": []}
        self.store.finish_run(self.run_id, **(ending | changes))


def make_dataset(size: int, *, name: str = "sums") -> Dataset:
    return Dataset.of([Case(id=f"case-{i:03}", input={"a": i}, expected=i) for i in range(size)], name=name)


def suite_info(dataset: Dataset, *, name: str = "math", **changes: Any) -> SuiteInfo:
    base = SuiteInfo(
        name=name,
        nodeid=f"evals/test_{name}.py::test_{name}",
        location=f"evals/test_{name}.py:7",
        dataset=DatasetInfo(name=dataset.name, digest=dataset.digest, size=len(dataset)),
        declared=len(dataset),
        planned=len(dataset),
    )
    return dataclasses.replace(base, **changes)


Begin = Callable[..., Example]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".evalkit" / "evalkit.db"


IN_A_FILE = {"path", "tmp_path", "filled"}
"""What a test asks for that looks at the file of the store."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = inspect.signature(metafunc.function).parameters
    if SERVER and "store" in metafunc.fixturenames and not IN_A_FILE & set(asked):
        metafunc.parametrize("store", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[Store]:
    if getattr(request, "param", "sqlite") == "sqlite":
        with open_store(path) as opened:
            yield opened
        return
    address = request.getfixturevalue("empty_database")
    with open_store(address) as opened:
        _ADDRESSES[opened] = address
        yield opened
    del _ADDRESSES[opened]


@pytest.fixture
def address(store: Store) -> str:
    """Where `store` is, password and all, for another process to open."""
    return _ADDRESSES.get(store, store.url)


@pytest.fixture
def begin() -> Begin:
    """Begin a run of the suite `math`, on a dataset of `size` sums, in a store."""

    def begun(store: Store, *, size: int = 3, run_id: str | None = None, suite: str = "math", **info: Any) -> Example:
        dataset = make_dataset(size)
        run_id = run_id or new_id()
        store.start_run(run_id, started_at=info.pop("started_at", STARTED), provenance=Provenance(), seed=1)
        store.add_suite(run_id, suite_info(dataset, name=suite, **info), dataset, dataset.cases)
        return Example(store, run_id, dataset)

    return begun


@pytest.fixture
def run(store: Store, begin: Begin) -> Example:
    return begin(store)


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start a Python process of its own that runs the given code with the given arguments."""

    def start(code: str, *arguments: Any, **options: Any) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(words, **(pipes | options))

    return start


@pytest.fixture
def outputs() -> Callable[[Sequence[subprocess.Popen[str]]], list[str]]:
    """What processes printed, once all have ended well."""

    def collect(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
        said = [process.communicate(timeout=120) for process in processes]
        for process, (_, errors) in zip(processes, said, strict=True):
            assert process.returncode == 0, errors
        return [out for out, _ in said]

    return collect
