"""A score from how likely each verdict was, where the provider says so (as in G-Eval, arXiv 2303.16634)."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit_scorers.judges.scale import Scale

LEAST_MASS = 0.5
"""Where the verdicts together got less of the probability than this, the tokens were about something else."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Weighted:
    """The mean of the levels, weighted by their probabilities, and the probability that all of them had together."""

    value: float
    mass: float


LIKELIHOODS: Mapping[str, Any] = {"logprobs": True, "top_logprobs": 20}
"""What a call has to ask for, so that its reply says how likely each verdict was."""


def likelihood(reply: Any, scale: Scale) -> Weighted | None:
    """The weighted value of a reply of the chat API; `None` where it does not say how likely each verdict was."""
    choice = (getattr(reply, "raw", {}).get("choices") or [{}])[0]
    content = (choice.get("logprobs") or {}).get("content") or ()
    alternatives = verdict_alternatives(str(reply), content)
    return None if alternatives is None else weighted(alternatives, scale)


def weighted(alternatives: Mapping[str, float], scale: Scale) -> Weighted | None:
    """The weighted value from `{token: log probability}`; `None` where too little of it is about the levels.

    A token stands for the level whose label it is, or begins in a way that no other label does.
    """
    masses = [0.0] * len(scale)
    for token, log_probability in alternatives.items():
        place = _level_of(token, scale)
        if place is not None:
            masses[place] += math.exp(log_probability)
    total = math.fsum(masses)
    if total < LEAST_MASS:
        return None
    value = math.fsum(mass * level.value for mass, level in zip(masses, scale, strict=True)) / total
    return Weighted(value=value, mass=min(total, 1.0))


def _level_of(token: str, scale: Scale) -> int | None:
    word = token.strip().strip('"')
    if not word:
        return None
    labels = [level.label for level in scale]
    if word in labels:
        return labels.index(word)
    word, labels = word.casefold(), [label.casefold() for label in labels]
    if labels.count(word) == 1:
        return labels.index(word)
    meant = [place for place, label in enumerate(labels) if label.startswith(word)]
    return meant[0] if len(meant) == 1 else None


def verdict_alternatives(text: str, content: Sequence[Mapping[str, Any]]) -> dict[str, float] | None:
    """The alternatives at the token with which the verdict begins, in an answer of JSON; `None` where it is not found.

    `content` is `logprobs.content` of the chat API: the tokens in their order, each with `top_logprobs`.
    """
    last = None
    for match in re.finditer(r'"verdict"\s*:\s*"', text):
        last = match
    if last is None or "".join(str(token["token"]) for token in content) != text:
        return None
    begin, at = last.end(), 0
    for token in content:
        end = at + len(str(token["token"]))
        if end > begin:
            # A token may begin before the label, with the quote that opens it.
            lead = text[at:begin]
            ranked = token.get("top_logprobs") or [token]
            found: dict[str, float] = {}
            for one in ranked:
                word = str(one["token"])
                if word.startswith(lead):
                    found[word[len(lead) :]] = float(one["logprob"])
            return found
        at = end
    return None
