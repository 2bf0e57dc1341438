"""Sessions in parts, on machines of their own, and their bundles made one run that is judged once."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from evalkit.cli.app import run as evalkit
from evalkit.config import Settings
from evalkit.errors import ConfigError, StoreCorrupt
from evalkit.merging import merge
from evalkit.shardfile import read_bundle
from evalkit.store import open_store

SUITES = """
@evalkit.scorer(blocking=False)
def size(output):
    if output == 5:
        raise ValueError("no ruler")
    return None if output == 6 else len(str(output)) / 2

@evalkit.suite(dataset=rows(11), scorers=[same, size], repeat=2, gates=["same >= 0.5", "size >= 0.1"])
async def test_gated(case, evalkit):
    if case.input == 1:
        raise RuntimeError("model away")
    evalkit.score("asked", "yes" if case.input % 2 else "no")
    return -1 if case.input == 2 and evalkit.trial == 2 else case.input

@evalkit.suite(dataset=rows(3), scorers=[same])
def test_ungated(case):
    return case.input

@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_by_hand(evalkit, n):
    evalkit.score("polite", n / 4)
"""


@pytest.fixture
def settings(pytester):
    return Settings(root=pytester.path, store=str(pytester.path / "merged.db"))


@pytest.fixture
def shards(run_evals, pytester):
    """Run a session in `of` parts, each with a store of its own, and give the paths of the bundles."""

    def shards(source: str, of: int, *arguments: str, only: int | None = None) -> list[Path]:
        made = []
        for index in range(1, of + 1):
            if only in (None, index):
                path = pytester.path / f"bundle-{index}.jsonl"
                ran = run_evals(
                    source, f"--evalkit-shard={index}/{of}", f"--evalkit-bundle={path}",
                    f"--evalkit-store={index}.db", *arguments,
                )  # fmt: skip
                assert ran.result.ret == 0, ran.text
                made.append(path)
        return made

    return shards


def in_store(path: Path):
    with open_store(path, read_only=True) as store:
        return [store.load(summary.id) for summary in store.runs()]


def test_four_shards_make_the_run_that_one_session_makes(run_evals, shards, settings, unlike, page_of):
    whole = run_evals(SUITES)
    bundles = shards(SUITES, 4)
    made = merge(bundles, settings=settings)
    (merged,) = in_store(Path(settings.store))
    assert merged.id == made.id
    assert len(whole.run.verdicts) == 3
    assert unlike(merged, whole.run) == []
    assert page_of(merged) == page_of(whole.run)
    assert not merged.is_partial


def test_a_run_that_is_carried_to_another_store_is_one_shard_of_one(run_evals, shards, settings, unlike):
    whole = run_evals(SUITES)
    merge(shards(SUITES, 1), settings=settings)
    (merged,) = in_store(Path(settings.store))
    assert len(merged.verdicts) == 3
    assert unlike(merged, whole.run) == []


def test_a_shard_decides_no_gate_and_is_partial(run_evals, shards, pytester):
    (bundle,) = shards(SUITES, 4, only=2)
    (run,) = in_store(pytester.path / "2.db")
    assert run.verdicts == ()
    assert run.is_partial
    assert {suite.info.name: suite.info.selection for suite in run.suites} == {
        "test_gated": "shard 2/4",
        "test_ungated": "shard 2/4",
        "test_by_hand": "shard 2/4",
    }
    gated = run.suite("test_gated")
    assert {trial.case_id for trial in gated.trials} == {"c1", "c5", "c9"}
    assert gated.info.planned == 6
    assert gated.info.declared == 22
    assert read_bundle(bundle).run == run.id


def test_the_terminal_says_where_gates_are_decided_and_where_the_bundle_is(run_evals):
    ran = run_evals(SUITES, "--evalkit-shard", "1/2")
    said = " ".join(ran.text.split())
    assert "Shard 1/2: gates are decided when all are merged" in said
    assert "bundle .evalkit/shards/" in said
    assert "::gate[" not in ran.text


def test_merging_twice_makes_one_run(shards, settings):
    bundles = shards(SUITES, 2)
    first = merge(bundles, settings=settings)
    again = merge(bundles[::-1], settings=settings)
    assert again.id == first.id
    (run,) = in_store(Path(settings.store))
    assert len(run.suite("test_gated").trials) == 22


def test_a_run_that_is_merged_again_is_not_held_against_itself(run_evals, shards, settings):
    text = """
@evalkit.suite(dataset=rows(40), scorers=[same], gates=["same no regression vs baseline"])
def test_it(case):
    return None if case.input < MISSES else case.input
"""
    base = run_evals(text.replace("MISSES", "0").replace(', gates=["same no regression vs baseline"]', ""),
                     f"--evalkit-store={settings.store}")  # fmt: skip
    with open_store(settings.store) as store:
        before = store.runs()[0].id
    assert base.result.ret == 0
    bundles = shards(text.replace("MISSES", "20"), 2)
    for _ in range(2):
        made = merge(bundles, settings=dataclasses.replace(settings, baseline="last"))
        assert made.decision == "fail"
        assert made.verdicts[0].inputs["baseline"] == before


def test_a_merged_run_ended_when_its_last_shard_did_and_is_no_younger(shards, settings):
    bundles = shards(SUITES, 2)
    parts = [read_bundle(path) for path in bundles]
    for made in (merge(bundles, settings=settings), merge(bundles, settings=settings)):
        assert made.started_at == min(part.started_at for part in parts)
        assert made.finished_at == max(part.finished_at for part in parts), "evidence for a promotion may be too old"
        (kept,) = in_store(Path(settings.store))
        assert kept.finished_at == made.finished_at


def test_a_shard_that_is_missing_is_named(shards, settings):
    one, two, three = shards(SUITES, 3)
    with pytest.raises(ConfigError, match=r"Shard 2/3 is missing") as caught:
        merge([one, three], settings=settings)
    assert "--allow-missing" in str(caught.value)
    assert not Path(settings.store).exists()
    run = merge([one, three], settings=settings, allow_missing=True)
    assert run.status == "interrupted"
    gated = run.suite("test_gated")
    assert (len(gated.trials), gated.info.planned) == (14, 22)
    verdict = run.verdicts[0]
    assert verdict.gate == "same >= 0.5"
    assert (verdict.cases, verdict.trials) == (11, 14)
    assert two.exists()


def test_a_shard_that_is_there_twice_is_named(shards, settings):
    one, two = shards(SUITES, 2)
    with pytest.raises(ConfigError, match=r"Shard 1/2 is there twice"):
        merge([one, two, one], settings=settings)


def test_shards_of_different_wholes_do_not_fit(shards, settings):
    (one,) = shards(SUITES, 2, only=1)
    (two,) = shards(SUITES, 3, only=2)
    with pytest.raises(ConfigError, match=r"is shard 1/2, and .* is shard 2/3"):
        merge([one, two], settings=settings)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("rows(11)", "rows(12)", "the dataset"),
        ('"same >= 0.5"', '"same >= 0.4"', "the gates"),
        ("repeat=2", "repeat=3", "the repeats"),
        ("len(str(output)) / 2", "len(str(output)) / 3", "the scorer size"),
    ],
)
def test_shards_of_another_code_are_refused_with_what_differs(shards, settings, pytester, old, new, named):
    (one,) = shards(SUITES, 2, only=1)
    assert old in SUITES
    (two,) = shards(SUITES.replace(old, new), 2, only=2)
    with pytest.raises(ConfigError, match="not of one run") as caught:
        merge([one, two], settings=settings)
    assert named in str(caught.value)


def test_shards_of_another_commit_are_refused(shards, settings):
    bundles = shards(SUITES, 2)
    changed = read_bundle(bundles[1])
    provenance = dataclasses.replace(changed.provenance, commit="f" * 40)
    lines = bundles[1].read_bytes().splitlines(keepends=True)
    begins = json.loads(lines[1])
    begins["provenance"]["commit"] = provenance.commit
    _write(bundles[1], [lines[0], (json.dumps(begins) + "\n").encode(), *lines[2:-1]])
    with pytest.raises(ConfigError, match="the commit"):
        merge(bundles, settings=settings)


def _write(path: Path, body: list[bytes]) -> None:
    import hashlib

    footer = {"call": "end", "lines": len(body), "sha256": hashlib.sha256(b"".join(body)).hexdigest()}
    path.write_bytes(b"".join(body) + (json.dumps(footer) + "\n").encode())


def test_a_bundle_that_is_cut_off_or_changed_is_found_out(shards):
    (bundle,) = shards(SUITES, 2, only=1)
    whole = bundle.read_bytes()
    for end in (0, 1, len(whole) // 2, len(whole) - 1):
        bundle.write_bytes(whole[:end])
        with pytest.raises(StoreCorrupt):
            read_bundle(bundle)
    bundle.write_bytes(whole.replace(b'"c2"', b'"c3"', 1))
    with pytest.raises(StoreCorrupt, match="checksum"):
        read_bundle(bundle)
    bundle.write_bytes(b"[" * 100_000)
    with pytest.raises(StoreCorrupt):
        read_bundle(bundle)


def test_more_shards_than_cases_are_no_mistake(run_evals, shards, settings, unlike):
    source = (
        "@evalkit.suite(dataset=rows(2), scorers=[same], gates=['same >= 0.5'])\ndef test_it(case): return case.input\n"
    )
    whole = run_evals(source)
    bundles = [path for path in shards(source, 3) if path.exists()]
    assert len(bundles) == 3, "a shard without cases says that it has none"
    merge(bundles, settings=settings)
    (merged,) = in_store(Path(settings.store))
    assert unlike(merged, whole.run) == []


def test_the_command_line_leaves_with_the_verdict(shards, pytester, capsys, monkeypatch):
    source = "@evalkit.suite(dataset=rows(20), scorers=[same], gates=['same >= 0.9'])\ndef test_it(case): return case.input if case.input > 3 else None\n"
    one, two = map(str, shards(source, 2))
    monkeypatch.chdir(pytester.path)
    assert evalkit(["merge", one, two]) == 1
    assert "FAIL" in capsys.readouterr().out
    assert evalkit(["merge", one, two, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["decision"], said["exit_code"], len(said["gates"])) == ("fail", 1, 2)
    assert evalkit(["merge", one]) == 2
    assert "Shard 2/2 is missing" in capsys.readouterr().err
    assert evalkit(["merge", str(pytester.path / "nothing.jsonl")]) == 2


def test_a_gate_that_can_never_pass_is_refused_in_every_shard_as_in_the_whole(run_evals):
    source = "@evalkit.suite(dataset=rows(20), scorers=[same], gates=['same >= 0.99 @ 95%'])\ndef test_it(case): return case.input\n"
    whole = run_evals(source)
    part = run_evals(source, "--evalkit-shard", "2/2")
    assert whole.result.ret == part.result.ret == pytest.ExitCode.USAGE_ERROR


def test_what_a_whole_could_decide_a_shard_does_not_refuse(run_evals, shards, settings):
    source = "@evalkit.suite(dataset=rows(40), scorers=[same], gates=['same >= 0.9 @ 95%'])\ndef test_it(case): return case.input\n"
    run = merge(shards(source, 4), settings=settings)
    assert [verdict.decision for verdict in run.verdicts] == ["pass", "pass"]
