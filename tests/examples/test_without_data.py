"""Where the recorded outputs are missing, their suites are skipped aloud, and that is no success."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_without_the_data_the_suites_are_skipped_and_say_so(tmp_path):
    environment = {**os.environ, "EVALKIT_DATA": str(tmp_path / "nowhere"), "EVALKIT_STORE": str(tmp_path / "s.db")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "examples/real"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 5
    assert "5 skipped" in done.stdout
    assert f"There are no recorded outputs in {tmp_path / 'nowhere'}: name their folder" in done.stdout
    assert not (tmp_path / "s.db").exists()
