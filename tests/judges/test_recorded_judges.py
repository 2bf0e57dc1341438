"""Recorded judges, through the same code that judges live: the published figures come out."""

from __future__ import annotations

import json
import math
import os
from collections import defaultdict
from pathlib import Path

import pytest

from evalkit_scorers.judges.pairwise import settled
from evalkit_scorers.judges.scale import Level
from evalkit_scorers.judges.weights import weighted

pytestmark = pytest.mark.data

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
# AlpacaEval's judge answers with one token: m for the model shown first, M for the other.
SIDES = (Level(label="m", value=1.0, meaning="the first"), Level(label="M", value=0.0, meaning="the second"))


def rows_of(name: str) -> list[dict]:
    file = DATA / name
    if not file.is_file():
        pytest.skip(f"EVALKIT_DATA: there is no {file}")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def expected(name: str) -> dict:
    return json.loads((DATA / "EXPECTED.json").read_text(encoding="utf-8"))[name]["values"]


def test_alpaca_eval_win_rates_from_the_recorded_log_probabilities() -> None:
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows_of("alpaca_eval2/outputs.jsonl"):
        recorded = row["preference"] - 1
        found = None if row["judge_top_logprobs"] is None else weighted(row["judge_top_logprobs"], SIDES)
        if found is None:
            assert recorded == 0.5  # no likelihoods: a tie in the leaderboard
            values[row["model"]].append(0.5)
            continue
        # Which of the two was shown first was drawn, and is not in the file: one of both readings is the recorded one.
        value = min((found.value, 1 - found.value), key=lambda one: abs(one - recorded))
        assert value == pytest.approx(recorded, abs=1e-6)
        values[row["model"]].append(value)
    assert len(values) == 3
    for model, figures in expected("alpaca_eval2").items():
        mine = values[model]
        n, mean = len(mine), math.fsum(mine) / len(mine)
        error = math.sqrt(math.fsum((value - mean) ** 2 for value in mine) / (n - 1) / n)
        assert n == figures["n"]
        assert 100 * mean == pytest.approx(figures["win_rate"], abs=1e-4)
        assert 100 * error == pytest.approx(figures["standard_error"], abs=1e-4)


def test_llmbar_verdicts_of_both_orders_settle_as_recorded() -> None:
    orders: dict[tuple[str, str], dict[bool, int | None]] = defaultdict(dict)
    for row in rows_of("llmbar/judgments.jsonl"):
        orders[row["judge"], row["id"]][row["swapped"]] = row["verdict"]
    places: dict[str, list[str | None]] = defaultdict(list)
    for (judge, _), said in orders.items():
        if None in said.values():
            continue
        # Recorded verdicts name the answer, 1 or 2; what the judge said was its place. Swapped, 2 was the first.
        there = "first" if said[False] == 1 else "second"
        back = "first" if said[True] == 2 else "second"
        outcome = settled(there, back)
        assert outcome.consistent == (said[False] == said[True])
        assert outcome.value == (0.5 if said[False] != said[True] else float(said[False] == 1))
        places[judge].append(outcome.place)
    chatgpt = next(named for judge, named in places.items() if judge.startswith("ChatGPT") and "Vanilla" in judge)
    liked = {place: chatgpt.count(place) for place in ("first", "second")}
    assert max(liked.values()) > 5 * min(liked.values())  # it likes a place, and the score does not


def test_halueval_rate_of_what_people_called_a_hallucination() -> None:
    rows = rows_of("halueval_general/outputs.jsonl")
    values = expected("halueval_general")
    hallucinated = sum(row["human_hallucination"] for row in rows)
    assert (len(rows), hallucinated) == (values["n"], values["hallucinated"])
    assert 100 * hallucinated / len(rows) == pytest.approx(values["rate"], abs=1e-4)
