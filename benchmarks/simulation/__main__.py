"""`python -m benchmarks.simulation`: how often gates are wrong, beside what others use; written into the docs.

python -m benchmarks.simulation                    everything, in about ten minutes of CPU
python -m benchmarks.simulation --only graded      one kind of gate anew, the others as they were
python -m benchmarks.simulation --pages            the pages from the figures that are there
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.simulation import records, stopping, tables
from benchmarks.simulation.kinds import KINDS, simulate

DOCS = Path(__file__).resolve().parents[2] / "docs"
DRAWS, SEED = 2_000, 20_261_122


def main(argv: Sequence[str] | None = None) -> int:
    """Simulate, keep the figures, and write the blocks of the docs."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.simulation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    keys = [*(kind.key for kind in KINDS), "stopping"]
    parser.add_argument("--draws", type=int, default=DRAWS, help="suites a scenario (default: %(default)s)")
    parser.add_argument("--only", action="append", choices=keys, help="one kind of gate")
    parser.add_argument("--pages", action="store_true", help="simulate nothing")
    options = parser.parse_args(argv)
    begun = time.process_time()
    for key in [] if options.pages else options.only or keys:
        if key == "stopping":
            records.keep((), stopping.cells(runs=options.draws // 2, seed=SEED))
        else:
            kind = next(kind for kind in KINDS if kind.key == key)
            records.keep([simulate(kind, draws=options.draws, seed=SEED)], ())
        print(f"{key}: {time.process_time() - begun:.0f} s of CPU so far", file=sys.stderr, flush=True)
    found, stopped = records.read()
    missing = {kind.key for kind in KINDS} - {one.kind.key for one in found}
    if missing or not stopped:
        print(f"The pages stay as they are: no figures yet of {', '.join(sorted(missing)) or 'stopping'}.")
        return 1
    blocks = {
        "summary": tables.summary(found),
        "details": tables.details(found),
        "stopping": tables.stopping(stopped, runs=DRAWS // 2),
        "repeats": tables.repeats(found),
    }
    for page in ("statistics.md", "statistics-repeats.md"):
        write(DOCS / page, blocks)
    print(blocks["summary"])
    return 0


def write(page: Path, blocks: dict[str, str]) -> None:
    """Put each block between its two marks, where the page has them."""
    text = page.read_text(encoding="utf-8")
    for name, block in blocks.items():
        marks = re.compile(rf"(<!-- simulation: {name} -->\n).*?(<!-- end of {name} -->)", re.S)
        text = marks.sub(lambda mark, block=block: f"{mark[1]}\n{block}\n\n{mark[2]}", text)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
