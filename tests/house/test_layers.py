"""The import layers hold, and nothing that data flows through reaches back."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_import_layers_are_kept():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_every_module_of_the_library_has_its_layer():
    (contract,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    placed = {name for layer in contract["layers"] for name in re.split(r"\s*\|\s*", layer)}
    modules = {path.stem for path in (ROOT / "evalkit").glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in (ROOT / "evalkit").glob("*/__init__.py")}
    assert {f"evalkit.{name}" for name in modules | packages} - placed == set()
