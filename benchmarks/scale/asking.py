"""What the commands take on a full store: each in a process of its own, as people start them."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measure import cost_of
from evalkit.cli.app import COMMANDS as KNOWN

COMMANDS: Mapping[str, Sequence[str]] = {
    "nothing (evalkit --version)": ("--version",),
    "evalkit runs": ("runs",),
    "evalkit show last": ("show", "last"),
    "evalkit compare last~1 last": ("compare", "last~1", "last"),
    "evalkit report last": ("report", "last", "--output", "report.html"),
    "evalkit history answers": ("history", "answers"),
    "evalkit traces list last": ("traces", "list", "last"),
    "evalkit gate last": ("gate", "last"),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The best of the tries: seconds on the clock and of CPU, and the largest resident memory in KiB."""

    command: str
    wall: float
    cpu: float
    peak_kb: int


def ask(url: str, environment: Mapping[str, str], *, tries: int = 3) -> list[Answer]:
    """Run every command on the store at `url`, `tries` times each."""
    found: list[Answer] = []
    with tempfile.TemporaryDirectory(prefix="evalkit-scale-") as folder:
        for name, words in COMMANDS.items():
            if not words[0].startswith("-") and words[0] not in KNOWN:
                continue
            costs = [
                cost_of(
                    [sys.executable, "-c", _CALL, *words],
                    folder=Path(folder),
                    environment={**environment, "EVALKIT_STORE": url},
                )
                for _ in range(tries)
            ]
            best = min(costs, key=lambda cost: cost.wall)
            peak = int((Path(folder) / "peak").read_text("utf-8"))
            found.append(Answer(command=name, wall=best.wall, cpu=best.cpu, peak_kb=peak))
    return found


_CALL = """
import sys
from evalkit.cli.app import run
status = run(sys.argv[1:])
with open("/proc/self/status") as said, open("peak", "w") as peak:
    peak.write(next(line.split()[1] for line in said if line.startswith("VmHWM")))
sys.exit(0 if status == 1 else status)
"""
"""A gate that fails leaves with 1, and has done its work. The kernel's own count of the peak begins before the `exec`,
with the memory of this harness; `VmHWM` is the command's alone.
"""
