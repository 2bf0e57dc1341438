"""Scorers that look for words that must not be said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.options import texts
from evalkit_scorers.wording import listed, miss, text_of, unscored


@factory
def forbidden_words(words: Sequence[str], *, ignore_case: bool = True, whole_words: bool = True) -> Scorer:
    """Whether the output has none of these words in it: an assertion that names those it has.

    An entry of `words` may be several words; any white space matches between them. Case does not count unless
    `ignore_case=False`. With `whole_words`, "class" does not
    find "classic"; turn it off for languages that put no spaces between words.

    Edge cases: the empty output passes; no output is unscored, as nothing was said.
    """
    wanted = texts("forbidden_words", "words", words)
    longest_first = sorted(wanted, key=len, reverse=True)
    either = "|".join(r"\s+".join(map(re.escape, entry.split())) or re.escape(entry) for entry in longest_first)
    whole = rf"(?<!\w)(?:{either})(?!\w)" if whole_words else either
    search = re.compile(whole, re.IGNORECASE if ignore_case else 0)

    @scorer(
        name="forbidden_words",
        version="1",
        config={"words": sorted(wanted), "ignore_case": ignore_case, "whole_words": whole_words},
        blocking=False,
    )
    def score(output: Any) -> bool | Score:
        said = text_of(output, "forbidden_words")
        if said is None:
            return unscored("there is no output to search")
        found = list(dict.fromkeys(match.group() for match in search.finditer(said)))
        return not found or miss(f"says {listed(found)}")

    return score
