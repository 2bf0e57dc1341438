"""Prices as people write them in a file, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from evalkit.errors import ConfigError, did_you_mean

PRICE_KEYS = ("input", "output", "cached")
"""What a price is given for, in US dollars per million tokens."""

_PRICE_HINT = "Prices are in US dollars per million tokens: {input = 0.15, output = 0.60, cached = 0.075}."


def price_of(given: Any, *, model: str, where: str) -> Mapping[str, Decimal]:
    """A price as it is written in a file, such as `{input = 0.15, output = 0.6}`, checked.

    Raises `ConfigError` for a key that is none of `PRICE_KEYS`, for what is no amount, and where `input` is missing.
    """
    if not isinstance(given, dict):
        raise ConfigError(f'The price of "{model}" is {given!r:.60}, not a table.', where=where, hint=_PRICE_HINT)
    for key, amount in given.items():
        if key not in PRICE_KEYS:
            raise ConfigError(
                f'A price has no key "{key}".' + did_you_mean(str(key), PRICE_KEYS), where=where, hint=_PRICE_HINT
            )
        number = isinstance(amount, int | float | Decimal) and not isinstance(amount, bool)
        if not number or not math.isfinite(amount) or amount < 0:
            raise ConfigError(
                f'The price of "{model}" for {key} is {amount!r:.40}, not an amount of US dollars.',
                where=where,
                hint=_PRICE_HINT,
            )
    if "input" not in given:
        raise ConfigError(f'The price of "{model}" says nothing of input.', where=where, hint=_PRICE_HINT)
    return MappingProxyType({key: Decimal(str(amount)) for key, amount in given.items()})


def prices_of(table: Any, *, where: str) -> dict[str, Mapping[str, Decimal]]:
    """A table of prices by model, such as `[tool.evalkit.prices]`. Raises `ConfigError` as `price_of` does."""
    if not isinstance(table, dict):
        raise ConfigError(f"`prices` is {table!r:.40}, not a table of models.", where=where, hint=_PRICE_HINT)
    return {model: price_of(given, model=model, where=where) for model, given in table.items()}
