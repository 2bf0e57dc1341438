"""`python -m benchmarks.pages`: the same cases as a page of four tools; keeps the figures in `benchmarks/pages.json`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import environments
from benchmarks.machine import describe
from benchmarks.measure import Failed
from benchmarks.pages.browser import opened, served
from benchmarks.pages.material import write
from benchmarks.pages.subjects import SUBJECTS, Page, Subject

FILE = Path(__file__).parents[1] / "pages.json"


def measure(subject: Subject, cases: int, rounds: int) -> dict[str, Any]:
    """One tool with so many cases: made once, opened `rounds` times."""
    begun = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="pages-") as name:
        folder = Path(name)
        try:
            page = subject.make(write(cases, folder / "cases.jsonl"), folder)
            looks = [dataclasses.asdict(_look(subject, page)) for _ in range(rounds)]
        except (Failed, TimeoutError) as failure:
            return {"subject": subject.name, "cases": cases, "failure": str(failure).splitlines()[0]}
        return {
            "subject": subject.name,
            "cases": cases,
            "how": page.how,
            "wall": page.wall,
            "cpu": page.cpu,
            "bytes": page.bytes,
            "served": page.serve,
            "opened": looks,
            "load": [begun, os.getloadavg()[0]],
        }


def _look(subject: Subject, page: Page) -> Any:
    if not page.serve:
        return opened((page.folder / page.entry).as_uri(), subject.usable, search=subject.search)
    with served(page.folder) as url:
        return opened(f"{url}/{page.entry}", subject.usable, search=subject.search)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(SUBJECTS), default=list(SUBJECTS))
    parser.add_argument("--cases", nargs="+", type=int, default=[10_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {FILE.name}, beside those there")
    parser.add_argument("--no-install", action="store_true", help="take the environments as they are")
    options = parser.parse_args(argv)
    if not options.no_install:
        environments.main(["evalkit", "inspect-ai", "pytest-html"])
    kept = json.loads(FILE.read_text("utf-8"))["readings"] if FILE.exists() else []
    for name in options.only:
        for cases in options.cases:
            found = measure(SUBJECTS[name], cases, options.rounds)
            print(json.dumps(found), file=sys.stderr, flush=True)
            kept = [one for one in kept if (one["subject"], one["cases"]) != (name, cases)] + [found]
            if options.write:
                told = {"machine": describe(), "commit": environments.installed_commit(), "readings": kept}
                FILE.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
