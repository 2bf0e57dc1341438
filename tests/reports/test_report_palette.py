"""The colours can be read by everyone: WCAG 2.2 contrast, and distance for colour-blind eyes."""

from __future__ import annotations

import itertools
import re

import pytest

from evalkit_reports.html import TEMPLATES

STATES = ("pass", "fail", "inconclusive", "errored")
# Machado, Oliveira & Fernandes (2009), severity 1.0, for linear RGB.
BLIND = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
Colour = tuple[float, float, float]


def palette(theme: int) -> dict[str, Colour]:
    css = (TEMPLATES / "report.css").read_text("utf-8")
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", css)
    return {name: linear((light, dark)[theme]) for name, light, dark in pairs}


def linear(code: str) -> Colour:
    channels = [int(code[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue


def luminance(colour: Colour) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def contrast(one: Colour, other: Colour) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def oklab(colour: Colour) -> Colour:
    """Björn Ottosson's OKLab (2020)."""
    r, g, b = (max(0.0, channel) for channel in colour)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def seen_by(colour: Colour, matrix: tuple[Colour, ...]) -> Colour:
    red, green, blue = (sum(weight * part for weight, part in zip(row, colour, strict=True)) for row in matrix)
    return red, green, blue


def distance(one: Colour, other: Colour) -> float:
    return sum((a - b) ** 2 for a, b in zip(oklab(one), oklab(other), strict=True)) ** 0.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_meets_aa_on_every_ground(theme: int) -> None:
    colours = palette(theme)
    for text, ground in itertools.product(("ink", "muted", "link"), ("page", "card", "sunk")):
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for text in ("errored", "pass", "fail"):  # used for words too: what is missing, JSON
        assert contrast(colours[text], colours["card"]) >= 4.5, text


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_shapes_and_bars_meet_the_contrast_of_graphics(theme: int) -> None:
    colours = palette(theme)
    for name in (*STATES, "unscored", "bar", "focus"):
        assert contrast(colours[name], colours["card"]) >= 3, name


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("sight", BLIND)
def test_states_stay_apart_for_colour_blind_readers(theme: int, sight: str) -> None:
    colours = palette(theme)
    for one, other in itertools.combinations(STATES, 2):
        apart = distance(seen_by(colours[one], BLIND[sight]), seen_by(colours[other], BLIND[sight]))
        assert apart >= 0.09, (one, other, round(apart, 3))
