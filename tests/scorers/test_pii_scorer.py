"""pii: what is found, what is not, and that nothing found is shown. All numbers are published test numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import ScorerError
from evalkit_scorers import pii
from evalkit_scorers.privacy import luhn, mod97


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "write to jane.doe+news@mail.example.co.uk."),
        ("email", "<o'hara@example.com>"),
        ("phone", "call +44 20 7946 0958 now"),
        ("phone", "+49 (0)30 901820"),
        ("phone", "(415) 555-2671"),
        ("phone", "415-555-2671"),
        ("card", "4111 1111 1111 1111"),
        ("card", "4111111111111111"),
        ("card", "3782 822463 10005"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("iban", "GB82WEST12345698765432"),
        ("iban", "DE89 3704 0044 0532 0130 00 PLEASE PAY SOON"),
        ("ip", "from 203.0.113.7 today"),
        ("ip", "2001:db8::ff00:42:8329"),
        ("ip", "fe80::1:"),
        ("ssn", "078-05-1120"),
    ],
)
def test_found_and_masked(judge, kind, text):
    score = judge(pii(kinds=[kind]), f"Note: {text}")
    assert score.passed is False
    assert score.metadata == {kind: 1}
    for secret in ("jane", "hara@", "7946", "9018", "2671", "1111", "8224", "0532", "1234", "0.113", "db8", "05-11"):
        assert secret not in score.explanation


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "a @ b, user@localhost, @handle, a..b@@example.com"),
        ("phone", "in 2026 there were 1,234,567 of them; +1"),
        ("phone", "2026-11-22 10:30:45"),
        ("card", "4111 1111 1111 1112"),
        ("card", "4111 1111"),
        ("iban", "DE88 3704 0044 0532 0130 00"),
        ("iban", "ZZ89 3704 0044 0532 0130 00"),
        ("ip", "999.1.1.1 and 127.0.0.1 and ::1"),
        ("ip", "at 12:30:45, std::cafe, a::b"),
        ("ssn", "000-12-3456, 666-12-3456, 912-12-3456, 123-00-4567, 123-45-0000"),
        ("ssn", "tel 123-456-7890"),
    ],
)
def test_not_found(judge, kind, text):
    assert judge(pii(kinds=[kind]), text).passed is True


def test_all_kinds_are_counted(judge):
    score = judge(pii(), "a@example.com, b@example.com and 078-05-1120")
    assert score.metadata == {"email": 2, "ssn": 1}
    assert score.explanation == "2 e-mail addresses (a@…om, b@…om), 1 social security number (07…20)"


def test_what_is_allowed_does_not_count(judge):
    scorer = pii(allow=["Support@Example.com", "de89370400440532013000"])
    assert judge(scorer, "support@example.com, DE89 3704 0044 0532 0130 00").passed is True
    assert judge(scorer, "sales@example.com").passed is False


def test_nothing_to_search(judge):
    assert judge(pii(), "").passed is True
    assert judge(pii(), None).status == "unscored"
    assert judge(pii(), "a\ud800 b@example.com").passed is False


def test_an_unknown_kind():
    with pytest.raises(ScorerError, match="Did you mean"):
        pii(kinds=["emails"])


@given(st.text(st.sampled_from("0123456789"), min_size=1, max_size=20))
def test_luhn_has_exactly_one_check_digit(digits):
    assert sum(luhn(digits + str(check)) for check in range(10)) == 1


@given(st.text(st.sampled_from("0123456789"), min_size=18, max_size=18), st.integers(0, 96))
def test_mod97_has_one_right_remainder(account, check):
    right = 98 - int("".join(str(int(character, 36)) for character in account + "DE00")) % 97
    assert mod97(f"DE{check:02d}{account}") == (check % 97 == right % 97)
