"""The cases that every tool gets: questions, answers, five scores and a trace of four spans each, as lines of JSON."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCORES = ("right", "helpful", "grounded", "polite", "brief")
WORDS = 5_000  # made-up ones, so that the text is no easier to compress than people's


def cases(count: int) -> Iterator[dict[str, Any]]:
    """`count` cases: a question of some 200 characters, an answer of some 300, a tool that was asked in between."""
    chance = random.Random(2026)
    words = ["".join(chance.choices("etaoinshrdlucmfwypvbgk", k=chance.randint(2, 9))) for _ in range(WORDS)]

    def text(length: int) -> str:
        return " ".join(chance.choices(words, k=length))

    for number in range(count):
        expected = text(50)
        right = chance.random() < 0.8
        start = 1_700_000_000_000_000_000 + number * 1_000_000
        yield {
            "id": f"c{number:06d}",
            "question": text(34),
            "expected": expected,
            "answer": expected if right else text(50),
            "scores": [
                {"name": name, "value": float(right) if name == "right" else round(chance.random(), 3), "why": text(8)}
                for name in SCORES
            ],
            "looked_up": {"query": text(4), "found": text(30)},
            "start_ns": start,
            "seconds": round(chance.uniform(0.5, 3.0), 3),
            "tokens": [chance.randint(80, 400), chance.randint(30, 300)],
        }


def write(count: int, path: Path) -> Path:
    """The cases as a file."""
    with path.open("w", encoding="utf-8") as file:
        for case in cases(count):
            file.write(json.dumps(case) + "\n")
    return path
