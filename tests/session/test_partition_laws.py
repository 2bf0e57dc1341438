"""The parts of a whole: disjoint, complete, stable, and of about one size; and how a shard is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.config import load_settings
from evalkit.errors import ConfigError
from evalkit.shards import Shard

CASES = st.lists(st.integers(), max_size=60, unique=True)
NUMBER = st.integers(1, 20)


def parts(cases: list[int], of: int) -> list[tuple[int, ...]]:
    return [Shard(index=index, of=of).part(cases) for index in range(1, of + 1)]


@given(CASES, NUMBER)
def test_each_case_is_in_one_part(cases, of):
    assert sorted(case for part in parts(cases, of) for case in part) == sorted(cases)


@given(CASES, NUMBER)
def test_no_part_has_two_cases_more_than_another(cases, of):
    sizes = [len(part) for part in parts(cases, of)]
    assert max(sizes) - min(sizes) <= 1


@given(CASES, NUMBER)
def test_parts_keep_the_order_of_the_cases(cases, of):
    for part in parts(cases, of):
        assert list(part) == [case for case in cases if case in part]


@given(CASES, st.lists(st.integers(), max_size=10), NUMBER)
def test_cases_added_at_the_end_move_no_other(cases, more, of):
    for before, after in zip(parts(cases, of), parts([*cases, *more], of), strict=True):
        assert after[: len(before)] == before


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_what_is_written_is_read(index, of):
    if index <= of:
        assert str(Shard.parse(f"{index}/{of}")) == f"{index}/{of}"
    else:
        with pytest.raises(ConfigError, match=f"no shard {index} of {of}"):
            Shard.parse(f"{index}/{of}")


@given(st.text(max_size=12))
def test_any_other_text_is_refused_as_a_mistake_of_the_user(text):
    try:
        assert str(Shard.parse(text)) == text
    except ConfigError as refusal:
        hint = refusal.hint
    else:
        hint = "none is needed"
    assert hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2-8", "Write 2/8."),
        ("2 of 8", "Write 2/8."),
        (" 2/8", "Write 2/8."),
        ("02/8", "Write 2/8."),
        ("0/8", "the first is 1/8"),
        ("9/8", "There is no shard 9 of 8."),
        ("1/20000", "at most 10,000"),
        ("half", "Write the number of this shard"),
    ],
)
def test_a_near_miss_is_told_what_to_write(text, hint):
    with pytest.raises(ConfigError) as caught:
        Shard.parse(text, where="--evalkit-shard")
    assert hint in str(caught.value)
    assert str(caught.value).startswith("--evalkit-shard")


def test_the_setting_is_checked_wherever_it_stands(tmp_path):
    assert load_settings(tmp_path, flags={"shard": "2/8"}, environ={}).shard == "2/8"
    assert load_settings(tmp_path, environ={"EVALKIT_SHARD": "1/2"}).shard == "1/2"
    with pytest.raises(ConfigError, match="EVALKIT_SHARD"):
        load_settings(tmp_path, environ={"EVALKIT_SHARD": "3/2"})
