"""Expected beside obtained: runs the suites here on the recorded outputs and holds them against published numbers.

    python examples/real/table.py            run, and print the table
    python examples/real/table.py --write    run, and write the table into docs/real-data.md

Expected is what EXPECTED.json in the folder of the recorded outputs says: figures that were published with the outputs,
or, for HumanEval, what came out when the programs were run elsewhere. Obtained are the metrics of the run. Leaves with
1 where any of them differs.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from evalkit import Run
from evalkit.store import open_store

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs/real-data.md"
DATA = Path(os.environ.get("EVALKIT_DATA") or ROOT.parent / "shared/data")
SECTIONS = {
    "gsm8k": "GSM8K, `numeric_match`",
    "bbh": "BIG-Bench Hard, `exact_match`, one slice per task",
    "humaneval": "HumanEval, `code_execution`: programs run against their tests",
    "bfcl": "BFCL, `recorded_verdict`, one slice per category",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure: how many cases are right, as expected and as the run has it."""

    section: str
    name: str
    cases: int
    expected: int
    obtained_cases: int
    obtained: float

    @property
    def agrees(self) -> bool:
        return (self.cases, self.expected) == (self.obtained_cases, self.obtained)

    def line(self) -> str:
        agrees = "yes" if self.agrees else "**no**"
        rate = self.obtained / self.obtained_cases
        return f"| {self.name} | {self.cases:,} | {self.expected:,} | {self.obtained:,} | {rate:.2%} | {agrees} |"


def run_suites(store: Path, *arguments: str) -> Run:
    """Run `pytest examples/real` into a store of its own, and read the run back from there."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(HERE), *arguments]
    environment = {**os.environ, "EVALKIT_DATA": str(DATA), "EVALKIT_STORE": str(store)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"pytest left with {done.returncode}:\n{done.stdout[-6000:]}{done.stderr}")
    with open_store(str(store), read_only=True) as opened:
        return opened.load(opened.resolve("last"))


def right(run: Run, suite: str, score: str, **where: str) -> tuple[int, float]:
    """How many cases there are in a suite or in one slice of it, and how many of them are right: rate times number."""
    (metric,) = (
        metric
        for metric in run.metrics
        if (metric.suite, metric.name, metric.statistic) == (suite, score, "rate") and dict(metric.slice) == where
    )
    assert metric.value is not None
    total = metric.value * metric.cases
    return metric.cases, round(total) if abs(total - round(total)) < 1e-9 else total


def rows(run: Run, expected: dict) -> Iterator[Row]:
    """Every figure that EXPECTED.json has for these suites."""
    for model, value in expected["gsm8k"]["values"].items():
        yield _row(run, "gsm8k", model, value["n"], value["correct"], f"test_gsm8k[{model}]", "numeric_match")
    for cell, value in expected["bbh"]["values"].items():
        task, way = cell.split("/")
        yield _row(run, "bbh", cell, value["n"], value["correct"], f"test_bbh[{way}]", "exact_match", task=task)
    for model, value in expected["humaneval"]["values"].items():
        suite = f"test_humaneval[{model}]"
        yield _row(run, "humaneval", model, value["n"], value["executed_pass"], suite, "code_execution")
    for model, categories in expected["bfcl"]["values"].items():
        for name, value in categories.items():
            if "correct" in value:
                cell, suite = f"{model} / {name}", f"test_bfcl[{model}]"
                yield _row(run, "bfcl", cell, value["n"], value["correct"], suite, "recorded_verdict", category=name)


def _row(run: Run, section: str, name: str, cases: int, correct: int, suite: str, score: str, **where: str) -> Row:
    obtained_cases, obtained = right(run, suite, score, **where)
    return Row(
        section=section, name=name, cases=cases, expected=correct, obtained_cases=obtained_cases, obtained=obtained
    )


def markdown(table: list[Row]) -> str:
    """The table as it stands in the documentation."""
    lines: list[str] = []
    for section, title in SECTIONS.items():
        lines += [
            "",
            f"### {title}",
            "",
            "| what | cases | expected | obtained | rate | agrees |",
            "|---|--:|--:|--:|--:|---|",
        ]
        lines += [row.line() for row in table if row.section == section]
    agreeing = sum(row.agrees for row in table)
    return "\n".join([*lines, "", f"{agreeing} of {len(table)} figures agree.", ""])


def write(text: str, page: Path = PAGE) -> None:
    """Put the table between its two marks in the page."""
    before = page.read_text(encoding="utf-8")
    marks = r"(<!-- table: written by examples/real/table.py -->\n).*(<!-- end of table -->)"
    page.write_text(re.sub(marks, lambda mark: mark[1] + text + "\n" + mark[2], before, flags=re.S), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if not (DATA / "EXPECTED.json").is_file():
        raise SystemExit(f"There are no recorded outputs in {DATA}. Name their folder in EVALKIT_DATA.")
    expected = json.loads((DATA / "EXPECTED.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="evalkit-real-") as folder:
        table = list(rows(run_suites(Path(folder, "evalkit.db")), expected))
    text = markdown(table)
    print(text)
    if options.write:
        write(text)
    return int(not all(row.agrees for row in table))


if __name__ == "__main__":
    sys.exit(main())
