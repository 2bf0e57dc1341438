"""How the number of calls at once is learnt: from nothing but the answers."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from evalkit.limits import Window


def rounds(window, *, refuse, many, demand=64):
    """`many` rounds of answers, each with as many in flight as the window and the demand allow; the sizes after them."""
    sizes = []
    for _ in range(many):
        flying = int(min(window.room, demand))
        for _ in range(flying):
            window.answered(refused=refuse(flying), in_flight=flying)
        sizes.append(window.size)
    return sizes


def test_nothing_is_limited_before_anything_is_refused():
    window = Window()
    assert rounds(window, refuse=lambda _: False, many=20)[-1] == math.inf


def test_a_service_that_turns_everybody_away_is_halved_each_round_down_to_one():
    sizes = rounds(Window(), refuse=lambda _: True, many=12)
    assert sizes[:4] == [32, 16, 8, 4]
    assert sizes[-1] == 1


def test_it_grows_by_one_a_round_when_all_goes_well_again():
    window = Window()
    rounds(window, refuse=lambda _: True, many=12)
    grown = rounds(window, refuse=lambda _: False, many=20)
    assert [after - before for before, after in itertools.pairwise(grown)] == pytest.approx([1.0] * 19)


@pytest.mark.parametrize("capacity", [3, 10, 30])
def test_it_finds_what_a_service_takes(capacity):
    # Of the calls in flight, the service turns away those beyond its capacity.
    draw = random.Random(5)
    sizes = rounds(Window(), refuse=lambda flying: draw.random() < max(0, flying - capacity) / flying, many=300)
    late = sizes[100:]
    assert capacity * 0.6 <= sum(late) / len(late) <= capacity * 1.6 + 2


@pytest.mark.parametrize("seed", range(3))
def test_calls_refused_at_random_cost_little_concurrency(seed):
    draw = random.Random(seed)
    sizes = rounds(Window(), refuse=lambda _: draw.random() < 0.03, many=200)
    used = [min(size, 64) for size in sizes]
    assert sum(used) / len(used) > 48


def test_a_refusal_among_few_calls_says_nothing_about_many():
    window = Window()
    window.answered(refused=True, in_flight=3)
    window.answered(refused=False, in_flight=3)
    window.answered(refused=False, in_flight=3)
    assert window.size == math.inf


def test_a_limit_holds_from_the_start_and_the_strictest_of_several_does():
    window = Window(top=10)
    window.limit(4)
    window.limit(7)
    assert rounds(window, refuse=lambda _: False, many=30)[-1] == 4
