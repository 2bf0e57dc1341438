"""Versions of prompts and models get numbers, are found by any of their names, and aliases move only as expected."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path
from typing import Any

import pytest

from evalkit.canonical import digest
from evalkit.errors import NotFound, StoreError
from evalkit.store import Store, check, open_store
from evalkit.versions import Version


def version(
    text: str, *, name: str = "greet", kind: Any = "prompt", source: str | None = "prompts/greet.md"
) -> Version:
    body = {"text": text}
    return Version(kind=kind, name=name, digest=digest(body), body=body, source=source)


def test_numbers_count_the_versions_of_a_name_in_the_order_they_were_first_seen(store: Store) -> None:
    one, two, other = version("one"), version("two"), version("one", name="other")
    assert [store.register(v).number for v in (one, two, other, one)] == [1, 2, 1, 1]
    assert store.register(version("one", kind="model")).number == 1
    assert [(r.version.name, r.version.label) for r in store.versions("prompt")] == [
        ("greet", "v1"), ("greet", "v2"), ("other", "v1"),
    ]  # fmt: skip
    assert [r.version for r in store.versions("prompt", "greet")] == [
        dataclasses.replace(one, number=1), dataclasses.replace(two, number=2),
    ]  # fmt: skip


def test_a_version_keeps_what_was_said_when_it_was_first_seen(store: Store) -> None:
    store.register(version("one"), author="ann", commit="abc")
    again = store.register(version("one", source="elsewhere.md"), author="bob", commit="def")
    (found,) = store.versions("prompt", "greet")
    assert (found.author, found.commit, found.version.source) == ("ann", "abc", "prompts/greet.md")
    assert again.number == 1


def test_a_long_body_comes_back(store: Store) -> None:
    long = version("long \x00 \ud800" * 3000)
    assert store.register(long).body == long.body
    assert store.version("prompt", "greet", "v1").version.body == long.body


@pytest.fixture
def three(store: Store) -> Store:
    for text in ("one", "two", "three"):
        store.register(version(text))
    store.set_alias("prompt", "greet", "production", version("two").digest, expected_generation=0, by="ann")
    return store


def test_a_version_is_named_by_number_digest_or_alias(three: Store) -> None:
    two = version("two").digest
    for which in ("v2", "2", two, two[:8], "production", " v2 "):
        assert three.version("prompt", "greet", which).version.number == 2
    assert three.version("prompt", "greet", "latest").version.number == 3
    assert three.version("prompt", "greet", "v2").aliases == ("production",)


@pytest.mark.parametrize(
    ("kind", "name", "which", "said"),
    [
        ("prompt", "greet", "v4", ["no version \"v4\"", "v1, v2, v3", "production → v2"]),
        ("prompt", "greet", "producton", ["Did you mean \"production\"?"]),
        ("prompt", "gret", "v1", ["no prompt \"gret\"", "Did you mean \"greet\"?"]),
        ("model", "greet", "v1", ["no model \"greet\"", "It has no models yet"]),
        ("prompt", "greet", "ffffffff0000", ["no version"]),
    ],
)  # fmt: skip
def test_a_name_that_is_not_there_is_answered_with_those_that_are(
    three: Store, kind: Any, name: str, which: str, said: list[str]
) -> None:
    with pytest.raises(NotFound) as caught:
        three.version(kind, name, which)
    for part in said:
        assert part in str(caught.value)


def test_a_digest_that_begins_two_versions_is_said_to(store: Store) -> None:
    for rest in "ab":
        store.register(dataclasses.replace(version(rest), digest="abcd" + rest * 60))
    with pytest.raises(NotFound, match="beginning of 2 versions of greet: v1"):
        store.version("prompt", "greet", "abcd")
    assert store.version("prompt", "greet", "abcda").version.number == 1


def test_an_alias_moves_only_from_where_it_was_seen(three: Store) -> None:
    first = three.alias("prompt", "greet", "production")
    assert first is not None
    assert (first.digest, first.generation, first.updated_by) == (version("two").digest, 1, "ann")
    move = {"kind": "prompt", "name": "greet", "alias": "production"}
    moved = three.set_alias(**move, digest=version("three").digest, expected_generation=1, by="bob")
    assert (moved.generation, moved.digest, moved.updated_by) == (2, version("three").digest, "bob")
    for stale in (0, 1, 3):
        with pytest.raises(StoreError, match="not where it was expected"):
            three.set_alias(**move, digest=version("one").digest, expected_generation=stale)
    assert three.alias("prompt", "greet", "production") == moved
    assert three.aliases("prompt", "greet") == three.aliases("prompt") == [moved]
    assert three.alias("prompt", "greet", "staging") is None


def test_an_alias_points_at_versions_that_are_there_only(three: Store) -> None:
    with pytest.raises(NotFound, match="no version"):
        three.set_alias("prompt", "greet", "staging", "0" * 64, expected_generation=0)
    with pytest.raises(StoreError, match="it is not there"):
        three.set_alias("prompt", "greet", "staging", version("one").digest, expected_generation=4)
    assert three.aliases("prompt", "other") == []


def test_of_eight_who_move_an_alias_at_once_one_does(three: Store) -> None:
    won: list[str] = []
    lost: list[str] = []
    ready = threading.Barrier(8)

    def move(who: str) -> None:
        ready.wait()
        try:
            three.set_alias("prompt", "greet", "production", version("one").digest, expected_generation=1, by=who)
            won.append(who)
        except StoreError:
            lost.append(who)

    threads = [threading.Thread(target=move, args=(str(i),)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = three.alias("prompt", "greet", "production")
    assert now is not None
    assert (len(won), len(lost), now.generation, [now.updated_by]) == (1, 7, 2, won)


REGISTER = """
import sys
from evalkit.canonical import digest
from evalkit.store import open_store
from evalkit.versions import Version
with open_store(sys.argv[1]) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    for i in range(15):
        body = {"text": f"{i % 5} shared" if i % 3 == 0 else f"{i} of {sys.argv[2]}"}
        store.register(Version(kind="prompt", name="p", digest=digest(body), body=body))
"""


def test_eight_processes_register_without_gaps_or_doubles(
    store: Store, script: Any, outputs: Any, request: pytest.FixtureRequest
) -> None:
    where = request.getfixturevalue("address")
    processes = [script(REGISTER, where, i, stdin=-1) for i in range(8)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs(processes)
    found = store.versions("prompt", "p")
    assert len(found) == 8 * 10 + 5
    assert [one.version.number for one in found] == list(range(1, len(found) + 1))
    assert len({one.version.digest for one in found}) == len(found)


def test_a_run_registers_what_it_used_and_says_how(store: Store, begin: Any) -> None:
    declared, loaded = version("one"), version("two")
    run = begin(store, versions=(declared,))
    run.add(run.trial(0, versions=(loaded,)), run.trial(1, versions=(declared, loaded)))
    run.add(run.trial(2, versions=(loaded,)))
    suite = store.load(run.run_id).suite("math")
    assert [v.label for v in suite.info.versions] == ["v1"]
    assert [[v.label for v in trial.versions] for trial in suite.trials] == [["v2"], ["v1", "v2"], ["v2"]]
    assert suite.trials[0].versions[0].body == {"text": "two"}
    brief = store.load(run.run_id, payload=False).suite("math")
    assert brief.trials[1].versions == suite.trials[1].versions
    assert store.trial(run.run_id, "math", "case-001").versions == suite.trials[1].versions


def test_what_a_run_registered_has_its_commit_and_user(path: Path, begin: Any) -> None:
    from evalkit.runs import Provenance

    with open_store(path) as store:
        run = begin(store)
        store.start_run(
            "r2", started_at=store.load(run.run_id).started_at, provenance=Provenance(commit="abc", user="ann"), seed=0
        )
        info = store.load(run.run_id).suite("math").info
        store.add_suite("r2", dataclasses.replace(info, versions=(version("one"),)), run.dataset, run.dataset.cases)
        (found,) = store.versions("prompt")
        assert (found.commit, found.author) == ("abc", "ann")
    assert check(path).ok
    assert check(path).counts["suite_versions"] == 1


def test_a_version_whose_trials_were_not_stored_is_registered_the_next_time(store: Store, begin: Any) -> None:
    run = begin(store)
    bad = run.trial(0, versions=(version("one"),), duration="not a number")
    with pytest.raises(ValueError):
        run.add(bad)
    run.add(run.trial(0, versions=(version("one"),)))
    assert [v.label for v in run.trials()[0].versions] == ["v1"]
