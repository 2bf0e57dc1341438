"""Corrected metrics and a judge's agreement as gates, and what becomes of evidence from a judge nobody calibrated."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.annotation import Annotation
from evalkit.case import Case
from evalkit.errors import GateError
from evalkit.gates import check, judge, parse, recompute
from evalkit.runs import DatasetInfo, JudgeRecord, ScorerInfo, SuiteInfo, SuiteRun
from evalkit.score import ErrorInfo, Score
from evalkit.trial import Output, Trial

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
LEVELS = {"good": 1.0, "bad": 0.0}


def suite(
    judged: list[float | None],
    people: dict[int, str] | None = None,
    *,
    standing: str = "calibrated",
    rates: tuple[int, int, int, int] | None = None,
    chosen: str = "random",
    levels: dict[str, float] | None = None,
    failed: int = 0,
) -> SuiteRun:
    """A suite whose judge gave these values (`None` for none), and what people said of some of its cases."""
    worth = LEVELS if levels is None else levels
    label_of = {value: label for label, value in worth.items()}
    trials = []
    for at, value in enumerate(judged):
        status: Any = "scored" if value is not None else "unscored"
        score = Score(name="help", value=value, kind="score", label=label_of.get(value), status=status)
        trials.append(trial(f"c{at}", scores=(score,)))
    for at in range(failed):
        trials.append(trial(f"f{at}", error=ErrorInfo(type="RuntimeError", message="down")))
    scorer = ScorerInfo(
        name="help",
        version="v1",
        config={"rubric_version": "r", "levels": worth},
        judge=JudgeRecord(standing=standing, rates=rates),  # type: ignore[arg-type]  # words from a table
    )
    n = len(trials)
    info = SuiteInfo(
        name="s",
        nodeid="s",
        location="s:1",
        dataset=DatasetInfo(name="d", digest="0" * 64, size=n),
        scorers=(scorer,),
        declared=n,
        planned=n,
    )
    labels = tuple(
        Annotation(
            id=f"a{at}", run_id="r", suite="s", case_id=f"c{at}", trial=1, name="help", label=label,
            annotator="ada", at=NOW, chosen=chosen,  # type: ignore[arg-type]  # words from a table
        )
        for at, label in (people or {}).items()
    )  # fmt: skip
    return SuiteRun(info=info, cases=tuple(Case(id=one.case_id) for one in trials), trials=tuple(trials), labels=labels)


def trial(case: str, *, scores: tuple[Score, ...] = (), error: ErrorInfo | None = None) -> Trial:
    return Trial(
        case_id=case,
        output=Output(value=None, error=error),
        scores=scores,
        outcome="errored" if error else "passed",
        started_at=NOW,
        duration=0.0,
    )


def verdict(text: str, run: SuiteRun):
    (found,) = judge([parse(text)], run)
    assert recompute(found) == found
    return found


def people(n: int, judged: list[float | None], *, wrong_every: int = 10) -> dict[int, str]:
    said = {}
    for at in range(n):
        value = judged[at]
        right = (value or 0.0) if at % wrong_every else 1 - (value or 0.0)
        said[at] = "good" if right == 1 else "bad"
    return said


JUDGED: list[float | None] = [1.0 if at % 5 else 0.0 for at in range(400)]  # the judge says .8


def test_labels_of_this_run_correct_the_judge() -> None:
    found = verdict("help.corrected >= 0.6 @ 95%", suite(JUDGED, people(100, JUDGED)))
    assert found.decision == "pass"
    assert found.method == "PPI++"
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.observed < found.high
    assert "by 100 labels and the judge" in found.reason


def test_a_judge_that_passes_everything_is_corrected_down() -> None:
    everything: list[float | None] = [1.0] * 400
    said = {at: "good" if at % 2 else "bad" for at in range(100)}
    found = verdict("help.corrected >= 0.8 @ 95%", suite(everything, said))
    assert found.decision == "fail"
    assert found.observed == pytest.approx(0.5)
    assert verdict("help >= 0.8", suite(everything, said)).decision == "pass"  # what the judge alone would have said


def test_too_few_labels_decide_nothing_and_say_how_many_would() -> None:
    found = verdict("help.corrected >= 0.6 @ 95%", suite(JUDGED, people(12, JUDGED)))
    assert found.decision == "inconclusive"
    assert "12 drawn labels" in found.reason
    assert "evalkit label RUN --name help --sample 30" in found.hint


def test_labels_of_cases_that_somebody_picked_do_not_count() -> None:
    found = verdict("help.corrected >= 0.6 @ 95%", suite(JUDGED, people(100, JUDGED), chosen="given"))
    assert found.decision == "inconclusive"
    assert "100 labels of picked cases do not count" in found.reason


def test_an_interval_across_the_bound_is_inconclusive_and_says_how_many_labels_more() -> None:
    found = verdict("help.corrected >= 0.87 @ 95%", suite(JUDGED, people(60, JUDGED)))
    assert found.decision == "inconclusive"
    assert "About" in found.hint


def test_an_earlier_calibration_is_used_where_this_run_has_no_labels() -> None:
    # p = .75 of 200, 45 of 50 passes found, 34 of 40 fails found: θ = .8, interval .677 to .923 (statistics.md)
    judged: list[float | None] = [1.0] * 150 + [0.0] * 50
    found = verdict("help.corrected >= 0.6 @ 95%", suite(judged, rates=(45, 50, 34, 40)))
    assert (found.decision, found.method) == ("pass", "Rogan–Gladen")
    assert found.observed == pytest.approx(0.8)
    assert (found.low, found.high) == pytest.approx((0.6724326504, 0.9275673496))  # a little wider: one of each added
    assert "as if the judge erred here as it did there" in found.reason


def test_a_judge_that_tells_right_from_wrong_badly_cannot_be_corrected_by_calibration() -> None:
    found = verdict("help.corrected >= 0.5 @ 95%", suite(JUDGED, rates=(9, 12, 8, 12)))
    assert found.decision == "inconclusive"
    assert "too badly" in found.reason


def test_cases_without_a_score_may_be_anything_and_failed_ones_are_zero() -> None:
    holes: list[float | None] = [*JUDGED, *[None] * 100]
    clean, unsure = (verdict("help.corrected >= 0.5 @ 95%", suite(one, people(100, JUDGED))) for one in (JUDGED, holes))
    assert unsure.high - unsure.low > clean.high - clean.low
    broken = verdict("help.corrected >= 0.5 @ 95%", suite(JUDGED, people(100, JUDGED), failed=100))
    assert broken.observed == pytest.approx(clean.observed * 0.8)


def test_a_label_that_the_judge_does_not_know_decides_nothing() -> None:
    found = verdict("help.corrected >= 0.5", suite(JUDGED, dict.fromkeys(range(40), "superb")))
    assert found.decision == "inconclusive"
    assert 'People said "superb", and help knows' in found.reason


@given(st.integers(0, 2**16), st.sampled_from(["0.5", "0.7", "0.9"]))
@settings(max_examples=30, deadline=None)
def test_the_order_of_cases_changes_nothing(seed, bound) -> None:
    run = suite(JUDGED, people(60, JUDGED))
    shuffled = list(run.trials)
    random.Random(seed).shuffle(shuffled)
    other = SuiteRun(info=run.info, cases=run.cases, trials=tuple(shuffled), labels=run.labels[::-1])
    text = f"help.corrected >= {bound} @ 95%"
    assert verdict(text, run) == verdict(text, other)


@given(st.integers(0, 200))
@settings(max_examples=30, deadline=None)
def test_a_missing_score_never_turns_inconclusive_into_a_pass(at) -> None:
    run = suite(JUDGED, people(60, JUDGED))
    holed: list[float | None] = list(JUDGED)
    holed[at + 60] = None
    for bound in ("0.8", "0.84", "0.87"):
        before = verdict(f"help.corrected >= {bound} @ 95%", run)
        after = verdict(f"help.corrected >= {bound} @ 95%", suite(holed, people(60, JUDGED)))
        assert not (before.decision == "inconclusive" and after.decision == "pass")


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("judge(help).kappa >= 0.4 @ 95%", "pass"),
        ("judge(help).kappa >= 0.95 @ 95%", "fail"),
        ("judge(help).tpr >= 0.7 @ 95%", "pass"),
        ("judge(help).tpr >= 0.99", "fail"),
        ("judge(help).mcc >= 0.4", "pass"),
        ("judge(help).mcc >= 0.4 @ 95%", "inconclusive"),
        ("judge(help).consistency >= 0.8", "inconclusive"),
    ],
)
def test_a_judges_agreement_is_a_gate(text, decision) -> None:
    found = verdict(text, suite(JUDGED, people(200, JUDGED, wrong_every=15), chosen="given"))
    assert found.decision == decision


def test_a_judge_that_never_disagrees_has_an_interval_all_the_same() -> None:
    run = suite(JUDGED, {at: "good" if JUDGED[at] else "bad" for at in range(200)})
    found = verdict("judge(help).kappa >= 0.4 @ 95%", run)
    assert (found.decision, found.observed) == ("pass", 1)
    assert 0.9 < found.low < 1
    few = suite(JUDGED, {at: "good" if JUDGED[at] else "bad" for at in range(8)})
    assert verdict("judge(help).kappa >= 0.8 @ 95%", few).decision == "inconclusive"


def test_agreement_without_labels_decides_nothing() -> None:
    found = verdict("judge(help).kappa >= 0.4", suite(JUDGED))
    assert found.decision == "inconclusive"
    assert "Nobody has labelled" in found.reason
    assert "evalkit label RUN --name help" in found.hint


@pytest.mark.parametrize("standing", ["uncalibrated", "stale"])
def test_evidence_from_a_judge_that_nobody_calibrated_is_none(standing) -> None:
    run = suite(JUDGED, standing=standing)
    found = verdict("help >= 0.7 @ 95%", run)
    assert found.decision == "inconclusive"
    assert "no evidence" in found.reason
    assert "evalkit judges calibrate help" in found.hint
    assert verdict("help >= 0.95 @ 95%", run).decision == "inconclusive"
    assert verdict("help >= 0.7", run).decision == "pass"  # without evidence it may stand
    assert verdict("help >= 0.7 @ 95%", suite(JUDGED, standing="calibrated")).decision == "pass"


def test_what_makes_no_sense_is_refused_before_a_run() -> None:
    run = suite(JUDGED)
    for text in ("help.corrected[lang=de] >= 0.5", "judge(helpp).kappa >= 0.4"):
        with pytest.raises(GateError):
            check([parse(text)], run.info, run.cases, known={"help"}, possible=set())
    check([parse("help.corrected >= 0.5 @ 95%")], run.info, run.cases, known={"help"}, possible=set())


def test_failures_are_a_matter_of_chance_and_widen_the_interval() -> None:
    perfect: list[float | None] = [1.0] * 80
    found = verdict("help.corrected >= 0.79 @ 95%", suite(perfect, dict.fromkeys(range(80), "good"), failed=20))
    assert found.observed == pytest.approx(0.8)
    assert found.low is not None
    assert found.low < 0.75  # 80 of 100, and not 0.8 for certain
    assert found.decision == "inconclusive"


def test_labels_that_never_meet_a_mistake_do_not_make_the_judge_perfect() -> None:
    found = verdict("help.corrected >= 0.97 @ 95%", suite([1.0] * 200, dict.fromkeys(range(30), "good")))
    assert found.observed == pytest.approx(1)
    assert found.decision == "inconclusive"
    assert found.low is not None
    assert found.low < 0.9  # what 30 of 30 show


def test_what_people_said_of_an_output_without_a_verdict_counts() -> None:
    judged: list[float | None] = [*JUDGED[:100], *[None] * 100]
    said = people(100, judged) | dict.fromkeys(range(100, 200), "bad")
    found = verdict("help.corrected >= 0.5", suite(judged, said))
    of_judged = verdict("help.corrected >= 0.5", suite(judged[:100], people(100, judged[:100])))
    assert found.observed == pytest.approx((of_judged.observed or 0) / 2)


def test_some_failed_trials_of_a_case_count_and_its_trials_are_one_case() -> None:
    run = suite(JUDGED[:60], people(60, JUDGED))
    again = tuple(
        dataclasses.replace(one, number=2, scores=(), output=Output(value=None, error=ErrorInfo(type="E", message="m")))
        for one in run.trials
    )
    once, twice = (
        verdict("help.corrected >= 0.3", run),
        verdict("help.corrected >= 0.3", dataclasses.replace(run, trials=(*run.trials, *again))),
    )
    assert (twice.observed or 0) == pytest.approx((once.observed or 0) / 2)
    doubled = dataclasses.replace(
        run,
        trials=(*run.trials, *(dataclasses.replace(one, number=2) for one in run.trials)),
        labels=(*run.labels, *(dataclasses.replace(one, id=f"{one.id}b", trial=2) for one in run.labels)),
    )
    text = "judge(help).kappa >= 0.1 @ 95%"
    assert verdict(text, doubled).low == verdict(text, run).low
