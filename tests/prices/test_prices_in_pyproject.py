"""`[tool.evalkit.prices]`: read exactly, and refused with a near match where it is misspelt."""

from __future__ import annotations

from decimal import Decimal

import pytest

from evalkit import prices
from evalkit.config import load_settings
from evalkit.errors import ConfigError


def settings(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text)
    return load_settings(tmp_path, environ={})


def test_a_table_is_read_to_the_cent(tmp_path):
    found = settings(
        tmp_path,
        '[tool.evalkit.prices]\n"house-*" = {input = 0.1, output = 0.3, cached = 0.05}\n"acme/x" = {input = 2}\n',
    )
    rates = prices.table(found.prices).own
    assert rates["house-*"] == prices.Rates(input=Decimal("0.1"), output=Decimal("0.3"), cached=Decimal("0.05"))
    assert rates["acme/x"] == prices.Rates(input=Decimal(2))
    assert found.sources["prices"] == "pyproject.toml:1"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("m = {inptu = 1}", 'no key "inptu". Did you mean "input"?'),
        ("m = {input = -1}", "not an amount"),
        ("m = {input = nan}", "not an amount"),
        ("m = {input = true}", "not an amount"),
        ('m = {input = "1"}', "not an amount"),
        ("m = {output = 1}", "nothing of input"),
        ("m = 3", "not a table"),
    ],
)
def test_a_price_that_cannot_be_meant_is_an_error_with_its_place(tmp_path, line, says):
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, f"[tool.evalkit]\nrepeat = 2\n\n[tool.evalkit.prices]\n{line}\n")
    assert says in str(caught.value)
    assert "pyproject.toml:4" in str(caught.value)
    assert "per million tokens" in str(caught.value)


def test_a_misspelt_table_is_an_error_with_the_near_match(tmp_path):
    with pytest.raises(ConfigError, match='Did you mean "prices"'):
        settings(tmp_path, "[tool.evalkit.price]\nm = {input = 1}\n")
