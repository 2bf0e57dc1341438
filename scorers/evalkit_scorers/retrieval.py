"""Scorers of a ranked list of what was found."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.options import choice, number
from evalkit_scorers.paths import MISSING, look_up, steps_of
from evalkit_scorers.wording import NO_EXPECTED, shown, unscored


@factory
def precision_at(k: int, *, key: str | None = None) -> Scorer:
    """The share of the first `k` results that are relevant: a score from 0 to 1.

    `relevant results among the first k / k` (Manning, Raghavan and Schütze, Introduction to Information
    Retrieval, 2008, section 8.4). A list shorter than `k` is divided by `k` all the same, as trec_eval does.

    The output is a ranked list of ids, best first; `key` is where the id lies in each result that is a dict, such as
    `"id"` or `"document.id"`. `expected` is the list of the relevant ids, or a dict of their grades, of which
    those above 0 are relevant. The ids 1 and "1" are the same, as keys in JSON are always text.

    Edge cases: an id found twice counts the first time, and still takes up its place; no output is an empty list;
    a case with nothing relevant is unscored, as the formulas do not say.
    """
    number("precision_at", "k", k, least=1, whole=True)
    return _ranking("precision_at", {"k": k}, key, lambda hits, _: sum(map(bool, hits[:k])) / k)


@factory
def recall_at(k: int, *, key: str | None = None) -> Scorer:
    """The share of the relevant documents that are among the first `k` results: a score from 0 to 1.

    `relevant results among the first k / all relevant` (Manning et al. 2008, section 8.4). Output, `expected`,
    `key` and edge cases as in `precision_at`.
    """
    number("recall_at", "k", k, least=1, whole=True)
    return _ranking("recall_at", {"k": k}, key, lambda hits, ideal: sum(map(bool, hits[:k])) / len(ideal))


@factory
def mrr(*, k: int | None = None, key: str | None = None) -> Scorer:
    """The reciprocal rank of the first relevant result: a score from 0 to 1 whose mean over cases is the MRR.

    `1 / rank`, and 0 where nothing relevant was found (Voorhees 1999, TREC-8 question answering track), or with
    `k` not among the first `k`. Output, `expected`, `key` and edge cases as in `precision_at`.
    """
    if k is not None:
        number("mrr", "k", k, least=1, whole=True)

    def reciprocal(hits: Sequence[float], _: Sequence[float]) -> float:
        rank = next((place for place, hit in enumerate(hits[:k], 1) if hit), None)
        return 1 / rank if rank else 0.0

    return _ranking("mrr", {"k": k}, key, reciprocal)


@factory
def ndcg_at(k: int, *, gain: Literal["linear", "exponential"] = "linear", key: str | None = None) -> Scorer:
    """The normalised discounted cumulative gain of the first `k` results: a score from 0 to 1.

    `DCG@k / ideal DCG@k` with `DCG@k = sum of gain(grade of result i) / log2(i + 1)` for i from 1 to k (Järvelin and
    Kekäläinen 2002, doi:10.1145/582415.582418, with the discount in its usual form). The gain is the grade
    itself, or `2**grade - 1` with `gain="exponential"` (Burges et al. 2005). The ideal has all of `expected`,
    best first. Ids without grades have grade 1. Output, `expected`, `key` and edge cases as in `precision_at`.
    """
    number("ndcg_at", "k", k, least=1, whole=True)
    choice("ndcg_at", "gain", gain, ("linear", "exponential"))
    gains: Callable[[float], float] = (lambda grade: grade) if gain == "linear" else (lambda grade: 2.0**grade - 1)

    def total(grades: Sequence[float]) -> float:
        return math.fsum(gains(grade) / math.log2(place + 1) for place, grade in enumerate(grades[:k], 1))

    def normalised(hits: Sequence[float], ideal: Sequence[float]) -> float:
        return min(1.0, total(hits) / total(ideal))

    return _ranking("ndcg_at", {"k": k, "gain": gain}, key, normalised)


def _ranking(
    name: str,
    config: dict[str, Any],
    key: str | None,
    formula: Callable[[Sequence[float], Sequence[float]], float],
) -> Scorer:
    """A scorer of the grades of the results, in their order, against the grades of all that is relevant, best first."""
    steps = None if key is None else steps_of(name, key)

    @scorer(name=name, version="1", config={**config, "key": key}, requires_expected=True, blocking=False)
    def score(output: Any, expected: Any) -> Score | float:
        if expected is None:
            return unscored(NO_EXPECTED)
        grades = _grades(expected, name)
        if not grades:
            return unscored("the case has nothing relevant")
        left = dict(grades)
        hits = [left.pop(identifier, 0.0) for identifier in _ids(output, steps, name)]
        return formula(hits, sorted(grades.values(), reverse=True))

    return score


def _grades(expected: Any, name: str) -> dict[str, float]:
    """The relevant ids with their grades, all above 0."""
    if isinstance(expected, Mapping):
        for identifier, grade in expected.items():
            if isinstance(grade, bool) or not isinstance(grade, int | float) or not math.isfinite(grade) or grade < 0:
                raise ValueError(f"the grade of {shown(identifier)} has to be a number from 0 up, not {shown(grade)}")
        return {str(identifier): float(grade) for identifier, grade in expected.items() if grade > 0}
    if isinstance(expected, list | tuple | set | frozenset):
        return dict.fromkeys(map(str, expected), 1.0)
    if isinstance(expected, str | int) and not isinstance(expected, bool):
        return {str(expected): 1.0}
    raise TypeError(f"{name} expects a list of ids or a dict of grades, not {type(expected).__name__}")


def _ids(output: Any, steps: Sequence[str] | None, name: str) -> list[str]:
    if output is None:
        return []
    if not isinstance(output, list | tuple):
        raise TypeError(f"{name} looks at a ranked list, and was given {type(output).__name__}")
    found = []
    for result in output:
        identifier = look_up(result, steps) if steps is not None and isinstance(result, Mapping) else result
        if identifier is MISSING or isinstance(identifier, Mapping | list):
            hint = f"nothing at {'.'.join(steps)}" if steps else "say key='…' for where its id lies"
            raise TypeError(f"{name} needs ids, and a result is {shown(result)}: {hint}")
        found.append(str(identifier))
    return found
