"""The calibration of each judge of a suite, as a card: may its scores decide, and what speaks for that."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.runs import SuiteRun
from evalkit.trust import MEANINGS
from evalkit_reports import words
from evalkit_reports.context import JudgeCard

_MOST_LABELS = 12


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """One judge. `state` is a shape: passed for one that may decide, inconclusive for one of which that is not known.

    `figures` are name, value and interval; `labels` and `table` what people said and what the judge said, in cases.
    """

    judge: str
    version: str
    standing: str
    state: str
    meaning: str
    about: str
    figures: tuple[tuple[str, str, str], ...] = ()
    labels: tuple[str, ...] = ()
    table: tuple[tuple[int, ...], ...] = ()
    reasons: tuple[str, ...] = ()


def judge_cards(suite: SuiteRun, known: Sequence[JudgeCard]) -> tuple[CardView, ...]:
    """A card for each judge of `suite`, with its calibration where `known` has one of that version."""
    made = []
    for scorer in suite.info.scorers:
        if not scorer.is_judge:
            continue
        card = next((one for one in known if (one.judge, one.version) == (scorer.name, scorer.version)), None)
        standing = scorer.judge.standing if scorer.judge is not None else "uncalibrated"
        if card is not None:
            standing = str(card.body.get("trust", standing))  # type: ignore[assignment]  # as it was written
        made.append(_card(scorer.name, scorer.version, standing, card))
    return tuple(made)


def _card(judge: str, version: str, standing: str, card: JudgeCard | None) -> CardView:
    state = "passed" if standing in ("calibrated", "interchangeable") else "inconclusive"
    meaning = MEANINGS.get(standing, "calibrated in another version, which says nothing of this one")
    if card is None:
        return CardView(
            judge=judge,
            version=version,
            standing=standing,
            state=state,
            meaning=meaning,
            about="no calibration at hand",
        )
    body = card.body
    labels = tuple(map(str, body.get("labels", ())))
    return CardView(
        judge=judge,
        version=version,
        standing=standing,
        state=state,
        meaning=meaning,
        about=f"{words.count(int(body.get('n', 0)), 'label')} from {body.get('source', 'an unknown source')}, "
        f"{words.moment(card.made_at)[:10]}",
        figures=tuple(_figures(body)),
        labels=labels if len(labels) <= _MOST_LABELS else (),
        table=tuple(tuple(map(int, row)) for row in body.get("table", ())) if len(labels) <= _MOST_LABELS else (),
        reasons=tuple(map(str, body.get("reasons", ()))),
    )


def _figures(body: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found = [_share("agrees with people", body.get("accuracy"))]
    found += [_share(f"finds {label}", one) for label, one in (body.get("recall") or {}).items()]
    for name, key in (("κ, beyond chance", "kappa"), ("κ, near misses count less", "weighted_kappa")):
        one = body.get(key)
        if one is not None:
            low, high = one.get("interval", (None, None))
            found.append((name, f"{one['value']:.2f}", "" if low is None else f"{low:.2f} – {high:.2f}"))
    people = (body.get("humans") or {}).get("alpha")
    if people is not None:
        found.append(("people among themselves, α", f"{people:.2f}", ""))
    orders = body.get("positions")
    if orders is not None:
        found.append(_share("both orders agree", orders.get("consistent")))
    return [one for one in found if one is not None]


def _share(name: str, one: Mapping[str, Any] | None) -> tuple[str, str, str] | None:
    if one is None:
        return None
    low, high = one["interval"]
    return name, words.measure(one["value"], words.SHARE), f"{100 * low:.3g} – {100 * high:.3g}%, of {one['n']:,}"
