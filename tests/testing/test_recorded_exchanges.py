"""Recorded exchanges are answered as they were answered then, byte for byte."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import httpx
import openai
import pytest

from evalkit.errors import DatasetError
from evalkit.testing import read_recordings, serve

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
FILE = DATA / "recorded_api" / "openai_google.jsonl"


@pytest.fixture(scope="module")
def recorded() -> list[dict]:
    if not FILE.is_file():
        pytest.skip(f"EVALKIT_DATA: there is no {FILE}")
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.data
def test_every_recorded_exchange_comes_back_byte_for_byte(recorded: list[dict]) -> None:
    expected = json.loads((DATA / "EXPECTED.json").read_text())["recorded_api"]["values"]
    statuses: Counter[str] = Counter()
    streamed = 0
    with serve(read_recordings(FILE)) as server, httpx.Client() as client:
        for row in recorded:
            answer = client.request(row["method"], server.url.removesuffix("/v1") + row["path"], json=row["request"])
            text = (
                row["response"] if isinstance(row["response"], str) else json.dumps(row["response"], ensure_ascii=False)
            )
            assert answer.content == text.encode()
            assert answer.status_code == row["status"]
            statuses[str(answer.status_code)] += 1
            streamed += answer.headers["content-type"].startswith("text/event-stream")
    assert dict(statuses) == expected["by_status"]
    assert len(recorded) == expected["interactions"]
    assert streamed == expected["streamed"]


@pytest.mark.data
def test_the_real_client_reads_the_recorded_chats(recorded: list[dict]) -> None:
    chats = [row for row in recorded if row["path"] == "/v1/chat/completions" and row["status"] == 200]
    with (
        serve(read_recordings(FILE)) as server,
        openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client,
    ):
        for row in chats:
            reply = client.chat.completions.create(**row["request"])
            if row["stream"]:
                assert [chunk.id for chunk in reply]
            else:
                assert reply.usage.total_tokens == row["response"]["usage"]["total_tokens"]


def test_what_was_not_recorded_is_said_to_be_so(tmp_path: Path) -> None:
    file = tmp_path / "exchanges.jsonl"
    row = {"method": "POST", "path": "/v1/x", "request": {"a": 1}, "status": 200, "response": {"b": "ü"}}
    second = row | {"response": {"b": 2}}
    file.write_text(json.dumps(row) + "\n\n" + json.dumps(second) + "\n")
    with serve(read_recordings(file)) as server, httpx.Client() as client:
        asked = [client.post(f"{server.url}/x", json={"a": 1}).json() for _ in range(3)]
        assert asked == [{"b": "ü"}, {"b": 2}, {"b": 2}]
        missing = client.post(f"{server.url}/x", json={"a": 2})
    assert missing.status_code == 404
    assert "nothing was recorded for POST /v1/x" in missing.json()["error"]["message"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "not JSON"),
        ("[]", "method, path, request, status, response is missing"),
        ('{"method": "GET"}', "; path, request, status, response is missing"),
    ],
)
def test_a_row_that_is_no_exchange_is_named_with_its_line(tmp_path: Path, line: str, what: str) -> None:
    file = tmp_path / "exchanges.jsonl"
    file.write_text("\n" + line + "\n")
    with pytest.raises(DatasetError, match=what) as caught:
        read_recordings(file)
    assert caught.value.where == f"{file}:2"
