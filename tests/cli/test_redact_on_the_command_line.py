"""`evalkit redact` takes what a case gave out of a run, and says what went."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Cli = Callable[..., Any]
MakeRun = Callable[..., Any]


def test_what_a_case_gave_goes_and_its_digest_stays(cli: Cli, make_run: MakeRun) -> None:
    make_run(traced=True)
    before = cli("show", "last", "--json").json()
    said = cli("redact", "last", "c1", "--reason", "a name", "--json").json()
    assert said["schema"] == "evalkit.redact/1"
    assert len(said["outputs"]) == 1
    assert said["spans"] > 0
    assert cli("show", "last", "--json").json()["metrics"] == before["metrics"]
    entry = json.loads(cli("audit", "log", "--json").out)
    assert "payload.redacted" in json.dumps(entry)
    assert cli("audit", "verify").code == 0
    assert cli("redact", "last", "c1", "--reason", "a name", "--yes").out.startswith("0 outputs")


def test_it_is_not_scored_again(cli: Cli, make_run: MakeRun) -> None:
    make_run()
    assert cli("redact", "last", "c1", "--reason", "a name", "--yes").code == 0
    result = cli("rescore", "last", "--scorer", "evalkit_scorers:exact_match")
    assert result.code == 2
    assert "redacted, with only a digest left" in result.err


def test_mistakes_are_said(cli: Cli, make_run: MakeRun) -> None:
    make_run()
    for words, told in (
        (["last", "c999", "--reason", "x"], "no trial of a case"),
        (["last", "c1", "--suite", "nope", "--reason", "x"], 'no suite "nope"'),
        (["last", "c1", "--reason", " "], "needs a reason"),
    ):
        result = cli("redact", *words, "--yes")
        assert (result.code, result.out) == (2, "")
        assert told in result.err
        assert "Traceback" not in result.err
