"""Checks on the options of a scorer, made once when it is built, so that a mistake shows before anything runs."""

from __future__ import annotations

import functools
import hashlib
import inspect
import math
from collections.abc import Callable, Collection, Iterable
from typing import Any

from evalkit.errors import ScorerError, did_you_mean


def choice(scorer: str, option: str, value: Any, allowed: Collection[str]) -> None:
    """Raise `ScorerError` unless `value` is one of `allowed`."""
    if value not in allowed:
        raise ScorerError(
            f"{scorer}({option}={value!r}) is not known.{did_you_mean(str(value), allowed)}",
            hint=f"{option} is one of {', '.join(repr(name) for name in allowed)}.",
        )


def number(scorer: str, option: str, value: Any, *, least: float = 0.0, whole: bool = False) -> None:
    """Raise `ScorerError` unless `value` is a finite number (an integer if `whole`) of at least `least`."""
    kind = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind) or not math.isfinite(value) or value < least:
        noun = "a whole number" if whole else "a number"
        raise ScorerError(f"{scorer}({option}={value!r}) has to be {noun} of at least {least:g}.")


def texts(scorer: str, option: str, values: Any) -> tuple[str, ...]:
    """`values` as a tuple of texts. Raises `ScorerError` for a lone string, no text at all, or an empty one."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ScorerError(f"{scorer}({option}={values!r}) has to be a list of texts.", hint=f"Write [{values!r}].")
    found = tuple(values)
    for value in found:
        text(scorer, option, value)
    if not found:
        raise ScorerError(f"{scorer}({option}=[]) has nothing in it.", hint="Give at least one text.")
    return found


def text(scorer: str, option: str, value: Any) -> None:
    """Raise `ScorerError` unless `value` is a text that is not empty."""
    if not isinstance(value, str):
        raise ScorerError(f"{scorer}({option}={value!r}) has to be text, not {type(value).__name__}.")
    if not value:
        raise ScorerError(f'{scorer}({option}="") is empty.', why="The empty text is in every text.")


def identity(function: Callable[..., Any]) -> dict[str, str]:
    """What a scorer's version says about a function that the user gave it: its name, and a digest of its source.

    Where the source cannot be read (a builtin, a class instance) the name alone counts.
    """
    while isinstance(function, functools.partial):
        function = function.func
    named = function if hasattr(function, "__qualname__") else type(function)
    name = f"{getattr(named, '__module__', 'builtins')}.{named.__qualname__}"
    try:
        source = inspect.getsource(named)
    except (OSError, TypeError):
        return {"function": name}
    return {"function": name, "source": hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:16]}
