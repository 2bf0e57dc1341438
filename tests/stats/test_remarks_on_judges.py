"""What is said aloud of judges: those that never vary, cannot be read, like a place, a length or their own family."""

from __future__ import annotations

import datetime as dt

import pytest

from evalkit.case import Case
from evalkit.runs import SAME_OUTPUT, DatasetInfo, JudgeRecord, ScorerInfo, SuiteInfo, SuiteRun
from evalkit.score import Score
from evalkit.stats.remarks import correlation, family, remarks, standings
from evalkit.trial import Output, Trial
from evalkit.usage import Usage
from evalkit.versions import Version

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
JUDGE = ScorerInfo(
    name="good", version="1", config={"rubric_version": "r", "model": "judge (12345678)", "model_id": "gpt-4o"}
)


def suite(scores: list[Score], *, scorer: ScorerInfo = JUDGE, tokens=None, metadata=None, versions=()) -> SuiteRun:
    info = SuiteInfo(
        name="s",
        nodeid="s",
        location="s:1",
        dataset=DatasetInfo(name="d", digest="0" * 64, size=len(scores)),
        scorers=(scorer,),
        metadata=metadata or {},
        versions=versions,
    )
    trials = tuple(
        Trial(
            case_id=f"c{at}",
            output=Output(usage=None if tokens is None else Usage(output_tokens=tokens[at])),
            scores=(score,),
            outcome="passed",
            started_at=NOW,
            duration=0.0,
        )
        for at, score in enumerate(scores)
    )
    return SuiteRun(info=info, cases=tuple(Case(id=trial.case_id) for trial in trials), trials=trials)


def scores(values: list[float | None], **metadata) -> list[Score]:
    return [Score(name="good", value=value, kind="score", metadata=metadata) for value in values]


def test_an_ordinary_judge_needs_no_remark() -> None:
    assert remarks(suite(scores([1.0, 0.0] * 20))) == []


def test_a_scorer_that_is_no_judge_is_left_alone() -> None:
    plain = ScorerInfo(name="good", version="1")
    assert remarks(suite(scores([1.0] * 40), scorer=plain)) == []


def test_a_judge_that_never_varies() -> None:
    (said,) = remarks(suite([Score(name="good", value=True, label="pass") for _ in range(12)]))
    assert "said pass of all 12 outputs" in said
    assert remarks(suite(scores([1.0] * 9))) == []


def test_answers_that_could_not_be_read() -> None:
    unread = [Score(name="good", status="unscored", metadata={"unreadable": True}) for _ in range(3)]
    (said,) = remarks(suite([*scores([1.0, 0.0] * 10), *unread]))
    assert "3 of 23 answers of the judge could not be read" in said


def test_one_output_for_all_cases_and_what_it_wins() -> None:
    found = remarks(suite(scores([1.0, 1.0, 1.0, 0.0] * 5), metadata={SAME_OUTPUT: True}))
    assert found[0].startswith("All 20 outputs are one and the same. good 0.75")
    assert "fooled" in found[0]


def test_a_liking_for_a_place() -> None:
    pairs = [["first", "second"]] * 20 + [["first", "first"]] * 20
    given = [Score(name="good", value=0.5, metadata={"verdicts": pair}) for pair in pairs]
    said = next(one for one in remarks(suite(given)) if "orders" in one)
    assert "agree in 20 of 40 pairs (50%)" in said
    assert "first 20, second 0" in said


def test_a_panel_that_does_not_agree() -> None:
    panel = ScorerInfo(name="good", version="1", config={"judges": []})
    votes = [["a", "b", "a"], ["b", "a", "a"], ["a", "b", "b"], ["b", "b", "a"]] * 5
    given = [Score(name="good", label=vote[0], metadata={"votes": vote}) for vote in votes]
    assert any("α = -" in one or "α = 0" in one for one in remarks(suite(given, scorer=panel)))


def test_longer_outputs_that_score_higher() -> None:
    values = [at / 40 for at in range(40)]
    (said,) = remarks(suite(scores(values), tokens=[10 + at for at in range(40)]))
    assert "longer outputs score higher (r = +1.00 over 40)" in said
    assert remarks(suite(scores(values), tokens=[5] * 40)) == []
    pairs = [Score(name="good", value=value, metadata={"lengths": [100, 100 + at]}) for at, value in enumerate(values)]
    assert "shorter outputs" in remarks(suite(pairs))[0]


def test_a_judge_of_the_same_family() -> None:
    model = Version(kind="model", name="solver", digest="1" * 64, body={"model": "gpt-4.1-mini"})
    (said,) = remarks(suite(scores([1.0, 0.0] * 8), versions=(model,)))
    assert "both of the gpt family" in said
    other = Version(kind="model", name="solver", digest="1" * 64, body={"model": "claude-sonnet-4-5"})
    assert remarks(suite(scores([1.0, 0.0] * 8), versions=(other,))) == []


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o-mini", "gpt"),
        ("claude-3-5-sonnet", "claude"),
        ("meta-llama/Llama-3.1-8B", "llama"),
        ("o3-mini", "o3"),
        ("scripted-judge", None),
        ("", None),
        ("mistral-large", "mistral"),
        ("llama2new", None),
    ],
)
def test_families(model, name) -> None:
    assert family(model) == name


def test_correlation() -> None:
    assert correlation([(0.0, 0.0), (1.0, 2.0), (2.0, 4.0)]) == pytest.approx(1)
    assert correlation([(1.0, 2.0), (1.0, 3.0)]) is None
    assert correlation([(1.0, 1.0)]) is None


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        (None, "Nobody has calibrated the judge of tone"),
        (JudgeRecord(), "Nobody has calibrated the judge of tone"),
        (JudgeRecord(calibration="c1"), "The judge of tone was calibrated, and is not fit to decide"),
        (JudgeRecord(standing="stale", calibration="c1"), "has changed since it was calibrated"),
        (JudgeRecord(standing="calibrated", calibration="c1"), "The judge of tone is calibrated."),
    ],
)
def test_where_a_judge_stands_is_said_as_it_is(make_suite, judge, said) -> None:
    scorer = ScorerInfo(name="tone", version="1", config={"rubric_version": "1"}, judge=judge)
    (told,) = standings(make_suite([1, 0], score="tone", scorers=(scorer,)))
    assert told.startswith(said) or said in told
