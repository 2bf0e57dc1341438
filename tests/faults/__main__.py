"""`python -m tests.faults [--long] [ARGUMENTS OF PYTEST]`: the fault suite alone; `--long` does all of it ten times."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

arguments = sys.argv[1:]
environment = {"EVALKIT_TEST_PG_URL": "local", **os.environ}
if "--long" in arguments:
    arguments.remove("--long")
    environment["EVALKIT_TEST_FAULTS"] = "long"
sys.exit(
    subprocess.run(
        [sys.executable, "-m", "pytest", str(Path(__file__).parent), *arguments], env=environment, check=False
    ).returncode
)
