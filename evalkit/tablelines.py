"""Lines of the table of metrics and gates, laid out: in a narrow terminal, what says the least goes first."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence

from evalkit import grid
from evalkit.plaintext import Paint, wrapped

COLOURS = {"PASS": "32", "FAIL": "31", "INCONCLUSIVE": "33"}
"""How a verdict is coloured on a terminal: ANSI codes."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table. `below` are sentences that stand under it; `decision` is empty without a gate.

    `rerun` is the standard error of the mean over other runs of the same cases, empty without repeats.
    """

    metric: str
    value: str
    interval: str
    tag: str
    size: str
    missing: str
    versus: str = ""
    rerun: str = ""
    gate: str = ""
    decision: str = ""
    fragile: bool = False
    below: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The decision, and whether one case more or less would have changed it."""
        return f"{self.decision} fragile" if self.fragile else self.decision


def laid_out(lines: Sequence[Line], width: int, paint: Paint) -> Iterator[str]:
    """The rows of the table, at most `width` columns wide where the least that must be said allows it."""
    columns = grid.fit((_columns(lines, level) for level in range(_BAREST + 1)), width)
    yield paint(grid.header(columns), "2")
    for number, line in enumerate(lines):
        for level, text in enumerate(grid.lines(columns, number)):
            yield _coloured_end(text, line.verdict, paint) if level == 0 and line.decision else text
        for sentence in line.below:
            for level, text in enumerate(wrapped(sentence, width - 4)):
                yield paint(("    " if level else "  └ ") + text, "2")


_BAREST = 8


def _columns(lines: Sequence[Line], level: int) -> list[grid.Column]:
    """The columns; each level leaves one more thing out, first what is said elsewhere or says the least."""
    tight = level >= 4
    columns = [
        grid.Column(title="metric", texts=[line.metric for line in lines], least=18 if tight else None),
        grid.Column(title="value", texts=[line.value for line in lines], right=True),
    ]
    if level < 7:
        texts = [line.interval if level else f"{line.interval} {line.tag}".strip() for line in lines]
        columns.append(grid.Column(title="95% interval", texts=texts))
    sizes = [line.size for line in lines]
    if level < 6 and not (tight and len(set(sizes)) == 1):
        columns.append(grid.Column(title="cases×trials" if level < 2 else "n×k", texts=sizes, right=True))
    missing = [line.missing for line in lines]
    if level < 5 and not (level >= 3 and set(missing) == {"0"}):
        columns.append(grid.Column(title="missing", texts=missing, right=True))
    if level < 8 and any(line.versus for line in lines):
        texts = [_briefly(line.versus, level) for line in lines]
        columns.append(grid.Column(title="vs baseline (paired)" if level < 3 else "vs baseline", texts=texts))
    if level < 4 and any(line.rerun for line in lines):
        columns.append(grid.Column(title="rerun ±", texts=[line.rerun for line in lines], right=True))
    if any(line.gate or line.decision for line in lines):
        gates = [line.gate for line in lines]
        columns.append(grid.Column(title="gate", texts=gates, least=16 if tight else None, wraps=True))
        columns.append(grid.Column(title="verdict", texts=[line.verdict for line in lines]))
    return columns


_LONG_DIFFERENCE = 30
_MORE = re.compile(r" (?:\(|[\d,]+[↑↓]).*")


def _briefly(versus: str, level: int) -> str:
    """A difference; a long one, as sums of money are, loses its interval before the others have to."""
    if level >= 6:
        return _MORE.sub("", versus)
    if level >= 4 and len(versus) > _LONG_DIFFERENCE:
        difference, _, rest = versus.partition(" (")
        return f"{difference} {rest.rpartition(')')[2].strip()}"
    return versus


def _coloured_end(row: str, verdict: str, paint: Paint) -> str:
    word = verdict.split()[0]
    return row[: len(row) - len(verdict)] + paint(word, COLOURS[word]) + verdict[len(word) :]
