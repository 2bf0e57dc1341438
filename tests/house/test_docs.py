"""The documentation runs, its links lead somewhere, and it leaves no setting out."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.config import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
WITH_EXAMPLES = [page for page in PAGES if "<!-- run" in page.read_text(encoding="utf-8")]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=name_of)
def test_examples_run_and_print_what_is_shown(page):
    done = subprocess.run(
        [sys.executable, "scripts/docs.py", "--check", str(page)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr + "\nBring it up to date with: make docs"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_that_are_there(page):
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_can_be_reached_from_the_index():
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert pages <= set(re.findall(r"\]\(([\w-]+\.md)\)", index))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented(setting):
    page = (ROOT / "docs/suites.md").read_text(encoding="utf-8")
    table = page.partition("<!-- settings: ")[2]
    row = next(line for line in table.splitlines() if line.startswith(f"| `{setting.name}` |"))
    assert setting.flag in row
    assert setting.doc in row, "bring it up to date: make docs"


def test_contributing_names_every_folder_of_tests():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    folders = {path.parent.relative_to(ROOT).parts[1] for path in (ROOT / "tests").glob("*/test_*.py")}
    assert {folder for folder in folders if f"`tests/{folder}`" not in text} == set()


def test_the_readme_opens_with_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first_block = re.search(r"^```console\n(.*?)^```", text, re.M | re.S)
    assert first_block is not None
    assert first_block[1].split("\n")[:2] == ["$ make demo", "$ make test"]


def test_every_target_the_documentation_names_is_in_the_makefile():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {
        target for page in PAGES for target in re.findall(r"(?:`|\$ )make ([a-z]+)", page.read_text(encoding="utf-8"))
    }
    assert named <= targets


def test_a_page_that_is_not_current_is_found_out(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- run -->\n```console\n$ echo one\nanother\n```\n")
    check = [sys.executable, str(ROOT / "scripts/docs.py"), str(page)]
    assert subprocess.run([*check, "--check"], capture_output=True).returncode == 1
    assert subprocess.run(check, capture_output=True).returncode == 0
    assert page.read_text() == "<!-- run -->\n```console\n$ echo one\none\n```\n"
    assert subprocess.run([*check, "--check"], capture_output=True).returncode == 0


def test_an_example_that_fails_is_found_out(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- run -->\n```python\nassert 1 == 2\n```\n")
    done = subprocess.run([sys.executable, str(ROOT / "scripts/docs.py"), str(page)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "left with 1, not 0" in done.stdout
