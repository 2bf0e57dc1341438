"""The machine in words that say how fast it is and not whose it is: no host name, no path, no user."""

from __future__ import annotations

import os
import platform
from pathlib import Path

QUIET = 2.5
"""The load up to which nobody else worked on the machine: what is measured, a browser or a server make about two."""
OTHERS = (
    "Others worked on it meanwhile: seconds on the clock are several times those of a quiet machine, and CPU is the figure "
    "to compare. "
)


def describe() -> dict[str, str]:
    """Processor, cores, memory, system and Python, as they are shown beside the figures."""
    return {
        "processor": _after_colon("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}, {' '.join(platform.libc_ver())}".strip(", "),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def _after_colon(file: str, key: str) -> str:
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError:  # not Linux: the caller has another word for it
        return ""
    for line in text.splitlines():
        if line.startswith(key):
            return line.partition(":")[2].strip()
    return ""


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    except (ValueError, OSError):  # a system that does not say
        return "unknown"
