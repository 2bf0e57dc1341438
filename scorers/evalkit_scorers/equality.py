"""When two JSON values are the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def same(left: Any, right: Any, *, abs_tol: float = 0.0, rel_tol: float = 0.0) -> bool:
    """Whether two values say the same in JSON.

    1 and 1.0 are the same number; `True` is no number; the order of keys does not matter, that of a list does.
    With a tolerance, numbers are the same when `|left - right| <= max(abs_tol, rel_tol * |right|)`.
    """
    if isinstance(left, Mapping):
        return (
            isinstance(right, Mapping)
            and left.keys() == right.keys()
            and all(same(item, right[key], abs_tol=abs_tol, rel_tol=rel_tol) for key, item in left.items())
        )
    if isinstance(left, list | tuple):
        return (
            isinstance(right, list | tuple)
            and len(left) == len(right)
            and all(same(a, b, abs_tol=abs_tol, rel_tol=rel_tol) for a, b in zip(left, right, strict=True))
        )
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        if left == right:
            return True
        if not (abs_tol or rel_tol) or not (math.isfinite(left) and math.isfinite(right)):
            return False
        return abs(left - right) <= max(abs_tol, rel_tol * abs(right))
    return bool(left == right)
