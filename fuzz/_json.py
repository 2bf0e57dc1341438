"""Changes to JSON inside of an input: a value somewhere in it becomes another one, goes away, or is doubled.

Bytes that are changed at random are seldom JSON still, and what reads JSON goes wrong where a value is of another kind.
"""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any

_VALUES = (
    None, True, 0, -1, 2**70, 0.5, 1e308, float("nan"), "", "x", "\x00", "\ud800", "9" * 20, "2026-11-23T00:00:00Z",
    [], [None], [[]], {}, {"": None}, {"a": [1]}, ["a", "a"], "../../x", "=1+1",
)  # fmt: skip


def changed(data: bytes, seed: int) -> bytes | None:
    """`data` with one of its pieces changed, where that is JSON; pieces end at a line feed or a NUL. `None` for others."""
    luck = random.Random(seed)
    pieces = re.split(rb"([\n\x00])", data)
    at = luck.choice([place for place in range(0, len(pieces), 2) if pieces[place]] or [0])
    first = b"" if pieces[at][:1] in b"{[" else pieces[at][:1]  # some targets begin with a byte that says what follows
    try:
        tree = json.loads(pieces[at][len(first) :])
        for _ in range(luck.choice((1, 1, 1, 2, 3))):
            tree = _with_another(tree, luck)
        pieces[at] = first + json.dumps(tree, ensure_ascii=luck.random() < 0.5).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return None
    return b"".join(pieces)


def _with_another(tree: Any, luck: random.Random) -> Any:
    """The tree with one node of it changed, each as likely as any other."""
    places: list[tuple[Any, Any]] = [(None, None)]
    todo = [tree]
    while todo:
        node = todo.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            places.append((node, key))
            todo.append(node[key])
    holder, key = luck.choice(places)
    value = copy.deepcopy(luck.choice(_VALUES))
    if holder is None:
        return value if luck.random() < 0.05 else tree
    match luck.randrange(5):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[luck.choice(("", "x", "name", "\x00", *holder))] = value
        case 1:
            holder.append(copy.deepcopy(holder[key]))
        case _:
            holder[key] = value
    return tree
