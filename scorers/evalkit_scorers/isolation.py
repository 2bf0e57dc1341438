"""A fresh Python process with limits, for work that may hang, crash or misbehave.

This is no sandbox: the process can read what its user can read and reach what the network lets it reach. It keeps
accidents apart: its own session, killed as a group; its own temporary folder; an environment of two variables;
limits on processor time, memory and file size; no core files.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MEGABYTE = 1024 * 1024
_LONGEST_TAIL = 4000

# Runs in the child before anything of the user's. The limits are set here and not in a preexec_fn, which may
# deadlock when the parent has threads; a hard limit that the child has set on itself cannot be lifted again.
_PROLOGUE = """
import json, os, sys
_job = json.loads(sys.stdin.buffer.read())
_answer = _job["answer_fd"]
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
try:
    import resource
except ImportError:
    pass
else:
    for _name, _most in _job["limits"].items():
        try:
            resource.setrlimit(getattr(resource, _name), (_most, _most))
        except (ValueError, OSError, AttributeError):
            pass  # macOS has no working limit on the address space
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a process ended.

    `answer` is what the script wrote to its answer pipe, `None` where it ended without; `errors` the end of its
    standard error; `timed_out` that it was killed for taking too long; `signal` the name of the signal that
    ended it, if one did.
    """

    answer: str | None
    errors: str
    timed_out: bool
    signal: str | None


def run_isolated(
    script: str, job: Mapping[str, Any], *, timeout: float, memory_mb: int = 1024, file_mb: int = 16
) -> Finished:
    """Run `script` in a fresh `python -I`, with `job` as its `_job`, for at most `timeout` seconds.

    The script writes its answer with `os.write(_answer, ...)`, at most a few kilobytes. Standard input is empty
    and standard output is thrown away. When this returns, every process of the group is gone; one that moved
    itself to another session is not.
    """
    with tempfile.TemporaryDirectory(prefix="evalkit-", ignore_cleanup_errors=True) as folder:
        room = Path(folder, "room")
        room.mkdir()
        reader, writer = os.pipe()
        try:
            with Path(folder, "errors").open("w+b") as errors, Path(folder, "job").open("w+b") as given:
                given.write(_job(job, writer, timeout, memory_mb, file_mb))
                given.seek(0)
                process = subprocess.Popen(
                    [sys.executable, "-I", "-B", "-c", _PROLOGUE + script],
                    stdin=given,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    cwd=room,
                    env={"HOME": str(room), "TMPDIR": str(room)},
                    pass_fds=[writer],
                    start_new_session=True,
                )
                os.close(writer)
                writer = -1
                try:
                    answer, timed_out = _wait(process, reader, timeout)
                finally:
                    _kill(process)
                return Finished(
                    answer=answer,
                    errors=_tail(errors.fileno()),
                    timed_out=timed_out,
                    signal=_signal_of(process, killed_by_us=timed_out or answer is not None),
                )
        finally:
            os.close(reader)
            if writer >= 0:
                os.close(writer)


def _job(job: Mapping[str, Any], writer: int, timeout: float, memory_mb: int, file_mb: int) -> bytes:
    limits = {
        "RLIMIT_CPU": math.ceil(timeout) + 1,
        "RLIMIT_AS": memory_mb * _MEGABYTE,
        "RLIMIT_FSIZE": file_mb * _MEGABYTE,
        "RLIMIT_CORE": 0,
    }
    return json.dumps({**job, "answer_fd": writer, "limits": limits}).encode("ascii")


def _wait(process: subprocess.Popen[bytes], reader: int, timeout: float) -> tuple[str | None, bool]:
    """The answer, and whether time ran out; the pipe wakes us at once when the last process that holds it ends."""
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        if not selector.select(timeout):
            return None, process.poll() is None
    answer = os.read(reader, 65536).decode("utf-8", "replace")
    if answer:
        return answer, False
    try:  # the pipe was closed without an answer: the process is gone or about to go
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None, True
    return None, False


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # the whole group has ended by itself
    except PermissionError:
        process.kill()  # macOS says this of a group of zombies
    process.wait()


def _signal_of(process: subprocess.Popen[bytes], *, killed_by_us: bool) -> str | None:
    if killed_by_us or process.returncode is None or process.returncode >= 0:
        return None
    return signal.Signals(-process.returncode).name


def _tail(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _LONGEST_TAIL, max(0, size - _LONGEST_TAIL))
    return tail.decode("utf-8", "replace")


def new_token() -> str:
    """A word that a script can only know by being given it."""
    return secrets.token_hex(16)
