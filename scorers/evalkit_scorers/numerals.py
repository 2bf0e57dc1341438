"""How people write numbers, and how they are read out of a text."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections import deque
from collections.abc import Iterator, Mapping
from decimal import Context, Decimal
from typing import Literal

ROUNDED = Context(prec=60, Emax=999_999_999, Emin=-999_999_999, traps=[])
"""Arithmetic that rounds to 60 digits instead of raising, and never spells out 1e999999."""

Percent = Literal["number", "hundredths"]

_VULGAR = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_PLAIN_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺−", "0123456789-+-")
_NEGATIVE = ("-", "−")

# POINT, GROUP and UNITS are filled in; everything after a `#` is for the reader.
_NUMBER = r"""
(?=[-+−$€£¥₹₩₽₺.,\dVULGAR])                          # nothing else begins a number: letters are passed over quickly
(?:(?<![A-Za-z0-9_)\]%]) (?P<sign>[-+−]))?          # 5-3 and GPT-4 have no sign in them
(?:[$€£¥₹₩₽₺]\s? (?P<inner>[-+−])?)?                # $5, -$5, $-5
(?<![A-Za-z0-9_]) (?<![0-9]POINT)                   # a digit behind a letter is part of a word
(?:
  FRACTION
  (?:
    (?P<whole> \d{1,3} (?:GROUP\d{3})+ (?!\d) | \d+ ) (?:POINT (?P<decimals>\d+))?
    | POINT (?P<bare>\d+)
  )
  (?:
    [eE] (?P<power>[-+−]?\d{1,6}) (?![\w])
    | \s? (?:[×xX*·⋅]|\\times|\\cdot) \s? 10
      (?: (?:\^|\*\*) \s? \{? (?P<raised>[-+−]?\d{1,6}) \}? (?!\d) | (?P<superscript>[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,6}) )
  )?
)
(?P<percent> \s? (?: [%％] | percent\b | per[ ]cent\b ))?
UNITS
"""
_FRACTION = r"""
  (?: (?P<beside>\d{1,9}) \s? )? (?P<vulgar>[VULGAR])
  | (?: (?P<mixed>\d{1,9}) [ \u00a0] )? (?<!/)(?P<above>\d{1,18}) \s? [/⁄] \s? (?P<below>0*[1-9]\d{0,17})
    (?! \d | \s?[/⁄] | POINT\d )                    # 3/4/2026 is a date
  |
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Numerals:
    """A way to write numbers, compiled once.

    `decimal` is the decimal mark, `"."` or `","`; the other of the two groups thousands, as do an underscore, an
    apostrophe and the no-break spaces, each with exactly three digits behind it. `percent` says whether 50% is
    the number 50 or 50 hundredths. `fractions` reads 3/4, 1 1/2 and ½. `units` has the factor of each unit that
    may follow a number.
    """

    decimal: Literal[".", ","] = "."
    percent: Percent = "number"
    fractions: bool = True
    units: Mapping[str, Decimal] = dataclasses.field(default_factory=dict)
    pattern: re.Pattern[str] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        point, comma = (r"\.", ",") if self.decimal == "." else (",", ".")
        names = "|".join(re.escape(unit) for unit in sorted(self.units, key=len, reverse=True))
        source = (
            _NUMBER.replace("FRACTION", _FRACTION if self.fractions else "")
            .replace("VULGAR", _VULGAR)
            .replace("GROUP", rf"[{comma}_'’\u00a0\u2009\u202f]")
            .replace("UNITS", rf"(?: \s? (?P<unit>{names}) (?![A-Za-z0-9_]) )?" if names else "")
            .replace("POINT", point)
        )
        object.__setattr__(self, "pattern", re.compile(source, re.VERBOSE))

    def numbers_in(self, text: str) -> Iterator[Decimal]:
        """Each number in `text`, from left to right."""
        for match in self.pattern.finditer(text):
            yield self._value(match.groupdict())

    def last_in(self, text: str) -> Decimal | None:
        """The last number in `text`, `None` where there is none; the others are passed over unread."""
        last = deque(self.pattern.finditer(text), maxlen=1)
        return self._value(last[0].groupdict()) if last else None

    def _value(self, part: Mapping[str, str | None]) -> Decimal:
        value = _unsigned(part)
        if part["sign"] in _NEGATIVE or part["inner"] in _NEGATIVE:
            value = value.copy_negate()
        power = part["power"] or part["raised"] or part["superscript"]
        if power:
            value = ROUNDED.scaleb(value, int(power.translate(_PLAIN_DIGITS)))
        if part["percent"] and self.percent == "hundredths":
            value = ROUNDED.scaleb(value, -2)
        unit = part.get("unit")
        return ROUNDED.multiply(value, self.units[unit]) if unit else value


def _unsigned(part: Mapping[str, str | None]) -> Decimal:
    if part.get("vulgar"):
        above, _, below = unicodedata.normalize("NFKC", part["vulgar"] or "").partition("⁄")
        return ROUNDED.add(Decimal(part["beside"] or 0), ROUNDED.divide(Decimal(above), Decimal(below)))
    if part.get("below"):
        ratio = ROUNDED.divide(Decimal(part["above"] or 0), Decimal(part["below"] or 1))
        return ROUNDED.add(Decimal(part["mixed"] or 0), ratio)
    # Built without a context, and so exact: a number may have more digits than any context keeps.
    if part["bare"]:
        return Decimal(f"0.{part['bare']}")
    digits = re.sub(r"\D", "", part["whole"] or "0")
    return Decimal(f"{digits}.{part['decimals']}" if part["decimals"] else digits)
