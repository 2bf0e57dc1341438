"""Sessions record what their trials ask over HTTP, and replay it: without a server, under xdist, without a call more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evalkit.store import open_store
from evalkit.testing import Server, serve

SUITE = """
import httpx2

URL = {url!r}
said = lambda text: {{"model": "scripted-a", "messages": [{{"role": "user", "content": text}}]}}

@evalkit.scorer(blocking=False)
def right(output, expected):
    return str(expected) in output

@evalkit.suite(dataset=rows(6), scorers=[right], gates=["right >= 0.9"], repeat=2)
async def test_sums(case):
    async with httpx2.AsyncClient(timeout=300) as client:  # a machine may be busy
        answer = await client.post(URL + "/chat/completions", json=said("say %s" % case.input))
    return answer.json()["choices"][0]["message"]["content"]
"""
CASSETTES = ("--evalkit-cassettes", "cassettes")


@pytest.fixture
def server() -> Iterator[Server]:
    pytest.importorskip("httpx2")
    with serve(lambda call: f"{call.text}, said in call {call.number}") as running:
        yield running


def answers(run: Any) -> dict[tuple[str, int], str]:
    return {(trial.case_id, trial.number): trial.output.value for trial in run.run.suites[0].trials}


@pytest.mark.parametrize("where", [(), CASSETTES], ids=["store", "cassettes"])
def test_a_second_run_in_replay_makes_no_call(run_evals: Callable[..., Any], server: Server, where: Any) -> None:
    source = SUITE.format(url=server.url)
    first = run_evals(source, "--evalkit-cache", "read-write", *where)
    assert len(server.calls) == 12
    server.close()
    second = run_evals(source, "--evalkit-cache", "replay", *where)
    assert first.result.ret == second.result.ret == 0
    assert answers(second) == answers(first)
    assert len(set(answers(first).values())) == 12, "each repeat has an answer of its own"


@pytest.mark.slow
@pytest.mark.parametrize("where", [(), CASSETTES], ids=["store", "cassettes"])
def test_workers_of_xdist_record_and_replay(run_evals: Callable[..., Any], server: Server, where: Any) -> None:
    source = SUITE.format(url=server.url)
    spread = ("-p", "no:asyncio", "-n", "2")
    first = run_evals(source, "--evalkit-cache", "read-write", *where, *spread, plugins=True, subprocess=True)
    assert len(server.calls) == 12
    server.close()
    second = run_evals(source, "--evalkit-cache", "replay", *where, *spread, plugins=True, subprocess=True)
    assert first.result.ret == second.result.ret == 0
    assert answers(second) == answers(first)


def test_what_was_never_recorded_makes_errored_trials_and_is_said(
    run_evals: Callable[..., Any], server: Server, pytester: pytest.Pytester
) -> None:
    source = SUITE.format(url=server.url)
    run_evals(source, "--evalkit-cache", "read-write", *CASSETTES)
    edited = source.replace("say %s", "tell %s")
    ran = run_evals(edited, "--evalkit-cache", "replay", *CASSETTES)
    assert len(server.calls) == 12
    assert ran.result.ret == 1
    assert {trial.outcome for trial in ran.suite.trials} == {"errored"}
    (error, *_) = [trial.output.error for trial in ran.suite.trials]
    assert error.type == "ReplayMiss"
    assert 'recorded "say 0", now "tell 0"' in error.message
    assert {trial.output.usage for trial in ran.suite.trials} == {None}, "nobody was asked, and nothing was used"
    assert "12 calls had no recorded answer in " in ran.text


def test_code_that_catches_the_error_is_errored_all_the_same(run_evals: Callable[..., Any], pytester: Any) -> None:
    (pytester.path / "cassettes").mkdir()
    pytest.importorskip("httpx2")
    ran = run_evals(
        SUITE.format(url="http://127.0.0.1:9/v1").replace(
            '    return answer.json()["choices"][0]["message"]["content"]', "    return str(case.expected)"
        ),
        "--evalkit-cache",
        "replay",
        *CASSETTES,
    )
    assert {trial.outcome for trial in ran.suite.trials} == {"errored"}
    assert ran.result.ret == 1


def test_a_judge_whose_call_was_not_recorded_makes_an_error_of_its_score(
    run_evals: Callable[..., Any], pytester: Any
) -> None:
    (pytester.path / "cassettes").mkdir()
    pytest.importorskip("httpx2")
    ran = run_evals(
        """
import httpx2

@evalkit.scorer()
def judged(output):
    httpx2.post("http://127.0.0.1:9/v1/chat/completions", json={"model": "scripted-j", "messages": []})
    return 1.0

@evalkit.suite(dataset=rows(2), scorers=[judged, same])
def test_sums(case):
    return case.expected
""",
        "--evalkit-cache",
        "replay",
        *CASSETTES,
    )
    for trial in ran.suite.trials:
        by_name = {score.name: score for score in trial.scores}
        assert trial.output.error is None
        assert by_name["same"].value == 1.0
        assert by_name["judged"].status == "error"
        assert by_name["judged"].error is not None
        assert by_name["judged"].error.type == "ReplayMiss"


def test_replay_without_a_folder_is_refused_before_anything_runs(run_evals: Callable[..., Any]) -> None:
    ran = run_evals(SUITE.format(url="http://127.0.0.1:9/v1"), "--evalkit-cache", "replay", *CASSETTES)
    assert ran.result.ret == 4
    assert "There are no cassettes to replay." in ran.result.stderr.str()


def test_a_broken_cassette_is_refused_before_anything_runs(run_evals: Callable[..., Any], pytester: Any) -> None:
    (pytester.path / "cassettes").mkdir()
    (pytester.path / "cassettes" / "test_sums.json").write_text("{")
    ran = run_evals(SUITE.format(url="http://127.0.0.1:9/v1"), "--evalkit-cache", "read-write", *CASSETTES)
    assert ran.result.ret == 4
    assert "test_sums.json: This cassette is not JSON" in ran.result.stderr.str()


def test_httpx_is_as_it_was_afterwards(run_evals: Callable[..., Any], server: Server) -> None:
    import httpx2

    before = httpx2.HTTPTransport.handle_request, httpx2.AsyncHTTPTransport.handle_async_request
    ran = run_evals(SUITE.format(url=server.url))
    assert ran.result.ret == 0
    assert before == (httpx2.HTTPTransport.handle_request, httpx2.AsyncHTTPTransport.handle_async_request)


def test_without_a_cache_nothing_is_recorded(
    run_evals: Callable[..., Any], server: Server, pytester: pytest.Pytester
) -> None:
    run_evals(SUITE.format(url=server.url))
    with open_store(pytester.path / ".evalkit" / "evalkit.db", read_only=True) as store:
        assert list(store.exchanges.all()) == []


def test_a_key_is_nowhere_in_what_is_recorded(
    run_evals: Callable[..., Any], server: Server, pytester: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = "canary-7f3Kq9Zx1mWb55"
    monkeypatch.setenv("SOME_API_KEY", canary)
    source = SUITE.format(url=server.url).replace(
        "json=said(",
        f'headers={{"Authorization": "Bearer {canary}"}}, params={{"api_key": "{canary}"}}, json=said("{canary} " + ',
    )
    for where in ((), CASSETTES):
        ran = run_evals(source, "--evalkit-cache", "read-write", *where, "--evalkit-report", "report.html")
        assert ran.result.ret == 0
    assert any(canary in call.text for call in server.calls), "the server was sent it"
    (pytester.path / "test_inner.py").unlink()
    for file in sorted(path for path in pytester.path.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        assert canary.encode() not in file.read_bytes(), file
    kept = json.loads((pytester.path / "cassettes" / "test_sums.json").read_text())
    assert "[redacted: SOME_API_KEY] say 0" in json.dumps(kept)
    assert all("api_key" not in entry["url"] for entry in kept["exchanges"])
    again = run_evals(source, "--evalkit-cache", "replay", *CASSETTES)
    assert again.result.ret == 0


def test_a_cassette_does_not_change_when_it_is_only_read(
    run_evals: Callable[..., Any], server: Server, pytester: Any
) -> None:
    source = SUITE.format(url=server.url)
    run_evals(source, "--evalkit-cache", "read-write", *CASSETTES)
    file: Path = pytester.path / "cassettes" / "test_sums.json"
    before = file.read_bytes(), file.stat().st_mtime_ns
    run_evals(source, "--evalkit-cache", "read-write", *CASSETTES)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


@pytest.mark.parametrize("capture", ["content", "off"])
def test_a_client_that_only_the_first_case_imports_is_watched_from_its_first_call(
    run_evals: Callable[..., Any], server: Server, capture: str
) -> None:
    source = f"""
@evalkit.suite(dataset=rows(3))
def test_late(case):
    assert case.input or not {{"httpx", "httpx2"}} & set(sys.modules), "a session that calls nobody imports neither"
    import openai
    with openai.OpenAI(base_url={server.url!r}, api_key="none") as client:
        asked = [{{"role": "user", "content": str(case.input)}}]
        return client.chat.completions.create(model="scripted-a", messages=asked).choices[0].message.content
"""
    serial = ("--evalkit-max-concurrency", "1", "--evalkit-capture", capture)
    first = run_evals(source, "--evalkit-cache", "read-write", *serial, subprocess=True)
    server.close()
    second = run_evals(source, "--evalkit-cache", "replay", *serial, subprocess=True)
    assert first.result.ret == second.result.ret == 0
    assert answers(second) == answers(first)
    assert {trial.output.usage.calls for trial in second.suite.trials} == {1}


def test_a_hand_written_test_that_catches_the_error_fails_all_the_same(
    run_evals: Callable[..., Any], pytester: Any
) -> None:
    (pytester.path / "cassettes").mkdir()
    pytest.importorskip("httpx2")
    ran = run_evals(
        """
import httpx2

def test_by_hand(evalkit):
    answer = httpx2.post("http://127.0.0.1:9/v1/chat/completions", json={"model": "scripted-a", "messages": []})
    evalkit.output("whatever came")
    evalkit.score("fine", 1.0)
""",
        "--evalkit-cache",
        "replay",
        *CASSETTES,
    )
    assert ran.result.ret == 1
    ran.result.assert_outcomes(failed=1)
    assert ran.outcomes() == {"test_by_hand": "errored"}
    assert "No answer is recorded for a call of case" in ran.text
