"""Rubrics are files: each is whole, and a broken one is named."""

from __future__ import annotations

import re

import pytest

from evalkit.errors import ScorerError
from evalkit_scorers.judges.rubric import FOLDER, built_in, read_rubric, rubric_names
from evalkit_scorers.judges.weights import verdict_alternatives, weighted

GOOD = "---\ntitle: T\nshows: [answer]\nlevels:\n  - {label: a, value: 1, meaning: x}\n  - {label: b, value: 0, meaning: y}\n---\nDecide.\n"


@pytest.mark.parametrize("name", rubric_names())
def test_every_rubric_is_whole_and_says_one_thing(name) -> None:
    rubric = built_in(name)
    assert 2 <= len(rubric.scale) <= 3
    assert {level.value for level in rubric.scale} >= {0.0, 1.0}
    assert len(rubric.text) > 150
    assert rubric.text.startswith("Decide ")
    assert re.fullmatch(r"[0-9a-f]{64}", rubric.version)


def test_the_issue_asked_for_these() -> None:
    assert len(rubric_names()) == len(list(FOLDER.glob("*.md"))) == 20
    assert len({built_in(name).version for name in rubric_names()}) == 20


def test_an_unknown_rubric_is_named_with_the_nearest() -> None:
    with pytest.raises(ScorerError, match='Did you mean "correctness"'):
        built_in("corectness")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("no head", "begins with a head"),
        ("---\n[\n---\nx", "not YAML"),
        ("---\n- a\n---\nx", "title, shows and levels"),
        (GOOD.replace("title: T", "titel: T"), 'Did you mean "title"'),
        (GOOD.replace("title: T\n", ""), "lacks title"),
        (GOOD.replace("Decide.\n", ""), "its criterion"),
        (GOOD.replace("[answer]", "[anwser]"), 'Did you mean "answer"'),
        (GOOD.replace("value: 1", "value: one"), "from 0 to 1"),
        (GOOD.replace("title: T", "title: &t T\nother: *t"), "Anchors"),
        (GOOD.replace("title: T", "title: !!python/name:os.system T"), "tag"),
        (GOOD.replace("title: T", "title: " + "[" * 2000), "nested"),
        (GOOD.replace("[answer]", "2001-99-99"), "cannot be shown '2001-99-99'"),
    ],
    ids=range(12),
)
def test_a_rubric_that_is_none_is_refused_with_its_file(tmp_path, text, what) -> None:
    file = tmp_path / "mine.md"
    file.write_text(text)
    with pytest.raises(ScorerError, match=what) as caught:
        read_rubric(file)
    assert str(file) in str(caught.value)


def test_a_rubric_of_ones_own_is_versioned_by_what_it_says(tmp_path) -> None:
    file = tmp_path / "mine.md"
    file.write_text(GOOD)
    first = read_rubric(file)
    file.write_text(GOOD.replace("Decide.", "Decide well."))
    assert first.name == "mine"
    assert read_rubric(file).version != first.version


def test_likelihoods_below_half_are_about_something_else() -> None:
    scale = built_in("correctness").scale
    assert weighted({"correct": -0.1}, scale).value == 1
    assert weighted({"maybe": -0.1, "correct": -3.0}, scale) is None
    assert weighted({"in": -0.1, "c": -3.0}, scale).value < 0.1  # beginnings that only one label has


@pytest.mark.parametrize("tokens", [['{"verdict": "', "corr", 'ect"}'], ['{"verdict":', ' "corr', 'ect"}']])
def test_the_verdict_is_found_however_the_answer_is_cut_into_tokens(tokens) -> None:
    content = [
        {"token": token, "logprob": -0.5, "top_logprobs": [{"token": token, "logprob": -0.5}]} for token in tokens
    ]
    assert verdict_alternatives("".join(tokens), content) == {"corr": -0.5}


def test_tokens_that_are_not_the_text_say_nothing() -> None:
    assert verdict_alternatives('{"verdict": "x"}', [{"token": "other", "logprob": 0}]) is None
    assert verdict_alternatives("no verdict", [{"token": "no verdict", "logprob": 0}]) is None
