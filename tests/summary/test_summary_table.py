"""The table of metrics and gates: what it shows, and that it fits."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import subprocess
import sys
from typing import Any

import pytest

from evalkit.case import Case
from evalkit.plaintext import cells
from evalkit.runs import DatasetInfo, Metric, Run, RunStatus, SuiteInfo, SuiteRun, Verdict
from evalkit.summary import render
from evalkit.trial import Output, Trial

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def metric(name: str, value: float | None, statistic: str = "mean", **more: Any) -> Metric:
    counts = {"cases": 40, "trials": 40, "scored": 40} | more
    return Metric(suite="test_intent", name=name, statistic=statistic, value=value, **counts)


def verdict(gate: str, decision: Any, observed: float | None, **more: Any) -> Verdict:
    counts = {"cases": 40, "trials": 40, "scored": 40} | more
    return Verdict(suite="test_intent", gate=gate, decision=decision, observed=observed, **counts)


INTERVAL = {"low": 0.796, "high": 0.984, "method": "Clopper-Pearson"}
METRICS = (
    metric("errors", 0.0, "rate"),
    metric("accuracy", 0.925, **INTERVAL),
    metric("politeness", 0.7, scored=37, unscored=2, errored=1),
    metric("latency", 0.123, unit="s"),
    metric("cost", None, "sum", unit="$", scored=0, unscored=40),
    metric("input_tokens", None, unit="tokens", scored=0, unscored=40),
)
VERDICTS = (
    verdict("accuracy >= 0.9", "pass", 0.925, fragile=True, reason="not shown"),
    verdict(
        "accuracy >= 0.9 @ 95%",
        "inconclusive",
        0.925,
        level=0.95,
        reason="The interval 0.796–0.984 lies on both sides of 0.9, and the cases are too few to decide between them.",
        hint="About 120 cases would decide it.",
        **INTERVAL,
    ),
    verdict("accuracy[lang=de] >= 0.85", "fail", 0.8, cases=10, trials=10, reason="8 of 10 is 0.8."),
    verdict("p95(latency) <= 3s", "pass", 0.323),
)


def a_run(
    metrics: tuple[Metric, ...] = METRICS,
    verdicts: tuple[Verdict, ...] = VERDICTS,
    status: RunStatus = "complete",
    **info: Any,
) -> Run:
    cases = tuple(Case(id=f"c{n}", input=n) for n in range(40))
    trials = tuple(
        Trial(
            case_id=case.id,
            output=Output(value=1),
            outcome="passed" if number < 37 else "missed",
            started_at=NOW,
            duration=0.1,
        )
        for number, case in enumerate(cases)
    )
    declared = {"declared": 40, "planned": 40} | info
    suite = SuiteInfo(
        name="test_intent",
        nodeid="evals/test_intent.py::test_intent",
        location="evals/test_intent.py:3",
        dataset=DatasetInfo(name="intents", digest="0" * 64, size=40),
        **declared,
    )
    return Run(
        id="1",
        status=status,
        started_at=NOW,
        suites=(SuiteRun(info=suite, cases=cases, trials=trials),),
        metrics=metrics,
        verdicts=verdicts,
    )


def words(line: str) -> str:
    return " ".join(line.split())


def rows(text: str) -> dict[str, str]:
    return {" ".join(line.split()[:1]): line for line in text.splitlines() if not line.startswith(" ")}


def test_a_wide_terminal_gets_everything() -> None:
    lines = render(a_run(), width=160, color=False).splitlines()
    assert lines[0] == "test_intent: 40 cases × 1, 37 passed, 3 missed"
    assert words(lines[1]) == "metric value 95% interval cases×trials missing gate verdict"
    assert words(lines[2]) == "accuracy 0.925 0.796–0.984 cp 40×1 0 >= 0.9 PASS fragile"
    assert words(lines[3]) == "accuracy 0.925 0.796–0.984 cp 40×1 0 >= 0.9 @ 95% INCONCLUSIVE"
    assert lines[4].startswith("  └ The interval")
    assert lines[5] == "  └ About 120 cases would decide it."
    assert words(lines[6]) == "accuracy[lang=de] 0.800 10×1 0 >= 0.85 FAIL"
    assert "politeness: 37 scored, 2 unscored, 1 errored" in "\n".join(lines)
    assert lines[-2:] == ["", "4 gates: 2 pass, 1 fail, 1 inconclusive"]


def test_scores_come_before_what_every_suite_has() -> None:
    text = render(a_run(), width=160, color=False)
    order = [line.split()[0] for line in text.splitlines()[2:] if line and not line.startswith(" ")]
    assert order == [
        "accuracy",
        "accuracy",
        "accuracy[lang=de]",
        "politeness",
        "errors",
        "latency",
        "p95(latency)",
        "4",
    ]


def test_what_nothing_was_measured_of_is_left_out() -> None:
    text = render(a_run(), width=160, color=False)
    assert "cost" not in text
    assert "input_tokens" not in text


def test_tokens_and_their_cost_are_shown_where_they_are_known() -> None:
    spent = (
        metric("cost", 0.0123, unit="$", statistic="sum"),
        metric("input_tokens", 32_480.0, unit="tokens", statistic="sum"),
        metric("input_tokens", 812.0, unit="tokens"),
        metric("output_tokens", None, unit="tokens", scored=0),
    )
    shown = rows(render(a_run(metrics=spent), width=160, color=False))
    assert words(shown["cost"]).startswith("cost $0.0123")
    assert words(shown["input_tokens"]).startswith("input_tokens 812 ")
    assert "output_tokens" not in shown


def test_a_gate_on_tokens_stands_beside_them() -> None:
    gates = (verdict("input_tokens <= 1000 tokens", "pass", 812.0),)
    line = rows(render(a_run(verdicts=gates), width=160, color=False))["input_tokens"]
    assert "812" in line
    assert "<= 1000 tokens" in line


@pytest.mark.parametrize("width", [60, 72, 80, 100, 120, 160, 200])
@pytest.mark.parametrize("color", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, color: bool) -> None:
    long = (
        *VERDICTS,
        verdict('"a score with a long name and spaces in it"[category=parallel_multiple] >= 0.85 @ 99.9%', "fail", 0.5),
        verdict("each case: accuracy >= 1", "fail", 0.0, reason="数" * 70),
    )
    text = ANSI.sub("", render(a_run(verdicts=long), width=width, color=color))
    assert max(cells(line) for line in text.splitlines()) <= width


def test_at_80_columns_value_gate_and_verdict_are_all_there() -> None:
    lines = render(a_run(), width=80, color=False).splitlines()
    (line,) = [line for line in lines if line.endswith("INCONCLUSIVE")]
    assert words(line) == "accuracy 0.925 0.796–0.984 40×1 >= 0.9 @ 95% INCONCLUSIVE"


def test_missing_values_are_told_even_where_the_column_is_left_out() -> None:
    assert "37 scored, 2 unscored, 1 errored" in render(a_run(), width=60, color=False)


def test_colour_is_only_there_when_asked_for() -> None:
    plain, painted = (render(a_run(), width=100, color=color) for color in (False, True))
    assert "\x1b" not in plain
    assert "\x1b[32mPASS\x1b[0m fragile" in painted
    assert "\x1b[31mFAIL\x1b[0m" in painted
    assert "\x1b[33mINCONCLUSIVE\x1b[0m" in painted
    assert ANSI.sub("", painted) == plain


def test_a_run_without_gates_has_no_column_for_them() -> None:
    text = render(a_run(verdicts=()), width=100, color=False)
    assert "verdict" not in text
    assert "gate" not in text


def test_a_partial_run_says_what_it_is_no_evidence_for() -> None:
    text = render(a_run(planned=10, selection="-k intent"), width=100, color=False)
    assert "Partial (-k intent): 10 of 40 trials selected; no baseline, no evidence." in text


def test_an_interrupted_run_says_how_far_it_came() -> None:
    run = a_run(metrics=(), verdicts=(), status="interrupted", declared=80, planned=80)
    text = render(run, width=100, color=False)
    assert "The run is interrupted: 40 of 80 trials were done." in text
    assert "No metrics" in text


def test_a_run_without_suites_is_said_to_have_none() -> None:
    assert (
        render(dataclasses.replace(a_run(verdicts=()), suites=()), width=80, color=False) == "The run has no suites.\n"
    )


def test_what_a_model_wrote_cannot_move_the_cursor() -> None:
    gates = (verdict("accuracy >= 0.9", "fail", 0.5, reason="said \x1b[2J\x1b]0;title\x07\r\nand\u202emore"),)
    text = render(a_run(verdicts=gates), width=100, color=False)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_a_stored_gate_that_this_version_cannot_read_is_shown_as_it_is() -> None:
    gates = (verdict("accuracy ~~ 0.9 in moonlight", "pass", 0.925),)
    assert "accuracy ~~ 0.9 in moonlight" in render(a_run(verdicts=gates), width=160, color=False)


def test_the_chance_of_a_false_alarm_is_told_where_there_are_several_gates_on_evidence() -> None:
    gates = tuple(verdict(f"accuracy >= {bound} @ 95%", "pass", 0.925, level=0.95) for bound in (0.7, 0.75))
    assert "by chance alone one fails in up to 5 % of runs" in render(a_run(verdicts=gates), width=160, color=False)


def test_repeats_are_shown_as_they_came() -> None:
    uneven = (metric("accuracy", 0.9, cases=40, trials=100, scored=100),)
    assert "40×2.5" in render(a_run(metrics=uneven, verdicts=()), width=100, color=False)


def test_nothing_heavy_is_imported_for_a_plain_table() -> None:
    code = (
        "import sys, evalkit.summary, evalkit.gates; "
        "print([m for m in ('rich', 'jinja2', 'sqlalchemy', 'scipy', 'pandas', 'click') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_repeats_have_a_column_with_the_error_of_another_run(make_suite):
    from evalkit.stats import summarise

    suite = make_suite([[1, 1], [1, 0], [0, 0], [1, 1]] * 10)
    run = Run(id="r", status="complete", started_at=NOW, suites=(suite,), metrics=summarise(suite))
    shown = render(run, width=160, color=False).splitlines()
    (header,) = (line for line in shown if line.startswith("metric"))
    (row,) = (line for line in shown if line.startswith("accuracy "))
    assert "rerun ±" in header
    # Ten of forty cases differ: MSW = 10 × 0.5 / 40, so the error is √(0.125 / 2 / 40).
    assert "0.040" in row.split()
    once = dataclasses.replace(run, suites=(make_suite([1] * 40),), metrics=summarise(make_suite([1] * 40)))
    assert "rerun" not in render(once, width=160, color=False)
