"""A key is in no bundle: not in that of a shard, not in that of a promotion, wherever it stood before."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zlib
from pathlib import Path
from typing import Any

import pytest

from evalkit.cli.app import run as command
from evalkit.registry.loading import forget
from evalkit.store import open_store

CANARY = "cnry-7c3e0a9d41/62+b8"
ACCOUNT = "acct-5550199"
SETTINGS = """
[tool.evalkit]
redact = ['acct-[0-9]+']

[tool.evalkit.policies.production]
min_approvals = 1
gates = ["judge >= 0.7"]
"""
FILE = """
import os
import evalkit
from evalkit import Case, Output, Score

KEY, ACCOUNT = os.environ["CANARY_API_KEY"], "acct-" + "5550199"

@evalkit.scorer(name="judge")
def judge(output, case):
    if case.id == "score":
        raise RuntimeError(f"the judge said {KEY}")
    return Score(value=1.0, explanation=f"because of {KEY} and {ACCOUNT}", metadata={"sent": {"authorization": KEY}})

@evalkit.suite(
    dataset=[
        Case(id="answer", input={"prompt": f"use {KEY}"}, expected=KEY, metadata={"why": KEY}),
        Case(id="long", input="x" * 9000 + KEY, expected=ACCOUNT),
        Case(id="raise", input=1),
        Case(id="score", input=2),
        *(Case(id=f"more{n}", input=n) for n in range(MORE)),
    ],
    scorers=[judge],
    metadata={"note": f"made for {KEY}"},
    PROMPT
)
def test_it(PARAMETERS):
    with evalkit.span(f"ask with {KEY}", header={"x-api-key": KEY}, prompt=f"long {KEY} " * 600):
        pass
    if case.id == "raise":
        raise ValueError(f"401 for {KEY} of {ACCOUNT}")
    return Output(value={"said": [KEY, ACCOUNT]}, metadata={"headers": {"Authorization": KEY}})
"""
QUIET = [
    word
    for name in ("asyncio", "anyio", "hypothesispytest", "randomly", "cacheprovider")
    for word in ("-p", f"no:{name}")
]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("CANARY_API_KEY", CANARY)
    pytester.makepyprojecttoml(SETTINGS)
    return pytester


def assert_clean(folder: Path, *names: str) -> None:
    """No file below `folder` has the key in any form, packed or not; those of `names` are among them."""
    written = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and path.name not in ("pyproject.toml", "greet.md")
    }
    for path in folder.rglob("*.db"):
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            for digest, encoding, data in database.execute("SELECT digest, encoding, data FROM blobs"):
                written[f"{path.name}: blob {digest[:8]}"] = zlib.decompress(data) if encoding == "zlib" else data
    assert set(names) <= set(written)
    for name, data in written.items():
        for secret in (CANARY, ACCOUNT, CANARY.replace("/", "\\/"), CANARY.replace("/", "%2F").replace("+", "%2B")):
            assert secret.encode() not in data, name


@pytest.mark.slow
@pytest.mark.parametrize("workers", [("-p", "no:xdist"), ("-n", "2")], ids=["one process", "xdist"])
def test_nothing_of_it_is_in_the_bundles_of_shards(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    project.makepyfile(test_inner=FILE.replace("MORE", "8").replace("PROMPT", "").replace("PARAMETERS", "case"))
    bundles = ["one.jsonl", "two.jsonl"]
    for number, bundle in enumerate(bundles, 1):
        shard = (f"--evalkit-shard={number}/2", f"--evalkit-bundle={bundle}", f"--evalkit-store=shard{number}.db")
        project.runpytest_subprocess(*QUIET, *workers, *shard)
    assert_clean(project.path, *bundles)
    text = "".join((project.path / bundle).read_text() for bundle in bundles)
    assert text.count("[redacted: CANARY_API_KEY]") > 20, "the key was there to be blotted out"
    assert text.count("[redacted: pattern]") > 4
    assert text.count('"call": "end"') == 2, "both are whole"
    assert command(["merge", *bundles, "--store", "merged.db"]) == 1, "there are no gates, and two cases errored"
    with open_store(project.path / "merged.db") as store:
        assert len(store.load(store.resolve("last")).suites[0].trials) == 12
    assert_clean(project.path, *bundles, "merged.db")


def test_nothing_of_it_is_in_a_bundle_that_broke_off(project: pytest.Pytester) -> None:
    """What a shard had written when it was ended from outside lies there under the name of an unfinished one."""
    source = (
        FILE.replace("MORE", "0").replace("PROMPT", "").replace("PARAMETERS", "case")
        + "\n\n@evalkit.suite(dataset=[{'id': 'z', 'input': 0}])\n"
    )
    project.makepyfile(test_inner=source + "def test_last(case):\n    os._exit(9)\n")
    project.runpytest_subprocess(*QUIET, "-p", "no:xdist", "--evalkit-shard=1/1", "--evalkit-bundle=b.jsonl")
    assert not (project.path / "b.jsonl").exists()
    assert_clean(project.path, "b.jsonl.unfinished")
    assert "[redacted: CANARY_API_KEY]" in (project.path / "b.jsonl.unfinished").read_text()


@pytest.mark.slow
def test_nothing_of_it_is_in_the_bundle_of_a_promotion(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever put it where: the prompt's text and notes, results, the reason of the one and the comment of the other."""
    (project.path / "prompts").mkdir()
    (project.path / "prompts/greet.md").write_text(f"Hello, I use {CANARY} of {ACCOUNT}.\n")
    project.makepyfile(
        test_inner=FILE.replace("MORE", "96").replace("PROMPT", 'prompt="greet",').replace("PARAMETERS", "case, prompt")
    )
    project.runpytest_subprocess(*QUIET, "-p", "no:xdist")
    monkeypatch.setenv("LOGNAME", "ada")

    def cli(*words: str) -> Any:
        forget()
        code = command(list(words))
        said = capsys.readouterr()
        assert code == 0 or words[0] == "promote", said.err
        assert CANARY not in said.out + said.err
        return said.out

    with open_store(".evalkit/evalkit.db") as store:
        (kept,) = store.versions("prompt", "greet")
    version = kept.version.digest
    said = f"It is for {CANARY}, and {ACCOUNT}"
    cli("promote", "prompt/greet", "--to", "production", "--version", version, "--run", "last", "--reason", said)
    (found,) = json.loads(cli("promotions", "--json"))
    monkeypatch.setenv("LOGNAME", "ben")
    cli("approve", found["id"], "--comment", f"I saw {CANARY} of {ACCOUNT}")
    cli("apply", found["id"])
    assert command(["bundle", "export", "prompt/greet", "--alias", "production", "-o", "out"]) == 0
    assert "was blotted out before it was stored" in capsys.readouterr().err
    cli("audit", "export", "--output", "audit.jsonl")
    names = ("version.json", "prompt.txt", "attestation.intoto.jsonl", "checkpoint.json", "manifest.json", "README.md")
    assert_clean(project.path, *(f"out/{name}" for name in names), "audit.jsonl", ".evalkit/evalkit.db")
    assert "[redacted: CANARY_API_KEY]" in (project.path / "out/prompt.txt").read_text()
    with open_store(".evalkit/evalkit.db") as store:
        (made,) = store.promotions(kind="prompt", name="greet")
    assert made.reason == "It is for [redacted: CANARY_API_KEY], and [redacted: pattern]"
    assert made.approvals[0].comment == "I saw [redacted: CANARY_API_KEY] of [redacted: pattern]"
    assert command(["bundle", "verify", "out"]) == 1, "it cannot prove a content that it does not have"
    assert "does not have the digest of the version" in capsys.readouterr().out
