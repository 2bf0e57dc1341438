"""`evalkit.run(cache=…)` records and replays as a session of pytest's does."""

from __future__ import annotations

from pathlib import Path

import pytest

import evalkit
from evalkit.errors import CacheError, ConfigError
from evalkit.store import open_store
from evalkit.testing import Server, serve

httpx2 = pytest.importorskip("httpx2")
ROWS = [evalkit.Case(id=f"c{n}", input=f"say {n}", expected=str(n)) for n in range(8)]


def right(output: str, expected: str) -> bool:
    return expected in output


def suite(url: str) -> object:
    @evalkit.suite(dataset=ROWS, scorers=[right], name="sums", repeat=2)
    def told(case: evalkit.Case) -> str:
        asked = {"model": "scripted-a", "messages": [{"role": "user", "content": case.input}]}
        answer = httpx2.post(f"{url}/chat/completions", json=asked)
        return str(answer.json()["choices"][0]["message"]["content"])

    return told


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.evalkit]\n")
    with serve(lambda call: f"{call.text}, in call {call.number}") as running:
        yield running


def values(run: evalkit.Run, folder: Path) -> dict[tuple[str, int], object]:
    with open_store(folder / ".evalkit" / "evalkit.db", read_only=True) as store:
        (stored,) = store.load(run.id).suites
    return {(trial.case_id, trial.number): trial.output.value for trial in stored.trials}


def test_a_run_is_replayed_from_the_store_without_a_call(server: Server, tmp_path: Path) -> None:
    told = suite(server.url)
    first = evalkit.run(told, cache="read-write", progress=False)
    assert len(server.calls) == 16
    server.close()
    second = evalkit.run(told, cache="replay", progress=False)
    assert values(first, tmp_path) == values(second, tmp_path)
    assert {trial.outcome for trial in second.suites[0].trials} == {"passed"}


def test_cassettes_are_kept_where_the_settings_say(server: Server, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.evalkit]\ncassettes = "evals/cassettes"\ncache = "read-write"\n')
    evalkit.run(suite(server.url), progress=False)
    assert [file.name for file in (tmp_path / "evals" / "cassettes").iterdir()] == ["sums.json"]
    with open_store(tmp_path / ".evalkit" / "evalkit.db", read_only=True) as store:
        assert list(store.exchanges.all()) == []


def test_tokens_of_a_replay_count_and_nothing_was_spent(server: Server) -> None:
    told = suite(server.url)
    runs = [evalkit.run(told, cache=cache, progress=False) for cache in ("read-write", "replay")]
    live, replayed = ([trial.output.usage for trial in run.suites[0].trials] for run in runs)
    assert [usage and usage.total_tokens for usage in live] == [usage and usage.total_tokens for usage in replayed]
    assert all(usage is not None and usage.calls == 1 and usage.total_tokens for usage in replayed)


def test_what_cannot_work_is_refused_before_anything_runs(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`cache` is"):
        evalkit.run(suite(server.url), cache="reply", progress=False)
    (tmp_path / "pyproject.toml").write_text('[tool.evalkit]\ncassettes = "nowhere"\n')
    with pytest.raises(CacheError, match="no cassettes to replay"):
        evalkit.run(suite(server.url), cache="replay", progress=False)
    assert server.calls == ()
    assert not (tmp_path / ".evalkit").exists()
