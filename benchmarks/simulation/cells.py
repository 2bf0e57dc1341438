"""What a simulation finds: for one scenario, how often each way of deciding passes and fails where it should not."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

OURS = "evalkit"
SIDES = ("false_pass", "false_fail")

Grid = Literal["first", "second"]
"""`first` is the grid that methods were chosen on, `second` one that was laid down afterwards and not looked at."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """How often a gate passes, and fails, where the truth is exactly at its bound."""

    false_pass: float
    false_fail: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One scenario: `found` has the errors of each way of deciding.

    `draws` is `None` where all was enumerated; else `again` draws it anew, so many times and with another seed.
    """

    scenario: str
    grid: Grid
    found: Mapping[str, Errors]
    draws: int | None = None
    again: Callable[[int, int], Cell] | None = None


@dataclasses.dataclass(slots=True)
class Tally:
    """Counts, or chances, of wrong limits."""

    weight: float = 0.0
    low_wrong: float = 0.0
    high_wrong: float = 0.0

    def add(self, low: float, high: float, truth: float, weight: float = 1.0) -> None:
        """One interval. A limit on the truth itself is right."""
        slack = 1e-12 * max(1.0, abs(truth))
        self.weight += weight
        self.low_wrong += weight * (low > truth + slack)
        self.high_wrong += weight * (high < truth - slack)

    def errors(self, *, wants_more: bool = True) -> Errors:
        """A lower limit that is too high is a false PASS where more is better, an upper one that is too low else."""
        low, high = self.low_wrong / self.weight, self.high_wrong / self.weight
        return Errors(false_pass=low, false_fail=high) if wants_more else Errors(false_pass=high, false_fail=low)


def highest(cells: Iterable[Cell], method: str, side: str) -> tuple[float, str]:
    """The largest error of a method on one side, and the scenario it is from."""
    return max((getattr(cell.found[method], side), cell.scenario) for cell in cells)


def ours_on(side: str) -> Callable[[Cell], float]:
    """Our error on one side."""
    return lambda cell: float(getattr(cell.found[OURS], side))


def confirmed(cells: Sequence[Cell], *, draws: int, seed: int, most: int = 3) -> list[Cell]:
    """The cells that look worst for us, drawn again with another seed; as they are where all was enumerated.

    The highest of many drawn figures is high by luck as well, and a second draw takes that luck away.
    """
    found: list[Cell] = []
    for grid in ("first", "second"):
        inside = [cell for cell in cells if cell.grid == grid]
        if not inside or inside[0].again is None:
            found += inside
            continue
        chosen: dict[str, Cell] = {}
        for side in SIDES:
            worst = sorted(inside, key=ours_on(side), reverse=True)
            chosen |= {cell.scenario: cell for cell in worst[:most]}
        found += [cell.again(draws, seed + 1) for cell in chosen.values() if cell.again is not None]
    return found


def noise(draws: int | None, *, rate: float = 0.025) -> float:
    """Two standard errors of a rate of 2.5 % over so many draws; 0 for what was enumerated."""
    return 0.0 if draws is None else 2 * math.sqrt(rate * (1 - rate) / draws)


def methods_of(cells: Sequence[Cell]) -> list[str]:
    """The ways of deciding, ours first."""
    return list(cells[0].found)
