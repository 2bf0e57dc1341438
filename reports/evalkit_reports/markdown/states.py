"""A verdict as a shape and a word: no two shapes are alike, so nobody needs to tell their colours apart."""

from __future__ import annotations

SHAPES = {"pass": "✅", "fail": "❌", "inconclusive": "🔶", "none": "⚪"}
"""A check, a cross, a diamond, a ring; the last where nothing was decided."""


def stated(state: str, word: str | None = None) -> str:
    """`✅ PASS`, `❌ FAIL`, `🔶 INCONCLUSIVE`; the word may be another."""
    return f"{SHAPES.get(state, SHAPES['none'])} {state.upper() if word is None else word}"
