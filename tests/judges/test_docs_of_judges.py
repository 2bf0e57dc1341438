"""The page on judges shows what the rubrics and the recorded judges give."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest

from evalkit_scorers.judges.reference import written_into

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/judges.md"
DATA = Path(os.environ.get("EVALKIT_DATA") or ROOT.parent / "shared/data")


def test_the_rubrics_on_the_page_are_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written_into(page) == page, "run: python -m evalkit_scorers.judges.reference docs/judges.md"
    with pytest.raises(ValueError, match="two lines"):
        written_into("a page without marks")


@pytest.mark.data
def test_recorded_judges_on_the_page_are_what_comes_out_and_all_agree() -> None:
    if not (DATA / "EXPECTED.json").is_file():
        pytest.skip(f"EVALKIT_DATA: there are no recorded outputs in {DATA}")
    spec = importlib.util.spec_from_file_location("examples_real_judges", ROOT / "examples/real/judges.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    rows = module.table()
    assert len(rows) == 102
    assert [row for row in rows if not row.agrees] == []
    page = PAGE.read_text(encoding="utf-8")
    marks = r"<!-- table: written by examples/real/judges.py -->\n(.*)<!-- end of table -->"
    shown = re.search(marks, page, re.S)[1]
    assert shown.strip() == module.markdown(rows).strip(), "bring it up to date: python examples/real/judges.py --write"
