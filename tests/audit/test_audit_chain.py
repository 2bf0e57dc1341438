"""A chain of entries: whatever is done to one of them, verifying names the first that is wrong."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.audit import GENESIS, Entry, Row, body_of, following, hash_of, verify

FACTS = {"action": "test", "actor": {"name": "ann"}, "alias": "", "at": "2026", "promotion": None, "subject": "x"}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def chain(length: int, said: Any = None) -> list[Entry]:
    entries: list[Entry] = []
    before = GENESIS
    for seq in range(1, length + 1):
        entries.append(following(before, seq, body_of({**FACTS, "facts": {"n": seq, "said": said}})))
        before = entries[-1].hash
    return entries


def rows(entries: list[Entry]) -> list[Row]:
    return [dataclasses.astuple(entry) for entry in entries]  # type: ignore[misc]  # four fields


def test_a_chain_is_good() -> None:
    entries = chain(5)
    found = verify(rows(entries), strict=True)
    assert (found.ok, found.entries, found.seq, found.hash) == (True, 5, 5, entries[-1].hash)


def test_an_empty_log_is_good() -> None:
    assert verify([]) == verify([], strict=True)
    assert (verify([]).ok, verify([]).seq, verify([]).hash) == (True, 0, GENESIS)


def test_the_hash_can_be_computed_by_others() -> None:
    first, second = chain(2)
    text = first.hash + "\n2\n" + second.body
    assert second.hash == hashlib.sha256(text.encode()).hexdigest()


def test_a_part_is_verified_after_the_one_before_it() -> None:
    entries = chain(6)
    assert verify(rows(entries[3:]), seq=3, hash=entries[2].hash).ok
    assert not verify(rows(entries[3:])).ok


@given(said=json_values)
def test_whatever_is_said_is_canonical(said: Any) -> None:
    (entry,) = chain(1, said)
    assert verify(rows([entry]), strict=True).ok
    assert body_of(json.loads(entry.body)) == entry.body


@given(said=json_values)
def test_no_fraction_is_left_to_the_reader(said: Any) -> None:
    (entry,) = chain(1, said)

    def numbers(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [found for item in value.values() for found in numbers(item)]
        if isinstance(value, list):
            return [found for item in value for found in numbers(item)]
        return [value] if isinstance(value, int | float) else []

    assert all(isinstance(number, int) and abs(number) < 2**53 for number in numbers(json.loads(entry.body)))


cells = st.none() | st.integers(-5, 50) | st.text(max_size=70) | st.binary(max_size=5) | st.floats()


@given(data=st.data(), length=st.integers(1, 8))
def test_any_cell_of_any_row_that_is_changed_is_found(data: st.DataObject, length: int) -> None:
    good = rows(chain(length))
    at, column = data.draw(st.integers(0, length - 1)), data.draw(st.integers(0, 3))
    old = good[at][column]
    other = [row[column] for row in good]
    new = data.draw(
        cells
        | st.sampled_from(other)
        | (st.builds(flipped, st.just(old), st.integers(0, 10_000)) if isinstance(old, str) else st.nothing())
    )
    if type(new) is type(old) and new == old:
        return
    changed = list(good)
    changed[at] = (*good[at][:column], new, *good[at][column + 1 :])
    found = verify(changed)
    assert not found.ok
    assert found.entries in (at, at - 1) or (found.entries == at + 1 and column == 2)
    assert re.match(rf"Entr(y|ies) ({at}|{at + 1}|{at + 2})\b", found.problem) or column == 0


def flipped(text: str, place: int) -> str:
    """The text with one character another."""
    at = place % len(text)
    return text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]


@given(data=st.data(), length=st.integers(2, 8))
def test_a_row_that_is_gone_put_in_or_elsewhere_is_found(data: st.DataObject, length: int) -> None:
    good = rows(chain(length))
    at = data.draw(st.integers(0, length - 2))
    other = data.draw(st.integers(at + 1, length - 1))
    without = good[:at] + good[at + 1 :]
    assert verify(without).problem.startswith(f"Entry {at + 1} is missing")
    doubled = good[: at + 1] + good[at:]
    assert verify(doubled).problem == f"Entry {at + 1}: it stands where {at + 2} is due."
    swapped = list(good)
    swapped[at], swapped[other] = swapped[other], swapped[at]
    assert verify(swapped).entries == at
    renumbered = list(good)
    renumbered[at], renumbered[other] = (good[at][0], *good[other][1:]), (good[other][0], *good[at][1:])
    assert verify(renumbered).entries == at


@given(length=st.integers(1, 8), data=st.data())
def test_an_entry_whose_own_hash_was_made_to_fit_breaks_the_next(length: int, data: st.DataObject) -> None:
    entries = chain(length + 1)
    at = data.draw(st.integers(0, length - 1))
    body = body_of({**FACTS, "facts": {"n": "another"}})
    entries[at] = dataclasses.replace(entries[at], body=body, hash=hash_of(entries[at].prev_hash, at + 1, body))
    found = verify(rows(entries))
    assert found.entries == at + 1
    assert found.problem.startswith(f"Entry {at + 2}: its previous hash is")


def test_the_chain_alone_does_not_see_that_its_end_is_gone() -> None:
    assert verify(rows(chain(5)[:3])).ok


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{", "is no JSON"),
        ("[1]", "does not say what happened"),
        ('{"action":"x"}', "does not say what happened"),
        (body_of({**FACTS, "facts": {}}).replace(",", ", ", 1), "not in canonical form"),
        (body_of({**FACTS, "facts": {}}).replace('"facts":{}', '"facts":{"a":1,"a":1}'), "not in canonical form"),
        (body_of({**FACTS, "facts": {}}).replace('"facts":{}', '"facts":{"b":1,"a":1}'), "not in canonical form"),
        (body_of({**FACTS, "facts": {}}).replace('"facts":{}', '"facts":{"a":1.0}'), "not in canonical form"),
        (body_of({**FACTS, "facts": {}}).replace('"x"', r'"\u0078"'), "not in canonical form"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_a_body_that_evalkit_did_not_write_is_found_where_it_is_asked_for(body: str, problem: str) -> None:
    rows_ = rows([following(GENESIS, 1, body)])
    assert verify(rows_).ok
    found = verify(rows_, strict=True)
    assert found.problem.startswith("Entry 1: ")
    assert problem in found.problem
