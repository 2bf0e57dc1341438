"""Stored outputs are scored again: the model under test is not called, and what was an error stays one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import evalkit
from evalkit.cli.app import run as command
from evalkit.config import load_settings
from evalkit.errors import GateError, ScorerError, SuiteError
from evalkit.rescoring import FROM, noise, rescore
from evalkit.runs import OUTPUTS_ENDED
from evalkit.store import open_store
from evalkit_scorers import contains, exact_match

CALLS: list[str] = []


@evalkit.suite(
    dataset=[{"id": f"c{number}", "input": number, "expected": str(number % 3)} for number in range(6)],
    scorers=[exact_match()],
    name="numbers",
    gates=["exact_match >= 0.1"],
    repeat=2,
)
def _numbers(case, evalkit):
    CALLS.append(case.id)
    if case.input == 5:
        raise RuntimeError("no answer")
    return str(case.input % 3) if evalkit.trial == 1 else "9"


@pytest.fixture
def project(tmp_path: Path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    monkeypatch.chdir(tmp_path)
    CALLS.clear()
    made = evalkit.run(_numbers, progress=False)
    with open_store(made.store) as store:
        stored = store.load(made.id)
    return load_settings(tmp_path), stored


def test_the_outputs_are_those_of_the_run_and_nothing_is_called(project) -> None:
    settings, before = project
    calls = len(CALLS)
    after = rescore(before, [contains("9")], settings=settings, gates=["contains >= 0.3", "errors <= 50%"])
    assert len(CALLS) == calls
    with open_store(settings.store) as store:
        stored = store.load(after.id)
    old, new = before.suites[0], stored.suites[0]
    assert [trial.output for trial in new.trials] == [trial.output for trial in old.trials]
    assert [(trial.case_id, trial.number) for trial in new.trials] == [(t.case_id, t.number) for t in old.trials]
    assert new.info.metadata[FROM] == before.id
    assert new.info.dataset == old.info.dataset
    assert {score.name for trial in new.trials for score in trial.scores} == {"contains"}
    assert after.decision == "pass"
    assert [trial.outcome for trial in new.trials if trial.case_id == "c5"] == ["errored", "errored"]


def test_part_of_a_suite_stays_a_part(project, tmp_path) -> None:
    settings, _ = project
    sampled = evalkit.run(_numbers, progress=False, sample=3)
    with open_store(settings.store) as store:
        before = store.load(sampled.id)
        after = store.load(rescore(before, [exact_match()], settings=settings).id)
    assert after.is_partial
    assert [case.id for case in after.suites[0].cases] == [case.id for case in before.suites[0].cases]


def test_a_scorer_that_says_the_same_has_no_noise(project) -> None:
    settings, before = project
    (found,) = noise(before, rescore(before, [exact_match()], settings=settings))
    assert (found.scorer, found.outputs, found.changed, found.judge) == ("exact_match", 10, 0, 0)
    assert found.app == pytest.approx(0.5)  # right in the first trial, wrong in the second


def test_a_scorer_that_changes_its_mind_is_measured(project) -> None:
    settings, before = project
    moods = iter(range(1000))

    @evalkit.scorer(name="exact_match", blocking=False)
    def moody(output, expected):
        return next(moods) % 3 == 0

    (found,) = noise(before, rescore(before, [moody], settings=settings))
    assert 0 < found.changed < found.outputs
    assert found.judge == pytest.approx(found.changed / 2 / found.outputs)


def test_nothing_to_score_is_said(project) -> None:
    settings, before = project
    with pytest.raises(SuiteError, match='Did you mean "numbers"'):
        rescore(before, [exact_match()], settings=settings, suite="nubmers")
    empty = dataclasses.replace(before, suites=(dataclasses.replace(before.suites[0], trials=()),))
    with pytest.raises(SuiteError, match="no trials"):
        rescore(empty, [exact_match()], settings=settings)
    with pytest.raises(GateError):
        rescore(before, [exact_match()], settings=settings, gates=["exact_macth >= 0.1"])


def test_the_command(project, capsys, tmp_path) -> None:
    (tmp_path / "mine.py").write_text(
        "import evalkit_scorers\n\n\ndef short(output):\n    return len(output) < 5\n\n\n"
        "both = [evalkit_scorers.exact_match(), short]\nnothing = 3\n"
    )
    assert (
        command(["rescore", "last", "--scorer", "mine:both", "--gate", "short >= 0.5", "--gate", "errors <= 50%"]) == 0
    )
    shown = capsys.readouterr().out
    assert "exact_match: the same score on 10 outputs." in shown
    assert "scored again" in shown
    assert command(["rescore", "last", "--scorer", "evalkit_scorers:regex"]) == 2
    assert command(["rescore", "last", "--scorer", "mine:shrot"]) == 2
    assert 'Did you mean "short"' in capsys.readouterr().err
    for wrong in ("mine", "nowhere:x", "mine:nothing"):
        assert command(["rescore", "last", "--scorer", wrong]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert issubclass(ScorerError, evalkit.EvalkitError)


def test_a_scorer_that_breaks_everywhere_is_no_success(project, tmp_path) -> None:
    (tmp_path / "broken.py").write_text("def down(output):\n    raise RuntimeError('away')\n")
    assert command(["rescore", "last", "--scorer", "broken:down"]) == 4


def test_outputs_that_are_scored_twice_are_as_old_and_as_dirty_as_they_were(project) -> None:
    settings, before = project
    before = dataclasses.replace(before, provenance=dataclasses.replace(before.provenance, dirty=True))
    once = rescore(before, [contains("9")], settings=settings)
    with open_store(settings.store) as store:
        again = rescore(store.load(once.id), [contains("8")], settings=settings)
        stored = store.load(again.id)
    assert stored.suites[0].info.metadata[OUTPUTS_ENDED] == before.finished_at.isoformat()
    assert stored.finished_at > before.finished_at
    assert stored.provenance.dirty is True
