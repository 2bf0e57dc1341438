"""A PostgreSQL server for the measurement, with the settings it comes with: every commit is on the disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address of its database; stopped and removed at the end."""
    found = [shutil.which("pg_ctl"), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")))]
    programs = [Path(name).parent for name in found if name]
    if not programs:
        raise SystemExit("PostgreSQL is not installed here; measure SQLite alone with --only sqlite.")
    folder = Path(tempfile.mkdtemp(prefix="evalkit-pg-"))
    options: dict[str, Any] = {"check": True, "capture_output": True, "cwd": "/"}
    if os.getuid() == 0:  # initdb refuses to be run by root
        shutil.chown(folder, "postgres")
        options |= {"user": "postgres", "extra_groups": []}

    def run(program: str, *words: object) -> None:
        subprocess.run([programs[-1] / program, "-D", folder / "data", *map(str, words)], **options)

    run("initdb", "-A", "trust", "-E", "UTF8", "-U", "postgres")
    run("pg_ctl", "-l", folder / "log", "-o", f"-k {folder} -c listen_addresses=''", "-w", "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-m", "fast", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
