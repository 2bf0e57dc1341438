"""The table of dependencies in the design note says what is declared and installed, no more and no less."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DECLARED = [re.match(r"[\w.-]+", line)[0] for line in PROJECT["dependencies"]]


def table() -> dict[str, list[str]]:
    """The cells of each row of the table, by package."""
    text = (ROOT / "docs/design/house.md").read_text(encoding="utf-8")
    section = text.partition("| package | version |")[2]
    rows = [line.strip("| ").split("|") for line in section.splitlines()[2:] if line.startswith("|")]
    return {cells[0].strip(): [cell.strip() for cell in cells] for cells in rows}


def licence_of(package: str) -> str:
    """What the installed distribution states, wherever it states it."""
    metadata = importlib.metadata.metadata(package)
    classifiers = [line for line in metadata.get_all("Classifier", []) if line.startswith("License")]
    return " ".join([metadata.get("License-Expression") or "", metadata.get("License") or "", *classifiers])


def test_each_dependency_is_explained():
    assert sorted(table()) == sorted(DECLARED)


@pytest.mark.parametrize("package", DECLARED)
def test_licence_is_the_one_it_states(package):
    shown = table()[package][2]
    assert shown.removesuffix("-3-Clause") in licence_of(package)


def test_every_licence_may_be_used_with_ours():
    assert {cells[2] for cells in table().values()} <= {"MIT", "BSD", "BSD-3-Clause", "Apache"}


def test_what_is_left_out_on_purpose_is_not_brought_in():
    unwanted = {"numpy", "anyio", "requests", "scipy", "pandas", "mlflow"}
    assert not unwanted & {name.lower() for name in DECLARED}
