"""`docs/conformance.md` and the tests of this folder name each other, so that neither can rot."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "conformance.md"
ROW = re.compile(r"^\| (\d+) \| .+ \| .+ \| (.+) \|$", re.MULTILINE)


def rows() -> dict[int, list[str]]:
    """The tests that the page names, by row."""
    return {int(number): re.findall(r"`(test_\w+)`", tests) for number, tests in ROW.findall(PAGE.read_text("utf-8"))}


def named_tests() -> dict[str, set[int]]:
    """The tests of this folder, with the rows that their docstrings say."""
    found: dict[str, set[int]] = {}
    for file in HERE.glob("test_what_*.py"):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[node.name] = {int(number) for number in re.findall(r"Row (\d+)", ast.get_docstring(node) or "")}
    return found


def test_every_row_of_the_page_has_its_tests():
    there = named_tests()
    for number, named in rows().items():
        assert named, f"row {number} names no test"
        for name in named:
            assert number in there.get(name, set()), f"row {number} names {name}, which is not its test"


def test_every_test_of_a_row_stands_on_the_page():
    named = {name for several in rows().values() for name in several}
    assert {name for name, numbers in named_tests().items() if numbers} == named


def test_no_row_is_left_out():
    assert set(rows()) == set(range(1, 23))
