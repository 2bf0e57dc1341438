"""The wheel holds the four packages and nothing that could clash with a user's own modules."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"evalkit", "evalkit_scorers", "evalkit_reports", "pytest_evalkit"}
SOURCES = {
    "evalkit": ROOT / "evalkit",
    "evalkit_scorers": ROOT / "scorers/evalkit_scorers",
    "evalkit_reports": ROOT / "reports/evalkit_reports",
    "pytest_evalkit": ROOT / "pytest_plugin/pytest_evalkit",
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_top_level_is_the_four_packages_only(wheel):
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES


def test_every_file_of_the_packages_is_in_it(wheel):
    names = set(wheel.namelist())
    for package, folder in SOURCES.items():
        for path in folder.rglob("*"):
            if path.is_file() and not any(part == "__pycache__" or part.startswith(".") for part in path.parts):
                assert f"{package}/{path.relative_to(folder).as_posix()}" in names


def test_packages_are_typed_and_the_plugin_is_announced(wheel):
    names = set(wheel.namelist())
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    (entry_points,) = (name for name in names if name.endswith("entry_points.txt"))
    text = wheel.read(entry_points).decode()
    assert "[pytest11]\nevalkit = pytest_evalkit.plugin" in text
    assert "[console_scripts]\nevalkit = evalkit.cli:main" in text


def test_licence_travels_with_it(wheel):
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
