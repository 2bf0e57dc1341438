"""The quick way to canonical JSON gives the very bytes of the reference, whatever the value."""

from __future__ import annotations

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evalkit.canonical import canonical_json, digest

SAFE = 2**53 - 1
text = st.text(st.characters(exclude_categories=("Cs",)))
scalars = st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.floats(allow_nan=False, allow_infinity=False) | text
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=20)


@settings(deadline=None)
@given(values)
@example([1.0, -0.0, 1e21, 1e-7, 1e-4, 9.999e-5, 1e15, 123456789012345.6, 5e-324, 1.7976931348623157e308])
@example({"\ufffd": 1, "\U0001f600": 2, "é": 3, "e": 4})
@example(['\x00\x1f\x7f\u2028"\\/', "\b\f\n\r\t"])
def test_the_bytes_are_those_of_rfc_8785(value: object) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


def test_key_order_and_whole_floats_do_not_change_a_digest() -> None:
    assert digest({"a": 1, "b": 2.0}) == digest({"b": 2, "a": 1.0})


@pytest.mark.parametrize("value", [2**53, -(2**60), {"n": [2**53]}])
def test_integers_beyond_53_bits_keep_a_digest_of_their_own(value: object) -> None:
    assert b"$int" in canonical_json(value)


def test_neighbouring_big_integers_differ() -> None:
    assert digest(2**60) != digest(2**60 + 1)


def test_a_lone_surrogate_has_a_digest() -> None:
    assert digest("a\ud800") == digest("a\\ud800")
