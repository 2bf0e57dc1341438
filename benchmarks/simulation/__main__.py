"""`python -m benchmarks.simulation`: how often gates are wrong, beside what others use; written into the docs.

python -m benchmarks.simulation                    all tables, in about a quarter of an hour
python -m benchmarks.simulation --draws 400        coarser and quicker
python -m benchmarks.simulation --only graded      one kind of gate, printed only
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.simulation import stopping, tables
from benchmarks.simulation.kinds import KINDS, Found, simulate

DOCS = Path(__file__).resolve().parents[2] / "docs"
DRAWS, SEED = 2_000, 20_261_122


def main(argv: Sequence[str] | None = None) -> int:
    """Simulate, print, and write the blocks of the docs."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.simulation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--draws", type=int, default=DRAWS, help="suites a scenario (default: %(default)s)")
    parser.add_argument("--only", action="append", choices=[kind.key for kind in KINDS], help="one kind of gate")
    parser.add_argument("--print", dest="only_print", action="store_true", help="write no page")
    options = parser.parse_args(argv)
    begun = time.perf_counter()
    found: list[Found] = []
    for kind in KINDS:
        if not options.only or kind.key in options.only:
            found.append(simulate(kind, draws=options.draws, seed=SEED))
            print(f"{kind.key}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    if options.only:
        print(tables.details(found))
        return 0
    stopped = list(stopping.cells(runs=options.draws // 2, seed=SEED))
    minutes = (time.perf_counter() - begun) / 60
    blocks = {
        "summary": tables.summary(found, draws=options.draws, seed=SEED, minutes=minutes),
        "details": tables.details(found),
        "stopping": tables.stopping(stopped, runs=options.draws // 2),
        "repeats": tables.repeats(found),
    }
    for page in ("statistics.md", "statistics-repeats.md"):
        if options.only_print:
            continue
        write(DOCS / page, blocks)
    print("\n\n".join(blocks.values()))
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
