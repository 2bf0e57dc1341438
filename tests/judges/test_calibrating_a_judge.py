"""A judge is held against people's labels, and the card says whether it may be used in gates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import evalkit
from evalkit.cli.app import run as command
from evalkit.store import open_store
from evalkit.trust import RECORDED, standing


def judged(good: float, version: str = "1"):
    """A scorer that stands in for a judge: right about so many of its cases, by their number."""

    @evalkit.scorer(
        name="polite", version=version, config={"rubric_version": "r1", "model": "scripted"}, blocking=False
    )
    def polite(case):
        truth = case.input % 2 == 0
        right = case.input % 100 < 100 * good
        return evalkit.Score(value=truth if right else not truth, label=("yes" if truth == right else "no"))

    return polite


def suite_of(scorer):
    @evalkit.suite(name="replies", dataset=[{"id": f"c{n}", "input": n} for n in range(100)], scorers=[scorer])
    def replies(case):
        return str(case.input)

    return replies


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    monkeypatch.chdir(tmp_path)
    labels = "".join(f"c{n},{'yes' if n % 2 == 0 else 'no'},ada\n" for n in range(100))
    (tmp_path / "labels.csv").write_text("case,label,annotator\n" + labels)
    return tmp_path


def label(name: str = "polite") -> None:
    assert command(["label", "last", "--name", name, "--import", "labels.csv"]) == 0


def test_a_good_judge_may_be_used_in_gates(project, capsys) -> None:
    evalkit.run(suite_of(judged(0.96)), progress=False)
    label()
    assert command(["judges", "calibrate", "polite", "--labels", "last"]) == 0
    shown = capsys.readouterr().out
    assert "CALIBRATED" in shown
    assert "Fit for gates" in shown
    assert "agrees with people" in shown
    assert "100 cases were picked by somebody" in shown
    assert command(["judges", "list", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["judges"]
    assert (listed["name"], listed["trust"], listed["labels"]) == ("polite", "calibrated", 100)


def test_a_poor_judge_is_said_to_be_unfit_and_why(project, capsys) -> None:
    evalkit.run(suite_of(judged(0.6)), progress=False)
    label()
    assert command(["judges", "calibrate", "polite", "--labels", "last"]) == 1
    shown = capsys.readouterr().out
    assert "UNCALIBRATED" in shown
    assert "κ may be as low as" in shown


def test_another_version_of_a_calibrated_judge_is_stale(project, capsys) -> None:
    evalkit.run(suite_of(judged(0.96)), progress=False)
    label()
    assert command(["judges", "calibrate", "polite", "--labels", "last"]) == 0
    evalkit.run(suite_of(judged(0.96, version="2")), progress=False)
    capsys.readouterr()
    assert command(["judges", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "stale" in lines[0]
    assert "calibrated, by 100 labels" in lines[1]


def test_nothing_labelled_and_no_such_judge_are_said(project, capsys) -> None:
    evalkit.run(suite_of(judged(0.9)), progress=False)
    assert command(["judges", "calibrate", "polite", "--labels", "last"]) == 2
    assert "evalkit label" in capsys.readouterr().err
    assert command(["judges", "calibrate", "poltie", "--labels", "last"]) == 2
    assert 'Did you mean "polite"' in capsys.readouterr().err
    assert command(["judges", "calibrate", "polite", "--labels", "nowhere"]) == 2
    assert "neither a file nor a run" in capsys.readouterr().err


def test_recorded_verdicts_of_a_file(project, capsys, tmp_path) -> None:
    rows = [{"judge": "a" if n % 10 else "b", "human_1": "a", "human_2": "a", "judge_swapped": "a"} for n in range(60)]
    rows += [{"judge": "b", "human_1": "b", "human_2": None, "judge_swapped": "b"} for _ in range(60)]
    file = tmp_path / "verdicts.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    assert (
        command(["judges", "calibrate", "mine", "--labels", "verdicts.jsonl", "--html", "out/card.html", "--json"]) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["version"] == RECORDED
    assert found["table"] == [[54, 6], [0, 60]]
    assert found["positions"]["consistent"]["count"] == 114
    assert found["positions"]["always_second"] == 6
    assert found["trust"] == "calibrated"
    with open_store(project / ".evalkit/evalkit.db") as store:
        assert store.calibrations() == []
    page = (project / "out/card.html").read_text()
    assert "CALIBRATED" in page
    assert "default-src &#39;none&#39;" in page


def test_hostile_labels_are_text_in_the_terminal_and_on_the_page(project, capsys, tmp_path) -> None:
    evil = "<script>alert(1)</script>\x1b[31m"
    rows = [{"judge": evil, "human": evil} for _ in range(60)] + [{"judge": "ok", "human": "ok"} for _ in range(60)]
    file = tmp_path / "verdicts.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    assert command(["--no-color", "judges", "calibrate", "x", "--labels", "verdicts.jsonl", "--html", "card.html"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    page = (project / "card.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("text", "what"),
    [("judge,label\na,b\n", "`human`"), ("judge,human\n", "no verdicts"), ("judge,human\na,\n", "no case has a human")],
    ids=range(3),
)
def test_a_file_that_holds_nothing_is_refused(project, text, what, capsys) -> None:
    (project / "verdicts.csv").write_text(text)
    assert command(["judges", "calibrate", "x", "--labels", "verdicts.csv"]) == 2
    assert what in capsys.readouterr().err


def test_ordered_labels_have_a_weighted_kappa(project, capsys) -> None:
    lines = "".join(
        f"{judge},{human}\n"
        for judge in "abc"
        for human in "abc"
        for _ in range(2 + 20 * (judge == human) + 5 * (judge + human in ("ab", "bc")))
    )
    (project / "verdicts.csv").write_text("judge,human\n" + lines)
    command(["judges", "calibrate", "x", "--labels", "verdicts.csv", "--order", "a,b,c", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["weighted_kappa"]["value"] != found["kappa"]["value"]
    assert command(["judges", "calibrate", "x", "--labels", "verdicts.csv", "--order", "a,b"]) == 2
    assert "none of a, b" in capsys.readouterr().err


def test_where_a_judge_stands_without_any_calibration() -> None:
    assert standing("polite", "v1", []) == "uncalibrated"
