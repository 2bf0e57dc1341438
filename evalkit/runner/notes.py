"""What a body says about itself beside its return value."""

from __future__ import annotations

from typing import Any

from evalkit.score import Score
from evalkit.usage import Usage


class Notes:
    """The `evalkit` fixture: a test's own output and scores, kept for the record of its trial.

    `output(value)` records what is judged, where the test returns nothing; `score(name, value)` records a
    score that the test worked out by itself. Both may be called as often as needed; the last output counts,
    and every score is kept. `trial` says which repeat of the case this is, counted from 1.
    """

    __slots__ = ("_has_output", "_output", "_scores", "_trial", "_usage")

    def __init__(self, *, trial: int = 1) -> None:
        self._trial = trial
        self._output: Any = None
        self._has_output = False
        self._usage: Usage | None = None
        self._scores: list[Score] = []

    @property
    def trial(self) -> int:
        """Which repeat of the case this is, counted from 1; always 1 in a test that is no suite."""
        return self._trial

    def output(self, value: Any, *, usage: Usage | None = None) -> None:
        """Record `value` as the output of this trial, with the tokens and money it took where they are known."""
        self._output = value
        self._has_output = True
        self._usage = usage

    def score(
        self,
        name: str,
        value: float | bool | str | None,
        *,
        label: str | None = None,
        explanation: str | None = None,
        passed: bool | None = None,
    ) -> None:
        """Record a score. A bool is an assertion, a number a score, a string a label, `None` is unscored.

        Raises `ValueError` for an empty name or a value that is not finite.
        """
        if not name:
            raise ValueError("a score needs a name")
        if isinstance(value, str):
            label, value = value, None
        self._scores.append(
            Score(name=name, value=value, label=label, explanation=explanation, passed=passed, scorer="test")
        )

    def clear(self) -> None:
        """Forget what was recorded, before another attempt at the same trial."""
        self._output, self._has_output, self._usage = None, False, None
        self._scores.clear()

    @property
    def has_output(self) -> bool:
        """Whether `output` was called."""
        return self._has_output

    @property
    def recorded(self) -> tuple[Any, Usage | None]:
        """The last output and its usage."""
        return self._output, self._usage

    @property
    def scores(self) -> tuple[Score, ...]:
        """The scores so far, in the order they were given."""
        return tuple(self._scores)
