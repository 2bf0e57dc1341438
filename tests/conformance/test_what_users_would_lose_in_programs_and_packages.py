"""Where programs under test met each other, and where a fresh install did not even import."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from evalkit.case import Case
from evalkit_scorers import code_execution

ROOT = Path(__file__).resolve().parents[2]
USE = """
import sys
import evalkit, evalkit_scorers, evalkit_reports, pytest_evalkit.plugin
from pathlib import Path

home = Path(sys.argv[1]).resolve()
for package in (evalkit, evalkit_scorers, evalkit_reports, pytest_evalkit):
    assert home in Path(package.__file__).resolve().parents, package.__file__

@evalkit.suite(dataset=[{"id": "a", "input": 1, "expected": 1}], scorers=[evalkit_scorers.exact_match()], gates=["exact_match >= 0.5"])
def echo(case):
    return case.input

run = evalkit.run(echo, progress=False, store=None)
evalkit_reports.write_html(run, Path("report.html"))
assert run.decision == "pass"
"""


def test_a_program_does_not_pass_by_what_another_one_left_behind():
    """Row 20: three tasks passed wrongly since names leaked from one program to the next."""
    score = code_execution("{{ output }}", allow_execution=True, timeout=60)
    case = Case(id="c", input="x")
    assert score(case=case, output="def solve():\n    return 4\nassert solve() == 4").passed
    assert not score(case=case, output="assert solve() == 4").passed
    assert not score(case=case, output="import builtins\nassert hasattr(builtins, 'solve')").passed


@pytest.mark.slow
def test_a_fresh_install_imports_and_runs(tmp_path):
    """Row 22: a fresh install failed at its first import. CI also installs the wheel and runs a project with it."""
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    home = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(home)
    work = tmp_path / "work"
    work.mkdir()
    used = subprocess.run(
        [sys.executable, "-c", USE, str(home)],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(home)},
        capture_output=True,
        text=True,
    )
    assert used.returncode == 0, used.stderr
    assert (work / "report.html").stat().st_size > 10_000
    assert 'step "installed wheel" installed_wheel' in (ROOT / ".ci" / "run").read_text("utf-8")
