"""`alias:production` in the place of a run: what is in force is what a change is compared with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import evalkit
from evalkit.baselines import Baselines, NoBaseline
from evalkit.case import Case
from evalkit.gates import parse
from evalkit.inforce import in_force
from evalkit.runs import Run
from evalkit.store import open_store

NO_WORSE = "right no regression vs baseline"


def right(output: Any, expected: Any) -> bool:
    return bool(output == expected)


@pytest.fixture
def run(project: Path) -> Callable[..., Run]:
    """Run suites of twenty cases with the prompt `greet` or another, each with so many wrong."""

    def make(text: str = "Hello", *, prompt: str = "greet", **wrong: int) -> Run:
        (project / "prompts").mkdir(exist_ok=True)
        (project / f"prompts/{prompt}.md").write_text(text, encoding="utf-8")
        (name,) = wrong or {"greetings": 0}
        misses = wrong.get(name, 0)

        @evalkit.suite(
            name=name,
            dataset=[Case(id=f"c{n}", input=n, expected=n) for n in range(20)],
            scorers=[right],
            gates=["right >= 0.1"],
            prompt=prompt,
        )
        def suite(case: Case, prompt: Any) -> int:
            return -1 if case.input < misses else int(case.input)

        return evalkit.run(suite, progress=False)

    return make


def store_of(project: Path) -> str:
    return str(project / ".evalkit/evalkit.db")


def promoted(cli: Any, run: Run, *, prompt: str = "greet", to: str = "production") -> str:
    done = cli("promote", f"prompt/{prompt}", "--to", to, "--version", "file", "--run", run.id, "--json")
    assert done.code == 0, done.err
    return str(done.json()["promotion"]["id"])


def test_the_run_that_the_version_in_force_rests_on(cli: Any, run: Any, project: Path) -> None:
    first = run(greetings=2)
    promoted(cli, first)
    run("Hi", greetings=9)  # newer, and never promoted
    baselines = Baselines(url=store_of(project), name="alias:production")
    assert baselines.default is not None
    assert baselines.default.id == first.id
    reference, _ = baselines.references("greetings", [parse(NO_WORSE)])
    assert reference is not None
    assert reference.run == first.id


def test_a_gate_is_judged_against_it_and_an_alias_does_without_its_prefix(cli: Any, run: Any) -> None:
    promoted(cli, run(greetings=0))
    worse = run("Hi", greetings=12)
    for name in ("alias:production", "production"):
        done = cli("gate", worse.id, "--gate", NO_WORSE, "--baseline", name, "--json")
        assert done.code == 1, done.err
        assert done.json()["gates"][0]["inputs"]["baseline"] != worse.id


def test_each_suite_is_compared_with_the_run_it_was_promoted_on(cli: Any, run: Any, project: Path) -> None:
    greetings, partings = run(greetings=1), run("Bye", prompt="part", partings=3)
    promoted(cli, greetings)
    promoted(cli, partings, prompt="part")
    baselines = Baselines(url=store_of(project), name="alias:production")
    found = {name: baselines.references(name, [parse(NO_WORSE)])[0] for name in ("greetings", "partings")}
    assert {name: one.run for name, one in found.items() if one} == {
        "greetings": greetings.id,
        "partings": partings.id,
    }
    assert baselines.default is not None
    assert {suite.info.name for suite in baselines.default.suites} == {"greetings", "partings"}
    assert {metric.suite for metric in baselines.default.metrics} == {"greetings", "partings"}


def test_after_a_rollback_it_is_the_run_of_the_version_that_came_back(cli: Any, run: Any, project: Path) -> None:
    first = run(greetings=1)
    promoted(cli, first)
    second = run("Hi", greetings=0)
    promoted(cli, second)
    done = cli("rollback", "prompt/greet", "--alias", "production", "--reason", "x")
    assert done.code == 0, done.err
    with open_store(store_of(project)) as store:
        found = in_force(store, "production")
    assert found is not None
    assert found.run.id == first.id


def test_where_nothing_is_promoted_yet_it_is_said_and_nothing_is_compared(run: Any, project: Path) -> None:
    run()
    baselines = Baselines(url=store_of(project), name="alias:production")
    assert baselines.default is None
    assert baselines.references("greetings", []) == (None, {})
    assert baselines.notes == ("Nothing to compare with: no promotion is applied under the alias production yet.",)
    with pytest.raises(NoBaseline, match="no promotion is applied under the alias production yet"):
        baselines.references("greetings", [parse(NO_WORSE)])


def test_nor_where_there_is_no_store_yet(project: Path) -> None:
    assert Baselines(url=str(project / "none.db"), name="alias:production").default is None
    assert not (project / "none.db").exists()


def test_an_alias_that_is_nearly_another_is_a_mistake(cli: Any, run: Any, project: Path) -> None:
    promoted(cli, run())
    with pytest.raises(NoBaseline, match='Did you mean "production"'):
        _ = Baselines(url=store_of(project), name="alias:prodution").default


def test_a_name_that_is_neither_run_nor_alias_is_no_run(cli: Any, run: Any) -> None:
    promoted(cli, run())
    done = cli("gate", "last", "--baseline", "prodution")
    assert done.code == 2
    assert 'no run "prodution"' in done.err


def test_the_newest_promotion_of_a_suite_counts(cli: Any, run: Any, project: Path) -> None:
    promoted(cli, run(greetings=1))
    second = run("Bye", prompt="part", greetings=2)
    promoted(cli, second, prompt="part")
    with open_store(store_of(project)) as store:
        found = in_force(store, "production")
        assert found is not None
        assert found.runs["greetings"].id == second.id
