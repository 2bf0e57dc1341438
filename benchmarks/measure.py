"""Run one command and say what it cost: time on the clock, time on the processor, memory at its peak."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class Failed(RuntimeError):
    """A measured command did not do its work, so its figures mean nothing. The first line says how, for a table."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one process and all its children took.

    `wall` and `cpu` are seconds; `cpu` is user plus system time of the whole tree, as the kernel adds it up when
    each child is waited for. `peak_kb` is the largest resident set of any single process of the tree, in KiB.
    `load` is the machine's one-minute load average just before, which shows who else was at work.
    """

    wall: float
    cpu: float
    peak_kb: int
    load: float
    output: str = ""


def cost_of(command: Sequence[str], *, folder: Path, environment: Mapping[str, str], timeout: float = 900.0) -> Cost:
    """Run `command` in `folder` and measure it. Raises `Failed` unless it ends with 0 within `timeout`.

    The kernel counts the peak of a process from before its `exec` on, so nothing smaller than this harness
    itself (some 30 MB) can be seen in `peak_kb`.
    """
    load = os.getloadavg()[0]
    log = folder / "output.log"
    with log.open("wb") as sink:
        begin = time.perf_counter()
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        late = threading.Event()

        def stop() -> None:
            late.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(timeout, stop)
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:  # Ctrl-C in the harness must not leave the measured process behind
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            timer.cancel()
        wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    output = log.read_text(encoding="utf-8", errors="replace")
    shown = " ".join(command)
    if late.is_set():
        raise Failed(f"not finished after {timeout:g} s\n{shown}\n{output[-2000:]}")
    if process.returncode != 0:
        raise Failed(f"ended with {process.returncode}\n{shown}\n{output[-2000:]}")
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak_kb=int(usage.ru_maxrss), load=load, output=output)
