"""What is known of a judge from people's labels: recorded judges come out as published, and unfit ones are found out."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

from evalkit.stats.calibration import Calibration, Item, Thresholds, calibrate, positions, share

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


def rows_of(name: str) -> list[dict]:
    file = DATA / name
    if not file.is_file():
        pytest.skip(f"EVALKIT_DATA: there is no {file}")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def expected(name: str) -> dict:
    return json.loads((DATA / "EXPECTED.json").read_text(encoding="utf-8"))[name]["values"]


def judged(table: dict[tuple[str, str], int]) -> Calibration:
    return calibrate([Item(humans=(human,), judge=judge) for (human, judge), n in table.items() for _ in range(n)])


# [[20, 5], [10, 15]] of statistics.md: κ .4, se .1269960629, interval .1510922905 to .6489077095, MCC .4082482905
TABLE = {("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15}


def test_the_reference_table() -> None:
    found = judged(TABLE)
    assert found.labels == ("no", "yes")
    assert found.table == ((15, 10), (5, 20))
    assert found.kappa is not None
    assert (found.kappa.value, found.kappa.low, found.kappa.high) == pytest.approx((0.4, 0.1510922905, 0.6489077095))
    assert found.mcc == pytest.approx(0.4082482905)
    assert found.accuracy.value == 0.7
    assert found.recall["yes"].count == 20
    assert found.recall["no"].value == 0.6
    bias, interval = found.bias["yes"]
    assert bias == pytest.approx(0.1)
    assert interval.low < 0.1 < interval.high
    assert found.bias["no"][0] == pytest.approx(-0.1)


def test_the_weighted_kappa_of_ordered_labels() -> None:
    rows = [[10, 3, 1], [2, 12, 4], [0, 3, 15]]
    items = [
        Item(humans=(human,), judge=judge)
        for human, row in zip("abc", rows, strict=True)
        for judge, n in zip("abc", row, strict=True)
        for _ in range(n)
    ]
    found = calibrate(items, order="abc")
    assert found.weighted_kappa is not None
    assert found.weighted_kappa.value == pytest.approx(0.7448979592)
    with pytest.raises(ValueError, match="'c' is none of a, b"):
        calibrate(items, order="ab")


def test_a_good_judge_is_calibrated_and_says_what_more_would_take() -> None:
    good = judged({("yes", "yes"): 95, ("yes", "no"): 5, ("no", "yes"): 4, ("no", "no"): 96})
    assert good.trust == "calibrated"
    assert "three annotators" in good.reasons[0] or "3 annotators" in good.reasons[0]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({("yes", "yes"): 20, ("no", "no"): 20}, "40 labels, and 50 are needed"),
        ({("yes", "yes"): 90, ("no", "no"): 10}, "no 10"),
        ({("yes", "yes"): 100}, "one label only"),
        (TABLE, "κ may be as low as 0.15"),
        ({("yes", "yes"): 75, ("yes", "no"): 25, ("no", "no"): 100}, "of what people call yes"),
    ],
    ids=["few", "one-sided", "constant", "kappa", "recall"],
)
def test_what_keeps_a_judge_from_being_trusted_is_said(table, reason) -> None:
    found = judged(table)
    assert found.trust == "uncalibrated"
    assert any(reason in one for one in found.reasons)


def test_a_judge_without_a_verdict_is_wrong_and_not_left_out() -> None:
    items = [Item(humans=("yes",), judge="yes")] * 8 + [Item(humans=("yes",), judge=None)] * 2
    found = calibrate(items)
    assert (found.unread, found.accuracy.count, found.accuracy.n) == (2, 8, 10)
    assert found.recall["yes"].value == 0.8


def test_annotators_who_disagree_leave_no_verdict() -> None:
    items = [Item(humans=("yes", "no"), judge="yes"), Item(humans=("yes", None), judge="yes")]
    found = calibrate(items)
    assert (found.n, found.split) == (1, 1)
    assert Item(humans=("a", "b", "b"), judge="a").majority == "b"
    with pytest.raises(ValueError, match="no case has a human verdict"):
        calibrate([Item(humans=(None,), judge="yes")])


def test_three_annotators_can_find_a_judge_interchangeable() -> None:
    humans = [("yes", "yes", "yes"), ("yes", "yes", "no"), ("no", "no", "no"), ("no", "yes", "no")] * 30
    items = [Item(humans=human, judge=max(set(human), key=human.count)) for human in humans]
    found = calibrate(items)
    assert found.trust == "interchangeable"
    assert found.alternative.winning_rate == 1
    assert set(found.human_kappas) == {(1, 2), (1, 3), (2, 3)}
    stricter = calibrate(items, thresholds=Thresholds(labels=500))
    assert stricter.trust == "uncalibrated"


def test_positions_of_the_paper() -> None:
    # ChatGPT-0613 on LLMBar: 276 of 419 consistent, 133 always first, 10 always second, p = 1e-28.
    orders = [("a", "a")] * 276 + [("a", "b")] * 133 + [("b", "a")] * 10
    found = positions(orders)
    assert (found.consistent.count, found.always_first, found.always_second) == (276, 133, 10)
    assert found.p == pytest.approx(1e-28, rel=0.9)
    assert positions([("a", "b")] * 20 + [("b", "a")] * 10 + [("a", "a")] * 389).p == pytest.approx(0.0987, abs=5e-4)
    with pytest.raises(ValueError, match="nothing"):
        share(0, 0)


@pytest.mark.data
def test_llmbar_forty_cells_of_accuracy_and_order_agreement() -> None:
    subsets = {row["id"]: (row["subset"], row["gold"]) for row in rows_of("llmbar/pairs.jsonl")}
    cells: dict[str, dict[str, dict[bool, int | None]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows_of("llmbar/judgments.jsonl"):
        cells[f"{row['judge']}/{subsets[row['id']][0]}"][row["id"]][row["swapped"]] = row["verdict"]
    found = {}
    for cell, pairs in cells.items():
        named = [
            tuple(None if verdict is None else {1: "a", 2: "b"}[verdict] for verdict in (orders[False], orders[True]))
            for orders in pairs.values()
        ]
        gold = [{1: "a", 2: "b"}[subsets[pair][1]] for pair in pairs]
        accuracies = [
            calibrate(
                [Item(humans=(truth,), judge=orders[at]) for truth, orders in zip(gold, named, strict=True)]
            ).accuracy.value
            for at in (0, 1)
        ]
        found[cell] = (100 * sum(accuracies) / 2, 100 * positions(named).consistent.value)
    values = expected("llmbar")
    assert len(found) == len(values) == 40
    for cell, figures in values.items():
        assert found[cell] == pytest.approx((figures["accuracy_avg"], figures["positional_agreement"]), abs=1e-4), cell


@pytest.mark.data
def test_pandalm_people_and_judges() -> None:
    humans = {row["id"]: tuple(str(label) for label in row["human"]) for row in rows_of("pandalm/pairs.jsonl")}
    verdicts: dict[str, dict[str, str | None]] = defaultdict(dict)
    for row in rows_of("pandalm/judgments.jsonl"):
        verdicts[row["judge"]][row["id"]] = None if row["verdict"] is None else str(row["verdict"])
    values = expected("pandalm")
    for judge, said in verdicts.items():
        found = calibrate([Item(humans=labels, judge=said[case]) for case, labels in humans.items()])
        assert 100 * found.accuracy.value == pytest.approx(values[judge]["accuracy"], abs=1e-4)
        assert found.unread == values[judge]["unparseable"]
        kappas = {f"{one}-{other}": round(kappa, 6) for (one, other), kappa in found.human_kappas.items()}
        assert kappas == values["cohen_kappa"]
        assert round(found.humans, 6) == values["krippendorff_alpha_nominal"]
        assert found.split == 0
        assert found.trust == "uncalibrated"
        assert found.alternative is not None


@pytest.mark.data
def test_xstest_averages_near_the_humans_and_a_judge_that_is_not_fit() -> None:
    values = expected("xstest")
    kappas = {}
    outputs = rows_of("xstest/outputs.jsonl")
    unsafe = {row["id"] for row in rows_of("xstest/cases.jsonl") if not row["safe_prompt"]}
    for model in ("gpt4", "llama2new", "mistralinstruct"):
        rows = [row for row in outputs if row["model"] == model]
        found = calibrate([Item(humans=(row["human_final"],), judge=row["judges"]["gpt-4"]) for row in rows])
        assert 100 * found.accuracy.value == pytest.approx(values[model]["gpt4_judge_agreement"], abs=1e-4)
        assert found.unread == values[model]["gpt4_judge_unparseable"]
        kappas[model] = found.kappa.value
        agreed = calibrate([Item(humans=(row["human"][0],), judge=row["human"][1]) for row in rows])
        assert 100 * agreed.accuracy.value == pytest.approx(values[model]["annotator_agreement"], abs=1e-4)
        if model == "mistralinstruct":
            hard = [row for row in rows if row["id"] in unsafe]
            told = calibrate([Item(humans=(row["human_final"],), judge=row["judges"]["gpt-4"]) for row in hard])
            share_of = {
                who: sum(label == "1_full_compliance" for label in said) / len(hard)
                for who, said in {
                    "people": [row["human_final"] for row in hard],
                    "judge": [row["judges"]["gpt-4"] for row in hard],
                }.items()
            }
            assert abs(share_of["people"] - share_of["judge"]) < 0.1
            assert told.kappa.value < 0.1
            assert told.trust == "uncalibrated"
            assert any("κ" in reason for reason in told.reasons)
    assert kappas["gpt4"] == pytest.approx(values["gpt4"]["gpt4_judge_cohen_kappa"], abs=1e-5)
    assert kappas["llama2new"] == pytest.approx(values["llama2new"]["gpt4_judge_cohen_kappa"], abs=1e-5)
