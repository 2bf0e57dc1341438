"""edit_distance, token_f1, embedding_similarity, bleu, chrf, rouge."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.errors import MissingExtra, ScorerError
from evalkit_scorers import bleu, chrf, edit_distance, embedding_similarity, rouge, token_f1

WORDS = st.lists(
    st.sampled_from(["the", "a", "cat", "sat", "on", "mat", "dog", "über", "naïve", "猫"]), max_size=8
).map(" ".join)


@pytest.mark.parametrize(
    ("output", "expected", "value"),
    [
        ("kitten", "sitting", 1 - 3 / 7),
        ("flaw", "lawn", 0.5),
        ("", "", 1.0),
        ("", "abc", 0.0),
        ("abc", "xyz", 0.0),
        ("café", "cafe", 0.75),
        ("b", ["abc", "b"], 1.0),
        (None, "abc", 0.0),
    ],
)
def test_edit_distance(judge, output, expected, value):
    assert judge(edit_distance(), output, expected).value == pytest.approx(value)


def test_edit_distance_says_how_many_edits(judge):
    assert judge(edit_distance(), "kitten", "sitting").explanation == "3 edits in 7 characters"


@pytest.mark.parametrize(
    ("output", "expected", "value"),
    [
        # Two words of three and of four in common: 2 * 2 / (2 + 3).
        ("The cat sat", "a cat sat down", 2 * 2 / (2 + 3)),
        ("cat cat", "cat", 2 / 3),
        ("Cat!", "the cat", 1.0),
        ("dog", "cat", 0.0),
        ("", "", 1.0),
        ("the", "a", 1.0),
        ("", "cat", 0.0),
        ("dog", ["cat", "dog"], 1.0),
        (None, "cat", 0.0),
        ("U.S.A.", "usa", 1.0),
    ],
)
def test_token_f1(judge, output, expected, value):
    assert judge(token_f1(), output, expected).value == pytest.approx(value)


def test_token_f1_without_the_squad_rules(judge):
    assert judge(token_f1(normalise_answer=False), "The cat.", "the cat").value == 0.0


def test_bleu_by_hand(judge):
    # Papineni's formula on 6 words against 6: precisions 5/6, 3/5, 2/4, 1/3, no brevity penalty.
    by_hand = (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25
    assert judge(bleu(), "the cat sat on the mat", "the cat sat on a mat").value == pytest.approx(by_hand)
    assert judge(bleu(), "a b c d", ["x", "a b c d"]).value == pytest.approx(1.0)


def test_chrf_by_hand(judge):
    # chrF with 1-grams only and beta 2: "abc" against "abd" has precision and recall 2/3.
    assert judge(chrf(char_order=1), "abc", "abd").value == pytest.approx(2 / 3)
    assert judge(chrf(), "über", "über").value == pytest.approx(1.0)
    assert judge(chrf(word_order=2), "a cat", "a cat").value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({}, 0.8),  # subsequence "the cat" of 2 and 3 words
        ({"measure": "precision"}, 1.0),
        ({"measure": "recall"}, 2 / 3),
        ({"kind": "rouge2"}, 2 / 3),  # one bigram of one and of two
        ({"kind": "rouge1"}, 0.8),
    ],
)
def test_rouge_by_hand(judge, options, value):
    assert judge(rouge(**options), "the cat", "the cat sat").value == pytest.approx(value)


def test_rouge_stems_on_request(judge):
    assert judge(rouge(), "cats", "cat").value == 0.0
    assert judge(rouge(stem=True), "cats", "cat").value == 1.0


OVERLAPS = {"bleu": bleu(), "chrf": chrf(), "rouge": rouge(), "token_f1": token_f1(), "edit_distance": edit_distance()}


@pytest.mark.parametrize("scorer", OVERLAPS.values(), ids=OVERLAPS)
def test_nothing_and_everything(judge, scorer):
    assert judge(scorer, None, "x").value == 0.0
    assert judge(scorer, "", "cat").value == 0.0
    assert judge(scorer, "x", None).status == "unscored"
    assert judge(scorer, "x", []).status == "unscored"
    assert judge(scorer, "the cat sat here", "the cat sat here").value == pytest.approx(1.0)


@pytest.mark.parametrize("scorer", OVERLAPS.values(), ids=OVERLAPS)
@settings(deadline=None, max_examples=40)
@given(output=WORDS, expected=WORDS)
def test_always_between_0_and_1(scorer, output, expected):
    result = scorer(output=output, expected=expected)
    value = result if isinstance(result, float) else result.value
    assert value is not None
    assert 0.0 <= value <= 1.0


@given(st.text(), st.text())
def test_edit_distance_and_token_f1_are_symmetric(left, right):
    assert edit_distance()(output=left, expected=right).value == edit_distance()(output=right, expected=left).value
    assert token_f1()(output=left, expected=right) == token_f1()(output=right, expected=left)


@given(st.text(), st.text(), st.text())
def test_more_references_never_make_it_worse(output, one, other):
    alone = edit_distance()(output=output, expected=one).value
    assert edit_distance()(output=output, expected=[one, other]).value >= alone


@pytest.mark.parametrize("name", ["bleu", "chrf", "rouge", "edit_distance"])
def test_a_text_too_long_to_compare_is_refused_and_not_cut(name):
    with pytest.raises(ValueError, match=f"{name} compares at most"):
        OVERLAPS[name](output="x" * 1_000_000, expected="x")


def letters(text: str) -> list[float]:
    return [text.count("a"), text.count("b")]


async def letters_later(text: str) -> list[float]:
    return letters(text)


@pytest.mark.parametrize("embed", [letters, letters_later])
@pytest.mark.parametrize(
    ("output", "expected", "value"),
    [
        ("aab", "aab", 1.0),
        ("a", "b", 0.0),
        ("aab", "aabaab", 1.0),
        ("a", "ab", 2**-0.5),
        ("a", ["b", "a"], 1.0),
        (None, "a", 0.0),
    ],
)
def test_embedding_similarity(judge, embed, output, expected, value):
    scorer = embedding_similarity(embed)
    assert scorer.is_async is (embed is letters_later)
    assert judge(scorer, output, expected).value == pytest.approx(value)
    assert judge(scorer, "a", None).status == "unscored"


def test_opposite_vectors_are_minus_one(judge):
    assert judge(embedding_similarity(lambda text: [float(text)]), "-2", "3").value == -1.0


@pytest.mark.parametrize(
    ("embed", "says"),
    [
        (lambda text: [0.0, 0.0], "without a direction"),
        (lambda text: [float("nan")], "without a direction"),
        (lambda text: [1.0] * len(text), "different length"),
        (lambda text: ["x"], "could not convert"),
    ],
)
def test_vectors_that_are_none(embed, says):
    with pytest.raises(ValueError, match=says):
        embedding_similarity(embed)(output="ab", expected="c")


@pytest.mark.parametrize(
    "make",
    [
        lambda: embedding_similarity("ada-002"),
        lambda: edit_distance(max_chars=0),
        lambda: bleu(tokenize="moses"),
        lambda: chrf(char_order=0),
        lambda: chrf(beta=1.5),
        lambda: rouge("rougeX"),
        lambda: rouge(measure="f2"),
    ],
)
def test_wrong_similarity_options(make):
    with pytest.raises(ScorerError):
        make()


@pytest.mark.parametrize(
    ("make", "package", "modules"),
    [
        (bleu, "sacrebleu", ["sacrebleu", "sacrebleu.metrics", "sacrebleu.metrics.bleu"]),
        (chrf, "sacrebleu", ["sacrebleu", "sacrebleu.metrics", "sacrebleu.metrics.chrf"]),
        (rouge, "rouge-score", ["rouge_score", "rouge_score.rouge_scorer"]),
    ],
)
def test_an_extra_that_is_not_installed_is_named_with_its_pip_line(monkeypatch, make, package, modules):
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra) as caught:
        make()
    assert package in str(caught.value)
    assert "pip install 'pytest-evalkit[text]'" in str(caught.value)
