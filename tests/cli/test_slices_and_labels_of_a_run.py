"""`evalkit show`: slices that differ from the rest, and labels with what they were taken for."""

from __future__ import annotations

import pytest

import evalkit
from evalkit_scorers import label_match

LABELS = ("refund", "order", "other")
ROWS = [
    {"input": i, "expected": LABELS[i % 3], "metadata": {"lang": "de" if i % 4 == 0 else "en", "part": str(i % 5)}}
    for i in range(80)
]


@pytest.fixture
def labelled(project):
    @evalkit.suite(
        dataset=ROWS,
        scorers=[label_match()],
        gates=["label_match.f1 >= 0.6 @ 95%", "label_match[lang=de].kappa >= -0.5"],
        name="intents",
    )
    def intents(case):
        wrong = case.input % 8 == 0 or case.input == 3
        return LABELS[(case.input + wrong) % 3]

    return evalkit.run(intents)


def test_slices_are_shown_with_what_they_differ_from(cli, labelled):
    shown = cli("show", "last").out
    (line,) = [line for line in shown.splitlines() if line.startswith("lang=de")]
    assert line.split() == ["lang=de", "label_match", "0.500", "0.983", "20", "<0.001", "differs"]
    told = " ".join(shown.split())
    assert "2 of 7 slices differ from the rest of the suite by more than so many slices would by chance" in told
    assert "A mark decides nothing; a gate on the slice does." in told


def test_slices_and_labels_are_in_json(cli, labelled):
    found = cli("show", "last", "--json").json()
    marks = {next(iter(mark["slice"].items())): mark for mark in found["slices"] if mark["name"] == "label_match"}
    assert marks["lang", "de"]["marked"] is True
    assert marks["part", "1"]["marked"] is False
    assert marks["lang", "de"]["q_value"] >= marks["lang", "de"]["p_value"]
    (table,) = found["labels"]
    assert table["labels"] == ["order", "other", "refund"]
    assert sum(map(sum, table["table"])) == 80
    assert {one["statistic"] for one in table["figures"]} == {"f1", "mcc", "kappa"}
    assert all(one["method"] == "BCa bootstrap" for one in table["figures"])


def test_the_table_of_labels_and_its_figures_are_shown(cli, labelled):
    shown = cli("show", "last").out
    assert "labels of label_match in intents: 69 of 80 cases right" in shown
    assert "macro-F1" in shown
    assert "Cohen's kappa" in shown
    header = next(line for line in shown.splitlines() if "expected ↓ given →" in line)
    assert header.split()[-3:] == ["order", "other", "refund"]


def test_a_stored_run_is_judged_on_its_labels_again(cli, labelled):
    first = {verdict.gate: verdict for verdict in labelled.verdicts}
    again = cli("gate", "last", "--json").json()
    assert again["exit_code"] == 0
    for gate in again["gates"]:
        assert gate["observed"] == first[gate["text"]].observed
        assert gate["interval"] == (
            None if first[gate["text"]].low is None else [first[gate["text"]].low, first[gate["text"]].high]
        )
    other = cli("gate", "last", "--gate", "label_match.mcc >= 0.99 @ 95%")
    assert other.code == 1
    assert "label_match.mcc" in other.out


def test_a_run_without_slices_or_labels_has_no_such_sections(cli, project):
    def right(output, expected):
        return output == expected

    @evalkit.suite(dataset=[{"input": i, "expected": i} for i in range(5)], scorers=[right])
    def plain(case):
        return case.input

    evalkit.run(plain)
    shown = cli("show", "last").out
    assert "\nslices\n" not in shown
    assert "labels of" not in shown
