"""Scorers that say how near a text is to the expected one: edits, words in common, meaning."""

from __future__ import annotations

import inspect
import math
import re
import string
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from evalkit.errors import ScorerError
from evalkit.score import Score, Scorer, factory, is_async_callable, scorer
from evalkit_scorers.folding import Form, folding
from evalkit_scorers.options import identity, number
from evalkit_scorers.wording import NO_EXPECTED, NO_OUTPUT, references_of, text_of, unscored

Vector = Sequence[float]
Embed = Callable[[str], Vector] | Callable[[str], Awaitable[Vector]]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


@factory
def edit_distance(
    *, ignore_case: bool = False, strip: bool = False, normalise: Form | None = None, max_chars: int = 100_000
) -> Scorer:
    """How near the output is to the expected text by edits: a score from 0 to 1.

    `1 - d / m`, with the Levenshtein distance d (the fewest insertions, deletions and substitutions of one
    character; Levenshtein 1966) and the length m of the longer text. 1 is the same text, 0 one with nothing in its
    place. Options as in `exact_match`. Of a list in `expected` the nearest text counts.

    Edge cases: two empty texts are 1; no output is 0; without an expected value the case is unscored; a text
    longer than `max_chars` raises `ValueError`, as the time grows with the product of the lengths.
    """
    fold = folding("edit_distance", ignore_case=ignore_case, strip=strip, normalise=normalise)
    number("edit_distance", "max_chars", max_chars, least=1, whole=True)
    from rapidfuzz.distance import Levenshtein

    @scorer(
        name="edit_distance",
        version="1",
        config={"ignore_case": ignore_case, "strip": strip, "normalise": normalise},
        requires_expected=True,
        blocking=False,
    )
    def score(output: Any, expected: Any) -> Score:
        references = references_of(expected, "edit_distance")
        if not references:
            return unscored(NO_EXPECTED)
        found = text_of(output, "edit_distance")
        if found is None:
            return Score(value=0.0, explanation=NO_OUTPUT)
        said = fold(within(found, max_chars, "edit_distance"))
        judged: list[tuple[float, int, int]] = []
        for reference in references:
            wanted = fold(within(reference, max_chars, "edit_distance"))
            longest = max(len(said), len(wanted))
            distance = Levenshtein.distance(said, wanted)
            judged.append((1 - distance / longest if longest else 1.0, distance, longest))
        nearness, distance, longest = max(judged, key=lambda one: one[0])
        return Score(value=nearness, explanation=f"{distance} edits in {longest} characters" if distance else None)

    return score


@factory
def token_f1(*, normalise_answer: bool = True) -> Scorer:
    """The words that output and expected text have in common: a score from 0 to 1.

    F1 of precision and recall over words, repeated words counted as often as they occur in both, as the SQuAD
    evaluation does (Rajpurkar et al. 2016, arXiv:1606.05250, section 6.1; SQuAD 2.0 for the empty answer). First
    both are put in lower case, ASCII punctuation and the articles a, an and the are removed;
    `normalise_answer=False` only splits at white space. Of a list in `expected` the best text counts.

    Edge cases: two texts without words are 1, one of them alone is 0; no output is 0; without an expected value
    the case is unscored. Languages that put no spaces between words have one word a sentence: use `chrf`.
    """

    @scorer(
        name="token_f1",
        version="1",
        config={"normalise_answer": normalise_answer},
        requires_expected=True,
        blocking=False,
    )
    def score(output: Any, expected: Any) -> Score | float:
        references = references_of(expected, "token_f1")
        if not references:
            return unscored(NO_EXPECTED)
        found = text_of(output, "token_f1")
        if found is None:
            return Score(value=0.0, explanation=NO_OUTPUT)
        words = _words(found, normalise_answer)
        return max(_f1(words, _words(reference, normalise_answer)) for reference in references)

    return score


@factory
def embedding_similarity(embed: Embed) -> Scorer:
    """How near output and expected text are in meaning, by your own embedder: a score from -1 to 1.

    The cosine of the two vectors that `embed(text)` gives, a sequence of numbers each; `embed` may be async. A
    plain function runs in a thread. Of a list in `expected` the nearest text counts.

    Edge cases: no output is 0; without an expected value the case is unscored; vectors of different length,
    with NaN in them or of length zero raise `ValueError`, so the score is an error.
    """
    if not callable(embed):
        raise ScorerError(
            f"embedding_similarity(embed={embed!r}) has to be a function.",
            hint="Give a function that takes a text and returns its vector, sync or async.",
        )
    options: dict[str, Any] = {
        "name": "embedding_similarity",
        "version": "1",
        "config": {"embed": identity(embed)},
        "requires_expected": True,
    }

    def texts_of(output: Any, expected: Any) -> tuple[str | None, list[str]]:
        return text_of(output, "embedding_similarity"), references_of(expected, "embedding_similarity")

    if is_async_callable(embed):

        @scorer(**options)
        async def score(output: Any, expected: Any) -> Score | float:
            said, references = texts_of(output, expected)
            if said is None or not references:
                return Score(value=0.0, explanation=NO_OUTPUT) if references else unscored(NO_EXPECTED)
            vector = await _awaited(embed(said))
            return max([_cosine(vector, await _awaited(embed(reference))) for reference in references])

        return score

    @scorer(**options)
    def score_in_thread(output: Any, expected: Any) -> Score | float:
        said, references = texts_of(output, expected)
        if said is None or not references:
            return Score(value=0.0, explanation=NO_OUTPUT) if references else unscored(NO_EXPECTED)
        vector = _vector(embed(said))
        return max(_cosine(vector, _vector(embed(reference))) for reference in references)

    return score_in_thread


def within(text: str, most: int, scorer: str) -> str:
    """`text`, unless it is longer than `most` characters, which raises `ValueError`."""
    if len(text) > most:
        raise ValueError(f"{scorer} compares at most {most} characters (max_chars), and was given {len(text)}")
    return text


def _words(text: str, normalise_answer: bool) -> list[str]:
    if normalise_answer:
        text = _ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION))
    return text.split()


def _f1(found: list[str], wanted: list[str]) -> float:
    if not found or not wanted:
        return float(found == wanted)
    common = sum((Counter(found) & Counter(wanted)).values())
    return 2 * common / (len(found) + len(wanted))


def _vector(vector: Any) -> Vector:
    if inspect.isawaitable(vector):
        raise TypeError("embed returned an awaitable though it is no async function: write it as async def")
    return [float(part) for part in vector]


async def _awaited(vector: Any) -> Vector:
    return _vector(await vector)


def _cosine(left: Vector, right: Vector) -> float:
    if len(left) != len(right):
        raise ValueError(f"embed gave vectors of different length: {len(left)} and {len(right)}")
    size = math.hypot(*left) * math.hypot(*right)
    if not math.isfinite(size) or size == 0.0:
        raise ValueError("embed gave a vector without a direction: all zero, or not finite")
    return max(-1.0, min(1.0, math.fsum(a * b for a, b in zip(left, right, strict=True)) / size))
