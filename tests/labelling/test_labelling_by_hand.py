"""People label outputs: one key each, kept at once, blind, the same outputs for everybody."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import click
import pytest

import evalkit
from evalkit.cli.app import run as command
from evalkit.errors import DatasetError, NotFound, SuiteError
from evalkit.labelling import labels_of, left, read_labels, to_ask
from evalkit.store import open_store


@evalkit.scorer(name="polite", config={"rubric_version": "1"}, blocking=False)
def polite(output):
    return evalkit.Score(value=float(len(output) % 2), label="yes" if len(output) % 2 else "no", explanation="SECRET")


@evalkit.suite(
    name="replies",
    dataset=[{"id": f"c{number}", "input": f"question {number}", "expected": "ref"} for number in range(12)],
    scorers=[polite],
)
def _replies(case):
    if case.id == "c7":
        raise RuntimeError("down")
    return "x" * (int(case.id[1:]) + 1) + " \x1b[31mred"


@pytest.fixture
def run(tmp_path: Path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    monkeypatch.chdir(tmp_path)
    made = evalkit.run(_replies, progress=False)
    with open_store(made.store) as store:
        yield store.load(made.id)


@pytest.fixture
def press(monkeypatch):
    """Answer the questions of `evalkit label` with these keys."""

    def keys(text: str) -> None:
        waiting = iter(text)
        monkeypatch.setattr(click, "getchar", lambda: next(waiting, ""))
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)

    return keys


def kept(run) -> list[tuple[str, str, str]]:
    with open_store(run.store) as store:
        return [(one.case_id, one.label, one.annotator) for one in store.annotations(run.id)]


def test_the_sample_is_the_same_for_everybody_and_has_no_errors(run) -> None:
    asked = to_ask(run, sample=5, seed=3)
    assert [one.case.id for one in asked] == [one.case.id for one in to_ask(run, sample=5, seed=3)]
    assert [one.case.id for one in asked] != [one.case.id for one in to_ask(run, sample=5, seed=4)]
    assert {(one.chosen, one.seed) for one in asked} == {("random", 3)}
    everything = to_ask(run, sample=None)
    assert len(everything) == 11
    assert "c7" not in {one.case.id for one in everything}
    assert {(one.chosen, one.seed) for one in everything} == {("all", None)}


def test_one_key_a_label_and_nothing_of_the_judge_is_shown(run, press, capsys) -> None:
    press("1212")
    assert command(["label", "last", "--annotator", "ada", "--sample", "4"]) == 0
    shown = capsys.readouterr().out
    assert len(kept(run)) == 4
    assert {annotator for *_, annotator in kept(run)} == {"ada"}
    assert "SECRET" not in shown
    assert "question" in shown
    assert "\x1b[31mred" not in shown
    assert "evalkit judges calibrate polite" in shown


def test_a_second_session_goes_on_where_the_first_stopped(run, press, capsys) -> None:
    press("11q")
    assert command(["label", "last", "--annotator", "ada", "--sample", "5"]) == 0
    assert len(kept(run)) == 2
    press("222")
    assert command(["label", "last", "--annotator", "ada", "--sample", "5"]) == 0
    assert "3 of 5" in capsys.readouterr().out
    assert len(kept(run)) == 5
    press("")
    assert command(["label", "last", "--annotator", "ada", "--sample", "5"]) == 0
    assert len(kept(run)) == 5


def test_each_annotator_has_labels_of_their_own(run, press) -> None:
    for who, keys in (("ada", "111"), ("bob", "222")):
        press(keys)
        assert command(["label", "last", "--annotator", who, "--sample", "3"]) == 0
    said = kept(run)
    assert len(said) == 6
    assert {case for case, _, who in said if who == "ada"} == {case for case, _, who in said if who == "bob"}


def test_back_skip_note_and_keys_that_are_none(run, press, capsys, monkeypatch) -> None:
    monkeypatch.setattr(click, "prompt", lambda *_, **__: "unclear")
    press("1b2x" + "s" + "n1" + "q")  # the first again, an unknown key, skip the second, a note on the third
    assert command(["label", "last", "--annotator", "ada", "--sample", "6"]) == 0
    out = capsys.readouterr().out
    assert "There is no key 'x'" in out
    said = kept(run)
    assert len(said) == 2
    with open_store(run.store) as store:
        notes = [one.note for one in store.annotations(run.id)]
    assert notes == [None, "unclear"]


def test_without_a_terminal_it_says_what_to_do(run, capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert command(["label", "last", "--annotator", "ada"]) == 2
    assert "--import labels.csv" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_labels_of_a_file(run, tmp_path, suffix, capsys) -> None:
    rows = [{"case": "c0", "label": "yes", "annotator": "ada"}, {"case": "c1", "label": "no", "annotator": "bob"}]
    file = tmp_path / f"labels{suffix}"
    if suffix == ".csv":
        file.write_text(
            "case,label,annotator\n" + "".join(f"{r['case']},{r['label']},{r['annotator']}\n" for r in rows)
        )
    else:
        file.write_text("\n".join(json.dumps(row) for row in rows))
    assert command(["label", "last", "--import", str(file), "--name", "polite", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"] == 2
    assert kept(run) == [("c0", "yes", "ada"), ("c1", "no", "bob")]
    with open_store(run.store) as store:
        assert {one.chosen for one in store.annotations(run.id)} == {"given"}


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("case,label\nc0,yes\n", 2, "no annotator"),
        ("case,lable\nc0,yes\n", 2, 'Did you mean "label"'),
        ("case,label,annotator\nc0,,ada\n", 2, "no label"),
        ("case,label,annotator\nc0,yse,ada\n", 2, 'Did you mean "yes"'),
        ("case,label,annotator\nc99,yes,ada\n", 2, "no trial 1 of the case"),
        ("case,label,annotator,trial\nc1,yes,ada,two\n", 2, "a number from 1"),
        ("case,label,annotator\n", None, "no labels"),
        ('case,label\n"c0,yes\n', 2, "not CSV"),
    ],
    ids=range(8),
)
def test_a_bad_row_is_named_with_its_line(run, tmp_path, text, line, what) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(text)
    with pytest.raises(DatasetError, match=what) as caught:
        read_labels(file, run, name="polite", allowed=["yes", "no"])
    assert caught.value.where == (str(file) if line is None else f"{file}:{line}")
    assert kept(run) == []


def test_labels_go_to_the_suite_that_is_named_or_the_only_one_with_the_scorer(run, tmp_path) -> None:
    """Two suites may ask the same cases; --suite says which of them the rows are about."""
    (replies,) = run.suites
    other = dataclasses.replace(replies, info=dataclasses.replace(replies.info, name="others"))
    silent = dataclasses.replace(replies, info=dataclasses.replace(replies.info, name="silent", scorers=()))
    file = tmp_path / "labels.csv"
    file.write_text("case,label,annotator\nc0,yes,ada\n")

    both = dataclasses.replace(run, suites=(replies, other, silent))
    with pytest.raises(DatasetError, match="no trial 1") as caught:
        read_labels(file, both, name="polite")
    assert "--suite" in str(caught.value)
    assert [one.suite for one in read_labels(file, both, name="polite", suite="others")] == ["others"]
    with pytest.raises(SuiteError, match='Did you mean "others"'):
        read_labels(file, both, name="polite", suite="other")

    one = dataclasses.replace(run, suites=(silent, replies))
    assert [label.suite for label in read_labels(file, one, name="polite")] == ["replies"]


def test_what_may_be_said_is_what_the_metric_has_had(run) -> None:
    assert sorted(labels_of(run, "polite")) == ["no", "yes"]
    with pytest.raises(NotFound, match='Did you mean "polite"'):
        labels_of(run, "polight")
    with pytest.raises(SuiteError, match='Did you mean "replies"'):
        to_ask(run, suite="reply")
    assert left(to_ask(run, sample=2), [], annotator="ada", name="polite") == to_ask(run, sample=2)


@pytest.mark.parametrize("labels", ["yes", "yes,yes", ",".join("abcdefghij")])
def test_labels_that_are_none_are_refused(run, labels, capsys) -> None:
    assert command(["label", "last", "--labels", labels]) == 2
    assert "two to nine" in capsys.readouterr().err


def test_every_level_of_a_judge_may_be_said_though_it_said_one_only(run) -> None:
    (suite,) = run.suites
    config = {"rubric_version": "1", "levels": {"no": 0.0, "yes": 1.0, "partly": 0.5}}
    scorers = tuple(dataclasses.replace(one, config=config) for one in suite.info.scorers)
    declared = dataclasses.replace(suite, info=dataclasses.replace(suite.info, scorers=scorers))
    assert labels_of(dataclasses.replace(run, suites=(declared,)), "polite") == ["yes", "partly", "no"]
