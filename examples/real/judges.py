"""Recorded judges beside what was published of them, through the code that judges and calibrates live.

    python examples/real/judges.py            compute, and print the tables
    python examples/real/judges.py --write    compute, and write the tables into docs/judges.md
    python examples/real/judges.py --verdicts pandalm-7b > verdicts.jsonl
                                              a recorded judge of PandaLM beside its three annotators, for
                                              evalkit judges calibrate pandalm-7b --labels verdicts.jsonl

Expected is what EXPECTED.json in the folder of the recorded outputs says. Leaves with 1 where a figure differs.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evalkit.stats.calibration import Item, calibrate, positions
from evalkit.stats.raters import fleiss_kappa
from evalkit_scorers.judges.scale import Level
from evalkit_scorers.judges.weights import weighted

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/judges.md"
DATA = Path(os.environ.get("EVALKIT_DATA") or ROOT.parent / "shared/data")
# AlpacaEval's judge answers with one token: m for the answer that it was shown first, M for the other.
SIDES = (Level(label="m", value=1.0, meaning="the first"), Level(label="M", value=0.0, meaning="the second"))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure, as expected and as obtained; `digits` is how many of them were published."""

    section: str
    name: str
    expected: float
    obtained: float
    digits: int = 4

    @property
    def agrees(self) -> bool:
        return abs(self.expected - self.obtained) < 0.5 * 10**-self.digits + 1e-12

    def line(self) -> str:
        figures = f"{self.expected:.{self.digits}f} | {self.obtained:.{self.digits}f}"
        return f"| {self.name} | {figures} | {'yes' if self.agrees else '**no**'} |"


def read(name: str) -> list[dict[str, Any]]:
    with (DATA / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def llmbar(expected: dict[str, Any]) -> Iterator[Row]:
    """Accuracy against the gold answer over both orders, and how often both orders name the same one."""
    gold = {row["id"]: (row["subset"], row["gold"]) for row in read("llmbar/pairs.jsonl")}
    cells: dict[str, dict[str, dict[bool, str | None]]] = defaultdict(lambda: defaultdict(dict))
    for row in read("llmbar/judgments.jsonl"):
        named = None if row["verdict"] is None else "ab"[row["verdict"] - 1]
        cells[f"{row['judge']}/{gold[row['id']][0]}"][row["id"]][row["swapped"]] = named
    for cell, values in expected.items():
        pairs = cells[cell]
        orders = [(said[False], said[True]) for said in pairs.values()]
        truths = ["ab"[gold[pair][1] - 1] for pair in pairs]
        accuracy = sum(
            calibrate(
                [Item(humans=(truth,), judge=said[at]) for truth, said in zip(truths, orders, strict=True)]
            ).accuracy.value
            for at in (0, 1)
        )
        yield Row(section="llmbar", name=f"{cell}, accuracy", expected=values["accuracy_avg"], obtained=50 * accuracy)
        agreed = 100 * positions(orders).consistent.value
        yield Row(section="llmbar", name=f"{cell}, orders", expected=values["positional_agreement"], obtained=agreed)


def pandalm(expected: dict[str, Any]) -> Iterator[Row]:
    """Three annotators among themselves, and two judges against their majority."""
    for judge in ("gpt-3.5-turbo", "pandalm-7b"):
        found = calibrate([Item(humans=row["humans"], judge=row["judge"]) for row in verdicts(judge)])
        values = expected[judge]
        obtained = 100 * found.accuracy.value
        yield Row(section="pandalm", name=f"{judge}, agrees %", expected=values["accuracy"], obtained=obtained)
    for pair, value in expected["cohen_kappa"].items():
        one, other = (int(number) for number in pair.split("-"))
        kappa = found.human_kappas[one, other] or math.nan
        yield Row(section="pandalm", name=f"annotators {pair}, κ", expected=value, obtained=kappa, digits=6)
    alpha = found.humans or math.nan
    yield Row(
        section="pandalm",
        name="annotators, α",
        expected=expected["krippendorff_alpha_nominal"],
        obtained=alpha,
        digits=6,
    )


def verdicts(judge: str) -> list[dict[str, Any]]:
    """The recorded verdicts of a judge of PandaLM, beside the labels of the three annotators."""
    humans = {row["id"]: tuple(str(label) for label in row["human"]) for row in read("pandalm/pairs.jsonl")}
    return [
        {"judge": None if row["verdict"] is None else str(row["verdict"]), "humans": humans[row["id"]]}
        for row in read("pandalm/judgments.jsonl")
        if row["judge"] == judge
    ]


def xstest(expected: dict[str, Any]) -> Iterator[Row]:
    """Two annotators among themselves, and a GPT-4 judge against what they settled on."""
    outputs = read("xstest/outputs.jsonl")
    for model, values in expected.items():
        rows = [row for row in outputs if row["model"] == model]
        people = [row["human"] for row in rows]
        agreed = 100 * sum(one == other for one, other in people) / len(people)
        found = calibrate([Item(humans=(row["human_final"],), judge=row["judges"]["gpt-4"]) for row in rows])
        section = "xstest"
        yield Row(
            section=section, name=f"{model}, annotators %", expected=values["annotator_agreement"], obtained=agreed
        )
        kappa = fleiss_kappa(people) or math.nan
        yield Row(section=section, name=f"{model}, Fleiss κ", expected=values["fleiss_kappa"], obtained=kappa, digits=6)
        judged = 100 * found.accuracy.value
        yield Row(section=section, name=f"{model}, judge %", expected=values["gpt4_judge_agreement"], obtained=judged)


def alpaca(expected: dict[str, Any]) -> Iterator[Row]:
    """Win rates and their standard errors, from the log probabilities of the judge's token."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in read("alpaca_eval2/outputs.jsonl"):
        recorded = row["preference"] - 1
        found = None if row["judge_top_logprobs"] is None else weighted(row["judge_top_logprobs"], SIDES)
        if found is None:  # no likelihoods were recorded: a tie, as on the leaderboard
            values[row["model"]].append(0.5)
            continue
        # Which answer was shown first was drawn and is not in the file: of both readings the recorded one is meant.
        values[row["model"]].append(min((found.value, 1 - found.value), key=lambda one: abs(one - recorded)))
    for model, figures in expected.items():
        mine = values[model]
        mean = math.fsum(mine) / len(mine)
        error = math.sqrt(math.fsum((value - mean) ** 2 for value in mine) / (len(mine) - 1) / len(mine))
        yield Row(
            section="alpaca_eval2", name=f"{model}, win rate %", expected=figures["win_rate"], obtained=100 * mean
        )
        yield Row(section="alpaca_eval2", name=f"{model}, SE", expected=figures["standard_error"], obtained=100 * error)


def halueval(expected: dict[str, Any]) -> Iterator[Row]:
    """The share of answers in which people saw a hallucination."""
    rows = read("halueval_general/outputs.jsonl")
    rate = 100 * sum(row["human_hallucination"] for row in rows) / len(rows)
    yield Row(section="halueval_general", name="rate %", expected=expected["rate"], obtained=rate)


SECTIONS = {
    "llmbar": ("LLMBar: eight judges, five subsets, both orders", llmbar),
    "pandalm": ("PandaLM: three annotators, two judges", pandalm),
    "xstest": ("XSTest: two annotators, a GPT-4 judge", xstest),
    "alpaca_eval2": ("AlpacaEval 2: a judge with log probabilities", alpaca),
    "halueval_general": ("HaluEval: what people saw", halueval),
}


def table() -> list[Row]:
    """Every figure that EXPECTED.json has of these judges."""
    expected = json.loads((DATA / "EXPECTED.json").read_text(encoding="utf-8"))
    return [row for section, (_, rows) in SECTIONS.items() for row in rows(expected[section]["values"])]


def markdown(rows: list[Row]) -> str:
    """The tables as they stand in the documentation."""
    lines: list[str] = []
    for section, (title, _) in SECTIONS.items():
        of_section = [row for row in rows if row.section == section]
        agreeing = sum(row.agrees for row in of_section)
        lines += ["", "<details>", f"<summary>{title}: {agreeing} of {len(of_section)} figures agree</summary>", ""]
        lines += ["| what | published | obtained | agrees |", "|---|--:|--:|---|", *(row.line() for row in of_section)]
        lines += ["", "</details>"]
    return "\n".join([*lines, ""])


def write(text: str) -> None:
    """Put the tables between their two marks in the page."""
    marks = r"(<!-- table: written by examples/real/judges.py -->\n).*(<!-- end of table -->)"
    before = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(re.sub(marks, lambda mark: mark[1] + text + "\n" + mark[2], before, flags=re.S), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--verdicts", metavar="JUDGE", choices=["pandalm-7b", "gpt-3.5-turbo"])
    options = parser.parse_args()
    if not (DATA / "EXPECTED.json").is_file():
        raise SystemExit(f"There are no recorded outputs in {DATA}. Name their folder in EVALKIT_DATA.")
    if options.verdicts:
        for row in verdicts(options.verdicts):
            people = {f"human_{number}": label for number, label in enumerate(row["humans"], start=1)}
            print(json.dumps({"judge": row["judge"], **people}))
        return 0
    rows = table()
    text = markdown(rows)
    print(text)
    if options.write:
        write(text)
    return int(not all(row.agrees for row in rows))


if __name__ == "__main__":
    sys.exit(main())
