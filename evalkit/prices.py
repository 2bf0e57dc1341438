"""What calls to models cost: the tables of genai-prices as they are installed, and the user's own over them.

Nothing is ever fetched, so that the same run costs the same wherever its cost is worked out. A price that is in no
table is unknown, which is not zero.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from evalkit.calling import Rates
from evalkit.canonical import digest
from evalkit.usage import Usage

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot

_MILLION = Decimal(1_000_000)
_FLAT = frozenset({"input_mtok", "output_mtok", "cache_read_mtok"})
_PACKAGE = "genai-prices"
_NAMES = {"azure.ai.inference": "azure", "azure.ai.openai": "azure", "x_ai": "x-ai"}
"""Names of OpenTelemetry's that the package would not find, or take for another's."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prices:
    """A table of the user's own over those that are installed.

    The keys of `own` are the ids of models as they answer (`gpt-4o-mini-2024-07-18`) or as they are asked for, with
    the provider before them or not (`openai/gpt-4o-mini`), and may end in `*`. The longest that fits wins.
    """

    own: Mapping[str, Rates] = dataclasses.field(default_factory=dict)

    @property
    def snapshot(self) -> Mapping[str, Any]:
        """Which prices these are, for the record of a run.

        `genai-prices` is the version of the package; where there is an own table, `own` is what it says, in US dollars
        per million tokens, and `digest` its digest.
        """
        from importlib.metadata import version

        said: dict[str, Any] = {_PACKAGE: version(_PACKAGE)}
        if self.own:
            own = {
                name: {key: str(amount) for key, amount in dataclasses.asdict(rates).items() if amount is not None}
                for name, rates in self.own.items()
            }
            said |= {"own": own, "digest": digest(own)}
        return said

    def price(
        self, provider: str | None, model: str | None, usage: Usage, at: dt.datetime | None = None
    ) -> Decimal | None:
        """What one call cost, in US dollars; `None` where its tokens or its price are not known.

        `provider` is the one that answered, as in `gen_ai.provider.name`; where it is `None`, only the own table can
        know the price, as anybody may call a model of theirs `gpt-4o`. `at` is when it was called (by default now):
        prices change, and with some providers by the hour.
        """
        if model is None or usage.input_tokens is None:
            return None
        rates = self.rates(provider, model)
        if rates is not None:
            return cost_at(rates, usage)
        return None if provider is None else _listed(_NAMES.get(provider, provider), model, usage, at)

    def priced(
        self,
        usage: Usage,
        provider: str | None,
        model: str | None,
        at: dt.datetime | None = None,
        *,
        asked: str | None = None,
        rates: Rates | None = None,
    ) -> Usage:
        """`usage` of one call with its cost, or with `unpriced=1` where that is unknown.

        `model` is the id that the answer gave, `asked` the one in the request, which is looked up where the first is
        in no table. `rates` are the user's for this very call, before any table. A cost that is there already stays.
        """
        if usage.cost is not None:
            return usage
        if rates is not None:
            cost = cost_at(rates, usage)
        else:
            cost = self.price(provider, model, usage, at)
            if cost is None and asked is not None and asked != model:
                cost = self.price(provider, asked, usage, at)
        return dataclasses.replace(usage, cost=cost) if cost is not None else dataclasses.replace(usage, unpriced=1)

    def rates(self, provider: str | None, model: str) -> Rates | None:
        """The entry of the own table for a model, `None` where there is none."""
        if not self.own:
            return None
        names = (model.lower(), f"{provider}/{model}".lower()) if provider else (model.lower(),)
        best: tuple[int, Rates] | None = None
        for key, rates in self.own.items():
            fits = _fits(key.lower(), names)
            if fits is not None and (best is None or fits > best[0]):
                best = (fits, rates)
        return None if best is None else best[1]


def table(given: Mapping[str, Mapping[str, Decimal]]) -> Prices:
    """The prices with an own table as `Settings.prices` has it."""
    return Prices(own={name: rates_of(price) for name, price in given.items()})


def rates_of(price: Mapping[str, Decimal]) -> Rates:
    """The rates of a price that `pricelist.price_of` has checked."""
    return Rates(input=price["input"], output=price.get("output"), cached=price.get("cached"))


def cost_at(rates: Rates, usage: Usage) -> Decimal | None:
    """What `usage` costs at `rates`, in US dollars; `None` where a count that matters is unknown.

    Cached input is charged at its own rate, else as any other. Output without a rate is free only where there is none.
    """
    if usage.input_tokens is None or (usage.output_tokens is None and rates.output is not None):
        return None
    if rates.output is None and usage.output_tokens:
        return None
    cached = 0 if rates.cached is None else min(usage.cached_tokens or 0, usage.input_tokens)
    money = rates.input * (usage.input_tokens - cached) + (rates.cached or 0) * cached
    if rates.output is not None:
        money += rates.output * (usage.output_tokens or 0)
    return money / _MILLION


def _fits(key: str, names: tuple[str, ...]) -> int | None:
    """How much of one of `names` the key says, `None` where it fits none; a whole name beats any beginning."""
    if key in names:
        return 1_000_000 + len(key)
    if key.endswith("*") and any(name.startswith(key[:-1]) for name in names):
        return len(key)
    return None


def _listed(provider: str, model: str, usage: Usage, at: dt.datetime | None) -> Decimal | None:
    rates = _flat(provider, model)
    if isinstance(rates, Rates):
        return cost_at(rates, usage)
    if rates == "unknown" or usage.output_tokens is None:
        return None
    from genai_prices import Usage as Listed

    listed = Listed(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=min(usage.cached_tokens or 0, usage.input_tokens or 0) or None,
    )
    try:
        return _snapshot().calc(listed, model, provider, None, at or dt.datetime.now(dt.UTC)).total_price
    except (LookupError, ValueError):
        return None  # no such model, or the package cannot tell the price from these counts


@functools.lru_cache(maxsize=1024)
def _flat(provider: str, model: str) -> Rates | Literal["unknown", "varying"]:
    """The rates of a model whose price is the same at any time and for any length, as most are; else what it is.

    The package takes two tenths of a millisecond to work a price out, which is more than all the rest that is recorded
    of a call, and so the plain ones are multiplied here.
    """
    try:
        found: Any = _snapshot().find_provider_model(model, None, provider, None)[1].prices
    except LookupError:
        return "unknown"
    if isinstance(found, list):
        return "varying"
    given = {key: value for key, value in vars(found).items() if value is not None and not key.startswith("_")}
    amounts = {key: given.get(key) for key in _FLAT}
    usual = amounts["input_mtok"] is not None and "requests_kcount" not in given
    if not usual or not all(amount is None or isinstance(amount, Decimal) for amount in amounts.values()):
        return "varying"
    return Rates(input=given["input_mtok"], output=given.get("output_mtok"), cached=given.get("cache_read_mtok"))


@functools.cache
def _snapshot() -> DataSnapshot:
    # Of our own, as another library in the process may have told the package to keep its tables up to date.
    from genai_prices.data import providers
    from genai_prices.data_snapshot import DataSnapshot

    return DataSnapshot(providers=providers, from_auto_update=False)
