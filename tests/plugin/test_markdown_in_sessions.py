"""A session's Markdown summary, its lines for GitHub's log, and what JUnit tells apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

SUITE = """
@evalkit.suite(dataset=rows(10), scorers=[same], gates=["same >= 0.95", "same >= 0.5 @ 95%"])
def test_numbers(case):
    return -1 if case.input < {misses} else case.input
"""


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


def test_a_path_gets_the_summary_of_the_run_anew(run_evals: Callable[..., Any], pytester: pytest.Pytester) -> None:
    ran = run_evals(SUITE.format(misses=4), "--evalkit-markdown=out/summary.md")
    ran.result.stdout.fnmatch_lines(["summary out/summary.md"])
    page = Path(pytester.path, "out/summary.md").read_text("utf-8")
    assert page.startswith("<!-- evalkit:test_numbers -->\n## ❌ FAIL: `test_numbers`\n")
    assert ran.run.id in page
    run_evals(SUITE.format(misses=0), "--evalkit-markdown=out/summary.md")
    again = Path(pytester.path, "out/summary.md").read_text("utf-8")
    assert again.count("<!-- evalkit:") == 1
    assert "## 🔶 INCONCLUSIVE" in again or "## ✅ PASS" in again


def test_against_a_baseline_the_summary_names_what_newly_fails(
    run_evals: Callable[..., Any], pytester: pytest.Pytester
) -> None:
    run_evals(SUITE.format(misses=0))
    run_evals(SUITE.format(misses=2), "--evalkit-baseline=last", "--evalkit-markdown=summary.md")
    page = Path(pytester.path, "summary.md").read_text("utf-8")
    assert "**Newly failing: 2 cases**\n\n- `c0`: missed, `same` 0.000\n- `c1`" in page
    assert "| vs baseline |" in page


def test_github_means_the_summary_of_the_step_which_is_added_to(
    run_evals: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "step.md"
    file.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    run_evals(SUITE.format(misses=4), "--evalkit-markdown=github")
    run_evals(SUITE.format(misses=4), f"--evalkit-markdown={file}")
    text = file.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.count("<!-- evalkit:test_numbers -->") == 2


def test_github_is_nothing_elsewhere(run_evals: Callable[..., Any], pytester: pytest.Pytester) -> None:
    ran = run_evals(SUITE.format(misses=4), "--evalkit-markdown=github")
    assert "\nsummary " not in ran.text
    assert not Path(pytester.path, "github").exists()


def test_a_step_summary_without_room_is_left_alone(
    run_evals: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "step.md"
    file.write_bytes(b"x" * 1_040_000)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    run_evals(SUITE.format(misses=4), "--evalkit-markdown=github")
    assert file.stat().st_size == 1_040_000


def test_a_summary_that_cannot_be_written_is_said(run_evals: Callable[..., Any], pytester: pytest.Pytester) -> None:
    Path(pytester.path, "file").write_text("no folder")
    ran = run_evals(SUITE.format(misses=4), "--evalkit-markdown=file/summary.md")
    assert "The Markdown summary could not be written" in ran.text
    assert ran.run is not None


def commands(text: str) -> list[str]:
    return re.findall(r"^::.*$", text, re.MULTILINE)


def test_the_log_of_actions_gets_lines_that_point_at_the_suite_worst_first(
    run_evals: Callable[..., Any], pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path.parent))
    ran = run_evals(SUITE.format(misses=4))
    first, second = commands(ran.text)
    place = f"file={pytester.path.name}/test_inner.py,line="
    assert first.startswith(f"::error {place}")
    assert ",title=FAIL%3A same >= 0.95::test_numbers: " in first
    assert ",title=INCONCLUSIVE%3A same >= 0.5 @ 95%25::test_numbers: " in second
    line = int(re.search(r"line=(\d+)", first)[1])
    source = Path(pytester.path, "test_inner.py").read_text().splitlines()
    assert "suite" in source[line - 1] or "test_numbers" in source[line - 1]


def test_an_accepted_inconclusive_gate_is_a_warning(
    run_evals: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    ran = run_evals(SUITE.format(misses=4), "--evalkit-inconclusive=warn")
    assert [line.split(" ")[0] for line in commands(ran.text)] == ["::error", "::warning"]


@pytest.mark.parametrize("off", ["--evalkit-annotations=off", None])
def test_no_lines_where_they_are_switched_off_or_nobody_reads_them(
    run_evals: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, off: str | None
) -> None:
    if off:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert commands(run_evals(SUITE.format(misses=4), *filter(None, [off])).text) == []


def test_at_most_ten_lines_and_no_hostile_text_makes_one_of_its_own(
    run_evals: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    gates = [f"same >= 0.{n}" for n in range(70, 84)]
    source = (
        f"@evalkit.suite(dataset=rows(10), scorers=[same], gates={gates})\n"
        "def test_numbers(case):\n"
        "    if case.input == 0:\n"
        r"        raise RuntimeError('x\n::set-output name=a::b\r\n::error::c')"
        "\n    return -1\n"
    )
    found = commands(run_evals(source).text)
    assert len(found) == 10
    assert {line.split(" ")[0] for line in found} == {"::error"}


def test_junit_tells_a_miss_an_error_a_failed_gate_and_an_open_one_apart(
    run_evals: Callable[..., Any], pytester: pytest.Pytester
) -> None:
    source = SUITE.format(misses=4) + (
        "\n@evalkit.suite(dataset=rows(3), scorers=[same])\n"
        "def test_ungated(case):\n"
        "    if case.input == 0:\n"
        "        raise RuntimeError('away')\n"
        "    return -1 if case.input == 1 else case.input\n"
    )
    run_evals(source, "--junitxml=out.xml")
    cases = ElementTree.parse(Path(pytester.path, "out.xml")).iter("testcase")
    kinds = {case.get("name"): failure.get("type") for case in cases for failure in case.iter("failure")}
    assert kinds == {
        "gate[same >= 0.95]": "gate",
        "gate[same >= 0.5 @ 95%]": "inconclusive",
        "test_ungated[c0]": "error",
        "test_ungated[c1]": "missed",
    }
