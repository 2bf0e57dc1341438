"""What is said of a call that was never recorded: which one it is, and the recorded one that comes nearest."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from evalkit.errors import ReplayMiss
from evalkit.exchange import Exchange
from evalkit.transport.asked import Asked

_LOOKED_AT = 4000
"""Characters of a request that decide how near it is."""
_SHOWN = 60
_DIFFERENCES = 3
_CANDIDATES = 100


def replay_miss(
    asked: Asked, *, suite: str, case_id: str, trial: int, occurrence: int, alike: Iterable[Exchange] | None, place: str
) -> ReplayMiss:
    """The error for a call without a recorded answer; `alike` are exchanges that it may have been meant for,
    `None` where nobody looked.
    """
    model = f" ({asked.model})" if asked.model else ""
    return ReplayMiss(
        f'No answer is recorded for a call of case "{case_id}", trial {trial}: {asked.method} {asked.url}{model}.',
        where=suite or None,
        why=None
        if alike is None
        else _nearest(asked, trial=trial, occurrence=occurrence, alike=list(alike), place=place),
        hint="Record it with --evalkit-cache read-write.",
    )


def _nearest(asked: Asked, *, trial: int, occurrence: int, alike: list[Exchange], place: str) -> str:
    if not alike:
        return f"Nothing like it is recorded in {place}."
    same = [one for one in alike if (one.method, one.url, one.request) == (asked.method, asked.url, asked.request)]
    in_trial = [one for one in same if one.trial == trial]
    if in_trial:
        times = "once" if len(in_trial) == 1 else f"{len(in_trial)} times"
        return f"The same request is recorded {times} for trial {trial}; this is number {occurrence} within its trial."
    if same:
        trials = ", ".join(str(number) for number in sorted({one.trial for one in same})[:5])
        return f"The same request is recorded for trial {trials} only: each repeat has an answer of its own."
    best = _most_alike(asked, alike)
    differences = list(differing(best, asked))
    shown = "; ".join(differences[:_DIFFERENCES])
    more = f"; and {len(differences) - _DIFFERENCES} more" if len(differences) > _DIFFERENCES else ""
    return f'The nearest recorded request, of case "{best.case_id}", differs: {shown}{more}.'


def _most_alike(asked: Asked, alike: list[Exchange]) -> Exchange:
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(asked.request[:_LOOKED_AT])

    def nearness(exchange: Exchange) -> tuple[bool, bool, float]:
        matcher.set_seq1(exchange.request[:_LOOKED_AT])
        return exchange.url == asked.url, exchange.model == asked.model, matcher.quick_ratio()

    few = sorted(alike, key=lambda one: abs(len(one.request) - len(asked.request)))[:_CANDIDATES]
    return max(few, key=nearness)


def differing(recorded: Exchange, now: Asked) -> Iterator[str]:
    """What differs between a recorded request and the one made now, a phrase for each difference."""
    if recorded.method != now.method:
        yield f"method: recorded {recorded.method}, now {now.method}"
    if recorded.url != now.url:
        yield f"URL: recorded {recorded.url}, now {now.url}"
    if recorded.request == now.request:
        return
    try:
        before, after = json.loads(recorded.request), json.loads(now.request)
    except (ValueError, RecursionError):
        yield _texts("body", recorded.request, now.request)
        return
    yield from _values("", before, after)


def _values(path: str, before: Any, after: Any) -> Iterator[str]:
    if before == after and type(before) is type(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            below = f"{path}.{key}" if path else key
            if key not in after:
                yield f"{below}: recorded {_short(before[key])}, now absent"
            elif key not in before:
                yield f"{below}: not recorded, now {_short(after[key])}"
            else:
                yield from _values(below, before[key], after[key])
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield f"{path or 'body'}: recorded {len(before)} items, now {len(after)}"
        for index, (one, other) in enumerate(zip(before, after, strict=False)):
            yield from _values(f"{path}[{index}]", one, other)
    elif isinstance(before, str) and isinstance(after, str):
        yield _texts(path or "body", before, after)
    else:
        yield f"{path or 'body'}: recorded {_short(before)}, now {_short(after)}"


def _texts(path: str, before: str, after: str) -> str:
    # Long texts mostly begin alike: show them from a little before the place where they part.
    common = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
    start = max(0, (min(len(before), len(after)) if common is None else common) - _SHOWN // 3)
    return f"{path}: recorded {_cut(before, start)}, now {_cut(after, start)}"


def _cut(text: str, start: int) -> str:
    lead = "…" if start else ""
    rest = text[start : start + _SHOWN]
    return json.dumps(lead + rest + ("…" if start + _SHOWN < len(text) else ""), ensure_ascii=False)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
