"""A whole pytest session of very many cases on a store: what it takes, and its memory at its peak."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import cost_of

_SUITE = """
import evalkit
from evalkit import Case

@evalkit.scorer(blocking=False)
def same(output, expected):
    return output == expected

@evalkit.suite(dataset="cases.jsonl", scorers=[same], gates=["same >= 0.9 @ 95%"])
async def test_many(case):
    return case.input
"""

_CALL = """
import sys, pytest
status = pytest.main(sys.argv[1:])
with open("/proc/self/status") as said, open("peak", "w") as peak:
    peak.write(next(line.split()[1] for line in said if line.startswith("VmHWM")))
sys.exit(status)
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session of `cases` cases: seconds on the clock and of CPU, the peak of its memory (VmHWM) in KiB."""

    cases: int
    wall: float
    cpu: float
    peak_kb: int


def session(url: str, cases: int) -> Session:
    """Run it on the store at `url`. Raises `Failed` where it does not pass."""
    with tempfile.TemporaryDirectory(prefix="evalkit-scale-") as name:
        folder = Path(name)
        (folder / "test_many.py").write_text(_SUITE, encoding="utf-8")
        with (folder / "cases.jsonl").open("w", encoding="utf-8") as file:
            for index in range(cases):
                file.write(json.dumps({"id": f"case-{index:06}", "input": index, "expected": index}) + "\n")
        cost = cost_of(
            [sys.executable, "-c", _CALL, "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_many.py"],
            folder=folder,
            environment={**os.environ, "EVALKIT_STORE": url, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                         "PYTEST_PLUGINS": "pytest_evalkit.plugin"},
            timeout=1800,
        )  # fmt: skip
        peak = int((folder / "peak").read_text("utf-8"))
    return Session(cases=cases, wall=cost.wall, cpu=cost.cpu, peak_kb=peak)
