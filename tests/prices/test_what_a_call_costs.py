"""What one call costs: the installed tables, the user's own over them, and unknown where neither knows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit import prices
from evalkit.calling import Rates
from evalkit.prices import Prices, cost_at
from evalkit.usage import Usage

AT = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
CALL = Usage(input_tokens=1_000_000, output_tokens=100_000)


def test_a_listed_model_costs_what_the_list_says():
    plain = Prices()
    # 0.15 and 0.60 US dollars per million tokens, half of the first for cached input
    assert plain.price("openai", "gpt-4o-mini-2024-07-18", CALL, AT) == Decimal("0.21")
    cached = Usage(input_tokens=1_000_000, output_tokens=100_000, cached_tokens=400_000)
    assert plain.price("openai", "gpt-4o-mini-2024-07-18", cached, AT) == Decimal("0.18")


def test_an_embedding_has_no_output_to_pay_for():
    assert Prices().price("openai", "text-embedding-3-small", Usage(input_tokens=1_000_000), AT) == Decimal("0.02")


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "no-such-model"), ("no-such-provider", "gpt-4o"), (None, "gpt-4o"), ("openai", None)],
)
def test_a_price_that_nobody_knows_is_unknown_and_counted(provider, model):
    assert Prices().price(provider, model, CALL, AT) is None
    priced = Prices().priced(CALL, provider, model, AT)
    assert (priced.cost, priced.unpriced, priced.input_tokens) == (None, 1, 1_000_000)


@pytest.mark.parametrize("usage", [Usage(), Usage(input_tokens=5), Usage(output_tokens=5)])
def test_a_call_without_token_counts_has_no_known_cost(usage):
    assert Prices().price("openai", "gpt-4o-mini", usage, AT) is None


def test_the_own_table_wins_over_the_list():
    own = Prices(own={"gpt-4o-mini*": Rates(input=Decimal(1), output=Decimal(2))})
    assert own.price("openai", "gpt-4o-mini-2024-07-18", CALL, AT) == Decimal("1.2")
    assert own.price("openai", "gpt-4o", CALL, AT) == Prices().price("openai", "gpt-4o", CALL, AT)


def test_the_own_table_prices_a_model_of_an_unknown_host():
    own = Prices(own={"llama3": Rates(input=Decimal(0), output=Decimal(0))})
    assert own.price(None, "llama3", CALL, AT) == 0


def test_the_longest_entry_that_fits_wins():
    def at(number):
        return Rates(input=Decimal(number), output=Decimal(0))

    own = Prices(own={"m*": at(1), "m-large*": at(2), "m-large-2": at(3), "acme/m*": at(4)})
    cost = {
        name: own.price(provider, name, CALL, AT)
        for provider, name in [(None, "m-small"), (None, "m-large-1"), (None, "M-Large-2")]
    }
    assert cost == {"m-small": 1, "m-large-1": 2, "M-Large-2": 3}
    assert own.price("acme", "m-small", CALL, AT) == 4


def test_the_asked_for_name_counts_where_the_answering_one_is_unknown():
    own = Prices(own={"house-model": Rates(input=Decimal(3), output=Decimal(0))})
    assert own.priced(CALL, None, "weights-of-july", AT, asked="house-model").cost == 3


def test_the_rates_of_the_call_itself_come_before_every_table():
    own = Prices(own={"gpt-4o": Rates(input=Decimal(3))})
    assert own.priced(CALL, "openai", "gpt-4o", AT, rates=Rates(input=Decimal(9), output=Decimal(0))).cost == 9


def test_a_cost_that_is_known_already_stays():
    paid = Usage(input_tokens=5, output_tokens=5, cost=Decimal("0.5"))
    assert Prices().priced(paid, "openai", "gpt-4o", AT) is paid


def test_output_of_a_model_priced_for_input_alone_is_unknown():
    assert cost_at(Rates(input=Decimal(1)), CALL) is None
    assert cost_at(Rates(input=Decimal(1)), Usage(input_tokens=10, output_tokens=0)) == Decimal("0.00001")


def test_cached_input_without_a_rate_of_its_own_costs_what_any_does():
    usage = Usage(input_tokens=100, output_tokens=0, cached_tokens=60)
    assert cost_at(Rates(input=Decimal(1), output=Decimal(1)), usage) == Decimal("0.0001")


def test_the_plain_sums_are_those_of_the_package_for_every_model_it_lists():
    from genai_prices import Usage as Listed

    snapshot = prices._snapshot()
    compared = 0
    for provider in snapshot.providers:
        for model in provider.models:
            rates = prices._flat(provider.id, model.id)
            if isinstance(rates, str):
                continue
            written = 0 if rates.output is None else 567
            theirs = snapshot.calc(
                Listed(input_tokens=1234, output_tokens=written, cache_read_tokens=200), model.id, provider.id, None, AT
            )
            assert cost_at(rates, Usage(input_tokens=1234, output_tokens=written, cached_tokens=200)) == (
                theirs.total_price
            ), (provider.id, model.id)
            compared += 1
    assert compared > 500


def test_prices_by_length_are_left_to_the_package():
    long, short = Usage(input_tokens=300_000, output_tokens=0), Usage(input_tokens=100_000, output_tokens=0)
    tiered = Prices().price("google", "gemini-2.5-pro", long, AT), Prices().price("google", "gemini-2.5-pro", short, AT)
    assert tiered[0] is not None
    assert tiered[1] is not None
    assert tiered[0] > 3 * tiered[1]


def test_another_librarys_fresh_tables_change_nothing(monkeypatch):
    from genai_prices import data_snapshot

    before = Prices().price("openai", "gpt-4o", CALL, AT)
    monkeypatch.setattr(
        data_snapshot, "_custom_snapshot", data_snapshot.DataSnapshot(providers=[], from_auto_update=True)
    )
    prices._flat.cache_clear()
    assert Prices().price("openai", "gpt-4o", CALL, AT) == before


def test_the_snapshot_names_the_package_and_the_own_table():
    from importlib.metadata import version

    own = Prices(own={"a": Rates(input=Decimal("0.10"))})
    same = Prices(own={"a": Rates(input=Decimal("0.10"))})
    other = Prices(own={"a": Rates(input=Decimal("0.11"))})
    assert Prices().snapshot == {"genai-prices": version("genai-prices")}
    assert own.snapshot == same.snapshot != other.snapshot
    assert own.snapshot["own"] == {"a": {"input": "0.10"}}
    assert own.snapshot["digest"] != other.snapshot["digest"]


@given(
    read=st.integers(0, 10**9),
    cached=st.integers(0, 10**9),
    written=st.integers(0, 10**9),
    rates=st.tuples(*[st.decimals("0", "500", places=4)] * 3),
)
def test_cached_tokens_are_part_of_the_input_and_no_more(read, cached, written, rates):
    dear, out, cheap = rates
    usage = Usage(input_tokens=read, output_tokens=written, cached_tokens=cached)
    cost = cost_at(Rates(input=dear, output=out, cached=cheap), usage)
    hit = min(read, cached)
    assert cost is not None
    assert cost * 1_000_000 == dear * (read - hit) + cheap * hit + out * written
    assert cost >= 0
