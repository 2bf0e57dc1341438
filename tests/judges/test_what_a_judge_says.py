"""A judge's answer becomes a score only where it is one: through the real client, against a scripted provider."""

from __future__ import annotations

import json

import pytest

import evalkit_scorers
from evalkit.case import Case
from evalkit.errors import ScorerError
from evalkit.testing import Answer, failing, garbage, rate_limited, reset, truncated
from evalkit_scorers import correctness, faithfulness, judge, tone
from evalkit_scorers.judges.rubric import built_in, rubric_names
from evalkit_scorers.judges.scale import is_binary


def verdict(label: str, reasons: str = "It says so.") -> str:
    return json.dumps({"reasons": reasons, "verdict": label})


BUILT_IN = rubric_names()


def made(name, model):
    extra = ("Be brief.",) if name == "tone" else ()
    return getattr(evalkit_scorers, name)(*extra, model=model)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_rubric_has_a_judge_and_each_level_its_score(name, scripted, score_of) -> None:
    rubric = built_in(name)
    model, server = scripted([verdict(level.label) for level in rubric.scale])
    scorer = made(name, model)
    for level in rubric.scale:
        score = score_of(scorer)
        assert (score.status, score.value, score.label) == ("scored", level.value, level.label)
        assert (score.kind, score.passed) == (
            ("assertion", level.value == 1) if is_binary(rubric.scale) else ("score", None)
        )
        assert score.explanation == "It says so."
        assert (score.name, score.scorer_version) == (name, scorer.version)
    shown = server.calls[0].messages[1]["content"]
    assert [part for part in rubric.shows if f"<{part} " not in shown] == []


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize(
    ("said", "why"),
    [
        (verdict("unknown", "no context"), "cannot tell: no context"),
        (Answer(refusal="I will not judge this."), "the judge refused: I will not judge this."),
        ("I think it is correct.", "could not be read in 2 tries: the answer is no JSON"),
        (verdict("excellent"), "is none of"),
        (Answer(text=verdict("pass"), finish_reason="length"), "cut off"),
        ('["pass"]', 'has no "verdict"'),
        ('{"verdict": 1}', 'has no "verdict"'),
        ("[" * 5000, "the answer is no JSON"),
        ('{"verdict": "pass", "reasons": %s}' % ("9" * 5000), "the answer is no JSON"),
    ],
    ids=["unknown", "refused", "prose", "other label", "truncated", "list", "number", "deep", "long number"],
)
def test_what_is_no_verdict_is_unscored_and_says_why(name, said, why, scripted, score_of) -> None:
    model, _ = scripted(said)
    score = score_of(made(name, model))
    assert (score.status, score.value, score.label, score.passed) == ("unscored", None, None, None)
    assert why in score.explanation


FAULTS = (failing(500), failing(401), rate_limited(retry_after=0.01), garbage(), truncated(after=5))
FAILING = [*((name, reset()) for name in BUILT_IN), *(("correctness", fault) for fault in FAULTS)]


@pytest.mark.parametrize(
    ("name", "fault"), FAILING, ids=[f"{name}-{fault.kind}-{fault.status}" for name, fault in FAILING]
)
def test_a_provider_that_fails_makes_an_error_and_never_a_zero(name, fault, scripted, score_of) -> None:
    model, _ = scripted(fault)
    score = score_of(made(name, model))
    assert (score.status, score.value, score.passed) == ("error", None, None)
    assert "scripted-judge" in score.explanation


def test_an_answer_that_cannot_be_read_is_asked_for_once_more(scripted, score_of) -> None:
    model, server = scripted(["Well, it is right.", verdict("correct")])
    score = score_of(correctness(model=model))
    assert score.passed is True
    assert score.metadata["tries"] == 2
    again = server.calls[1].messages
    assert again[:2] == server.calls[0].messages
    assert again[2] == {"role": "assistant", "content": "Well, it is right."}
    assert "no JSON" in again[3]["content"]


def test_the_answer_is_asked_for_with_reasons_before_the_verdict(scripted, score_of) -> None:
    model, server = scripted(verdict("correct"))
    score_of(correctness(model=model))
    schema = server.calls[0].body["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert list(schema["schema"]["properties"]) == ["reasons", "verdict"]
    assert schema["schema"]["properties"]["verdict"]["enum"] == ["correct", "incorrect", "unknown"]


def test_json_between_backquotes_and_labels_in_capitals_are_read(scripted, score_of) -> None:
    model, _ = scripted("```json\n" + verdict("Correct") + "\n```")
    assert score_of(correctness(model=model)).passed is True


def test_a_case_without_what_the_judge_must_see_is_an_error(scripted, score_of) -> None:
    model, server = scripted(verdict("faithful"))
    bare = Case(id="bare", input="How long?", expected="30 days")
    score = score_of(faithfulness(model=model), case=bare)
    assert score.status == "error"
    assert 'no "context" in its input or metadata' in score.explanation
    assert len(server.calls) == 0
    elsewhere = Case(id="x", input="How long?", metadata={"docs": ["30 days."]})
    assert score_of(faithfulness(model=model, where={"context": "metadata.docs"}), case=elsewhere).value == 1
    missing = score_of(faithfulness(model=model, where={"context": "metadata.texts"}), case=elsewhere)
    assert "nothing at metadata.texts" in missing.explanation


def test_a_judge_of_ones_own(scripted, score_of) -> None:
    scale = {"warm": "It greets by name.", "neutral": "It is polite.", "cold": "It is neither."}
    model, server = scripted([verdict("warm"), verdict("neutral"), verdict("cold")])
    scorer = judge("How warm is the answer?", name="warmth", scale=scale, model=model, shows=["answer"])
    assert [score_of(scorer).value for _ in range(3)] == [1.0, 0.5, 0.0]
    system = server.calls[0].messages[0]["content"]
    assert "How warm is the answer?" in system
    assert "- neutral: It is polite." in system


def test_the_version_changes_with_rubric_model_and_parameters(scripted) -> None:
    model, _ = scripted("x")
    hotter = type(model)("judge", model="scripted-judge", base_url=model.spec.base_url, parameters={"temperature": 1})
    versions = {
        judge("a", name="n", model=model).version,
        judge("b", name="n", model=model).version,
        judge("a", name="n", model=hotter).version,
        judge("a", name="n", model=model, samples=3).version,
        judge("a", name="n", model=model, logprobs=True).version,
        judge("a", name="n", model=model, shows=["answer"]).version,
        judge("a", name="n", model=model, scale={"x": "1", "y": "2", "z": "3"}).version,
        tone("Be brief.", model=model).version,
        tone("Be kind.", model=model).version,
    }
    assert len(versions) == 9
    assert judge("a", name="n", model=model).version in versions


def test_samples_give_the_mean_and_how_far_the_judge_agrees_with_itself(scripted, score_of) -> None:
    model, server = scripted([verdict("faithful"), verdict("faithful"), verdict("unfaithful")])
    score = score_of(faithfulness(model=model, samples=3))
    assert score.value == pytest.approx(2 / 3)
    assert score.kind == "score"
    assert score.metadata["variance"] == pytest.approx(1 / 3)
    assert score.explanation.startswith("2 × faithful, 1 × unfaithful") or "1 × unfaithful" in score.explanation
    assert len(server.calls) == 3


def test_samples_of_which_most_say_nothing_are_no_score(scripted, score_of) -> None:
    model, _ = scripted([verdict("faithful"), verdict("unknown"), verdict("unknown")])
    score = score_of(faithfulness(model=model, samples=3))
    assert score.status == "unscored"
    assert "1 of 3 samples" in score.explanation


def logprobs_of(text: str, label: str, ranked: dict[str, float]):
    """The tokens of `text` a character each, but for the label, which is one token with `ranked` beside it."""
    at = text.index(f'"{label}"') + 1
    before = [{character: 0.0} for character in text[:at]]
    after = [{character: 0.0} for character in text[at + len(label) :]]
    return (*before, ranked, *after)


def test_likelihoods_weigh_the_levels(scripted, score_of) -> None:
    import math

    text = verdict("faithful")
    ranked = {"faithful": math.log(0.6), "mostly": math.log(0.2), "unfaithful": math.log(0.1), "the": math.log(0.1)}
    model, server = scripted(Answer(text=text, logprobs=logprobs_of(text, "faithful", ranked)))
    score = score_of(faithfulness(model=model, logprobs=True))
    assert score.value == pytest.approx((0.6 * 1 + 0.2 * 0.5) / 0.9)
    assert score.metadata["mass"] == pytest.approx(0.9)
    assert score.metadata["mode"] == "weighted"
    assert server.calls[0].body["logprobs"] is True


def test_without_likelihoods_a_weighted_judge_gives_no_score_so_that_modes_never_mix(scripted, score_of) -> None:
    model, _ = scripted(verdict("faithful"))
    score = score_of(faithfulness(model=model, logprobs=True))
    assert score.status == "unscored"
    assert "how likely" in score.explanation


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"model": "jugde"}, 'There is no model "jugde"'),
        ({"model": 3}, "asks a model"),
        ({"samples": 0}, "samples"),
        ({"samples": 3, "logprobs": True}, "not both"),
        ({"where": {"contxt": "metadata.a"}}, 'Did you mean "context"'),
        ({"where": {"context": "a..b"}}, "no path"),
        ({"smaples": 3}, "smaples"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_wrong_option_is_refused_before_anything_is_asked(options, what, scripted, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/judge.yaml").write_text("model: scripted-judge\n")
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    model, _ = scripted("x")
    with pytest.raises(ScorerError, match=what):
        faithfulness(**{"model": model, **options})


@pytest.mark.parametrize(
    ("scale", "what"),
    [
        ("likert", "is no scale"),
        ({"a": "one"}, "two to five"),
        ({str(number): "x" for number in range(6)}, "two to five"),
        ({"good": "x", "unknown": "y"}, "other than"),
        ({"Good": "x", "good": "y"}, "same label"),
        ({"good": "x", "bad": ""}, "does not say"),
        ([{"label": "a", "value": 2, "meaning": "x"}, {"label": "b", "value": 0, "meaning": "y"}], "from 0 to 1"),
        ([{"label": "a", "value": 1, "meaning": "x"}, {"label": "b", "value": 1, "meaning": "y"}], "worth the same"),
        ([{"label": "a"}, {"label": "b"}], "label, value and meaning"),
    ],
    ids=range(9),
)
def test_a_scale_that_is_none_is_refused(scale, what, scripted) -> None:
    model, _ = scripted("x")
    with pytest.raises(ScorerError, match=what):
        judge("Is it good?", name="good", scale=scale, model=model)


def test_the_model_is_a_file_of_the_project_by_its_name(tmp_path, monkeypatch, scripted, score_of) -> None:
    model, _ = scripted(verdict("correct"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (tmp_path / "models").mkdir()
    (tmp_path / "models/judge.yaml").write_text(
        json.dumps({"model": "scripted-judge", "base_url": model.spec.base_url})
    )
    assert score_of(correctness()).passed is True
