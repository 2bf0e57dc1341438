"""A key that is in the environment, in prompts, headers, answers and exceptions is in nothing that a run leaves behind."""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from pathlib import Path
from typing import Any

import pytest

from evalkit.store import open_store

CANARY = "cnry-4f9d1b7e2a/85+c0"
ACCOUNT = "acct-5550123"
FILE = """
import logging, os
import evalkit
from evalkit import Case, Output, Score

KEY = os.environ["CANARY_API_KEY"]
ACCOUNT = "acct-" + "5550123"

@evalkit.scorer(name="judge")
def judge(output, case):
    if case.id == "score":
        raise RuntimeError(f"the judge said {KEY}")
    return Score(value=1.0, explanation=f"because of {KEY} and {ACCOUNT}", metadata={"sent": {"authorization": f"Bearer {KEY}"}})

@evalkit.suite(
    dataset=[
        Case(id="answer", input={"prompt": f"use {KEY}"}, expected=KEY, metadata={"why": KEY}),
        Case(id="long", input="x" * 9000 + KEY, expected=ACCOUNT),
        Case(id="raise", input=1),
        Case(id="score", input=2),
    ],
    scorers=[judge],
    metadata={"note": f"made for {KEY}"},
)
def test_it(case):
    print(f"asking with {KEY}")
    logging.getLogger("mine").warning("with %s", KEY)
    with evalkit.span(f"ask with {KEY}", header={"x-api-key": KEY}, prompt=f"long {KEY} " * 600):
        pass
    if case.id == "raise":
        raise ValueError(f"401 for {KEY} of {ACCOUNT}")
    return Output(value={"said": [KEY, "y" * (9000 if case.id == "long" else 1) + KEY]}, metadata={"headers": {"Authorization": KEY}})
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("CANARY_API_KEY", CANARY)
    pytester.makepyfile(test_inner=FILE)
    pytester.makepyprojecttoml("[tool.evalkit]\nredact = ['acct-[0-9]+']\n")
    return pytester


def left_behind(folder: Path) -> dict[str, bytes]:
    """The bytes of every file that a run made, and of every blob in a database, unpacked."""
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".toml")
    }  # what pytester keeps of the terminal is among them
    for path in folder.rglob("*.db"):
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            for digest, encoding, data in database.execute("SELECT digest, encoding, data FROM blobs"):
                found[f"{path.name}: blob {digest[:8]}"] = zlib.decompress(data) if encoding == "zlib" else data
    return found


def assert_clean(files: dict[str, bytes], *, at_least: int) -> None:
    assert len(files) >= at_least
    for name, data in files.items():
        for secret in (CANARY, ACCOUNT, CANARY.replace("/", "\\/"), CANARY.replace("/", "%2F").replace("+", "%2B")):
            assert secret.encode() not in data, name


QUIET = (
    "-p",
    "no:asyncio",
    "-p",
    "no:anyio",
    "-p",
    "no:hypothesispytest",
    "-p",
    "no:randomly",
    "-p",
    "no:cacheprovider",
)


@pytest.mark.parametrize("workers", [("-p", "no:xdist"), ("-n", "2")], ids=["one process", "xdist"])
def test_nothing_of_it_is_in_the_store_or_the_report(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    result = project.runpytest_subprocess(*QUIET, *workers, "--evalkit-report", "report.html", "--evalkit-store=e.db")
    result.assert_outcomes(passed=2, failed=2)
    files = left_behind(project.path)
    assert "report.html" in files
    assert_clean(files, at_least=4)
    with open_store(project.path / "e.db") as store:
        suite = store.load(store.resolve("last")).suite("test_it")
        trials = {trial.case_id: trial for trial in suite.trials}
        mark = "[redacted: CANARY_API_KEY]"
        assert suite.cases[0].input == {"prompt": f"use {mark}"}
        assert suite.info.metadata["note"] == f"made for {mark}"
        assert trials["answer"].output.value == {"said": [mark, f"y{mark}"]}
        assert trials["answer"].scores[0].explanation == f"because of {mark} and [redacted: pattern]"
        assert trials["raise"].output.error.message == f"401 for {mark} of [redacted: pattern]"
        assert mark in trials["raise"].output.error.traceback
        assert f"the judge said {mark}" in trials["score"].scores[0].error.message
        assert len(trials) == 4
        span = next(span for span in trials["answer"].trace.spans if span.name == f"ask with {mark}")
        assert span.attributes["header"] == {"x-api-key": "[redacted: header]"}


def test_nothing_of_it_is_in_the_log_of_a_store_in_use(project: pytest.Pytester) -> None:
    open_store(project.path / "e.db").close()
    with contextlib.closing(sqlite3.connect(project.path / "e.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM runs").fetchall()  # so that the log cannot be folded into the file
        project.runpytest_inprocess(*QUIET, "-p", "no:xdist", "--evalkit-store=e.db")
        files = left_behind(project.path)
        assert len(files["e.db-wal"]) > 10_000
        assert_clean(files, at_least=3)


def test_nothing_of_it_is_in_the_spool(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalkit.errors import StoreFull
    from evalkit.store import Store

    def full(*_: Any, **__: Any) -> None:
        raise StoreFull("No space is left for the store.")

    monkeypatch.setattr(Store, "add_trials", full)
    project.runpytest_inprocess(*QUIET, "-p", "no:xdist", "--evalkit-store=e.db")
    files = left_behind(project.path)
    assert any("spool" in name for name in files)
    assert_clean(files, at_least=2)


def test_nothing_of_it_is_in_any_file_that_a_session_writes(project: pytest.Pytester) -> None:
    """Cassettes, JUnit, Markdown, the report, the log file and what GitHub Actions is told, from calls of a real client."""
    from evalkit.testing import Answer, serve

    source = FILE.replace(
        '    if case.id == "raise":',
        "    said = MODEL.chat(f'say {KEY} of {ACCOUNT} in {case.id}')\n    if case.id == \"raise\":",
    ).replace(
        "ACCOUNT =",
        "MODEL = evalkit.Model('scripted-1', base_url=os.environ['SERVER'], api_key={'env': 'CANARY_API_KEY'})\nACCOUNT =",
    )
    project.makepyfile(test_inner=source)
    (project.path / "summary.md").touch()
    with serve(lambda call: Answer(text=f"you said: {call.text}")) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERVER", server.url)
        patch.setenv("GITHUB_ACTIONS", "true")
        patch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "summary.md"))
        result = project.runpytest_subprocess(
            *QUIET,
            *("-p", "no:xdist", "-rA", "--log-file=session.log", "--log-file-level=DEBUG", "--junitxml=junit.xml"),
            *("--evalkit-report=report.html", "--evalkit-markdown=github", "--evalkit-cache=read-write"),
            *("--evalkit-cassettes=cassettes", "--evalkit-store=e.db", "-o", "junit_logging=no"),
        )
        assert len(server.calls) == 4
        assert any(CANARY in call.text for call in server.calls), "what is sent is sent as it is"
    result.assert_outcomes(passed=2, failed=2)
    files = left_behind(project.path)
    for name in ("report.html", "junit.xml", "summary.md"):
        assert files[name]
    assert any(name.startswith("cassettes") for name in files)
    kept = {name: data for name, data in files.items() if name != "session.log"}  # which pytest itself writes
    assert_clean(kept, at_least=6)


def test_a_key_that_a_test_brings_into_the_environment(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_inner=f"""
import os, evalkit

@evalkit.suite(dataset=[{{"id": "a", "input": 1}}])
def test_it(case):
    os.environ["BROUGHT_API_KEY"] = "{CANARY[:10]}" + "{CANARY[10:]}"
    return "it is " + os.environ["BROUGHT_API_KEY"]
"""
    )
    pytester.runpytest_subprocess(*QUIET, "-p", "no:xdist", "--evalkit-store=e.db").assert_outcomes(passed=1)
    assert_clean(left_behind(pytester.path), at_least=1)


def test_a_pattern_that_cannot_work_is_said_before_anything_runs(project: pytest.Pytester) -> None:
    project.makepyprojecttoml("[tool.evalkit]\nredact = ['acct-(']\n")
    result = project.runpytest_inprocess(*QUIET, "-p", "no:xdist")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*acct-(*no regular expression*"])
