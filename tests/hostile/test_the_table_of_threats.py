"""`docs/design/hostile-input.md` names tests that are there; and what the house has none of is looked for in its source."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from evalkit.cli.app import run
from evalkit.store import open_store

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [file for root in ("evalkit", "scorers", "reports", "pytest_plugin") for file in (ROOT / root).rglob("*.py")]
ESCAPES = "\x1b[31m\x1b]0;owned\x07\x9b31m\u202e::error::x"


def test_every_row_names_tests_that_are_there() -> None:
    page = (ROOT / "docs/design/hostile-input.md").read_text("utf-8")
    rows = re.findall(r"^\| (?!threat|---)(.+?) \|.*\| (.+) \|$", page, re.M)
    assert len(rows) >= 20
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^\s*(?:async )?def (test_\w+)", file.read_text("utf-8"), re.M)
    }
    for threat, tests in rows:
        named = re.findall(r"`(test_\w+)`", tests)
        assert named, threat
        assert set(named) <= there, threat


def imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_no_archive_and_no_pickle_is_ever_opened() -> None:
    refused = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "tarfile", "zipfile"}
    assert len(SOURCES) > 300
    assert {str(file): imported(file) & refused for file in SOURCES if imported(file) & refused} == {}
    assert not [file for file in SOURCES if "read_pickle" in file.read_text("utf-8")]


def test_nothing_writes_a_csv() -> None:
    assert not [file for file in SOURCES if re.search(r"csv\.(writer|DictWriter)|\.to_csv\(", file.read_text("utf-8"))]


@pytest.mark.parametrize("words", [["runs"], ["show", "last"], ["gate", "last"], ["traces", "last"], ["doctor"]])
def test_what_a_command_prints_has_no_escape_of_the_terminal(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import evalkit as ek

    monkeypatch.chdir(tmp_path)

    @ek.scorer(name=f"score{ESCAPES}")
    def scorer(output: object, case: ek.Case) -> ek.Score:
        if case.id.startswith("b"):
            raise RuntimeError(ESCAPES)
        return ek.Score(value=0.0, label=ESCAPES, explanation=ESCAPES)

    @ek.suite(
        name=f"suite{ESCAPES}",
        dataset=[ek.Case(id=n, input=ESCAPES, expected=ESCAPES, metadata={ESCAPES: ESCAPES}) for n in "abc"],
        scorers=[scorer],
    )
    def body(case: ek.Case) -> str:
        if case.id.startswith("c"):
            raise ValueError(ESCAPES)
        with ek.span(f"step{ESCAPES}"):
            return ESCAPES

    made = ek.run(body, progress=False)
    with open_store(made.store or "") as store:
        assert store.load(made.id).suites[0].trials, "there is something to print"
    capsys.readouterr()
    run([*words, "--no-color"])
    said = "".join(capsys.readouterr())
    assert said
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", said)
