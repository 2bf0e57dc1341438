"""Money is set aside before a trial starts, so that a limit is exceeded by no more than what nobody could foresee."""

from __future__ import annotations

import random
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from evalkit.budget import FIRST, Budget
from evalkit.usage import Usage

CENTS = st.integers(0, 60).map(lambda cents: Decimal(cents) / 100)


@given(
    costs=st.lists(st.tuples(st.sampled_from("ab"), CENTS), min_size=1, max_size=60),
    limit=st.integers(1, 300).map(lambda cents: Decimal(cents) / 100),
    at_once=st.integers(1, 12),
    luck=st.integers(0, 9),
)
def test_the_limit_is_exceeded_by_no_more_than_trials_cost_beyond_what_was_set_aside(costs, limit, at_once, luck):
    budget, draw = Budget(limit=limit), random.Random(luck)
    waiting = list(enumerate(costs))
    flying: list[tuple[int, str, Decimal, Decimal]] = []
    spent = beyond = Decimal(0)
    stopped = False
    while waiting or flying:
        while waiting and len(flying) < at_once:
            number, (suite, cost) = waiting[0]
            estimate = budget.estimate(suite)
            answer = budget.ask(suite, number)
            if answer == "wait":
                assert flying, "there is something to wait for"
                break
            if answer == "stop":
                stopped = True
                waiting.clear()
                break
            assert not stopped
            waiting.pop(0)
            flying.append((number, suite, cost, estimate))
            assert budget.spent + budget.reserved <= limit
            assert budget.spent < limit
        if flying:
            number, suite, cost, estimate = flying.pop(draw.randrange(len(flying)))
            budget.settle(suite, number, [Usage(cost=cost)])
            spent += cost
            beyond += max(cost - estimate, Decimal(0))
    assert budget.spent == spent
    assert budget.reserved == 0
    assert spent <= limit + beyond
    if not stopped:
        assert spent == sum(cost for _, cost in costs), "everything ran, so everything was paid"


def test_trials_of_one_price_never_exceed_the_limit_and_leave_less_than_one_unspent():
    budget, price = Budget(limit=Decimal("1.00")), Decimal("0.03")
    started = 0
    while budget.ask("suite", started) == "go":
        budget.settle("suite", started, [Usage(cost=price)])
        started += 1
    assert started == 33
    assert budget.spent == Decimal("0.99")
    assert budget.ask("another", 0) == "stop", "nothing more, in any suite"


def test_at_first_only_a_few_go_and_then_as_many_as_the_money_allows():
    budget = Budget(limit=Decimal(1))
    assert [budget.ask("suite", number) for number in range(FIRST + 2)] == ["go"] * FIRST + ["wait"] * 2
    budget.settle("suite", 0, [Usage(cost=Decimal("0.25"))])
    assert [budget.ask("suite", number) for number in range(10, 15)] == ["go"] + ["wait"] * 4
    assert budget.spent + budget.reserved == 1, "those in flight may turn out as dear as the first"


def test_waiting_for_what_was_set_aside_and_not_needed():
    budget = Budget(limit=Decimal(1))
    budget.settle("suite", "dear", [Usage(cost=Decimal("0.40"))])
    assert budget.ask("suite", 1) == "go"
    assert budget.ask("suite", 2) == "wait"
    budget.settle("suite", 1, [Usage(cost=Decimal("0.01"))])
    assert budget.ask("suite", 2) == "go"


def test_judges_are_paid_too_and_recorded_answers_are_not():
    budget = Budget(limit=Decimal(5))
    budget.settle("suite", 1, [Usage(cost=Decimal("0.10")), Usage(cost=Decimal("0.02")), None])
    budget.settle("suite", 2, [Usage(cost=Decimal("0.10"), saved=Decimal("0.10"))])
    assert budget.spent == Decimal("0.12")


def test_calls_without_a_known_price_are_counted():
    budget = Budget(limit=Decimal(5))
    budget.settle("suite", 1, [Usage(cost=Decimal("0.10"), calls=3, unpriced=2)])
    budget.settle("suite", 2, [Usage(input_tokens=5, output_tokens=1)])
    budget.settle("suite", 3, [Usage(calls=4)])
    budget.settle("suite", 4, [None])
    assert budget.unpriced == 2 + 1 + 4
