"""What raised in a run, the same faults together: the function under test or a scorer, how often, and where first."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

from evalkit.runs import SuiteRun
from evalkit.score import ErrorInfo

_OURS = str(Path(__file__).parent)
_LIBRARY = re.compile(r"[\\/]lib[\\/]python3[^\\/]*[\\/]|[\\/](?:site|dist)-packages[\\/]", re.IGNORECASE)
_FRAME = re.compile(r'^\s*File "([^"]+)", line (\d+), in ', re.MULTILINE)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of fault in one suite.

    `source` is `""` for the function under test, else the scorer's name. `cases` are the ids of the cases it struck, in
    the order they ran, each once; `trials` counts the trials. `place` is the last `file:line` before libraries took
    over, where there is one, else the one that raised, or `""`.
    """

    source: str
    type: str
    message: str
    place: str
    cases: tuple[str, ...]
    trials: int


def faults(suite: SuiteRun) -> tuple[Fault, ...]:
    """The faults of a suite, the most frequent first. Failed asserts are misses, and not among them."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for source, error, case in _raised(suite):
        frames = _FRAME.findall(error.traceback or "")
        own = [frame for frame in frames if not (frame[0].startswith(_OURS) or _LIBRARY.search(frame[0]))]
        place = ":".join((own or frames)[-1]) if frames else ""
        found.setdefault((source, error.type, error.message, place), []).append(case)
    grouped = [
        Fault(
            source=source,
            type=kind,
            message=message,
            place=place,
            cases=tuple(dict.fromkeys(cases)),
            trials=len(cases),
        )
        for (source, kind, message, place), cases in found.items()
    ]
    return tuple(sorted(grouped, key=lambda fault: -fault.trials))


def _raised(suite: SuiteRun) -> Iterator[tuple[str, ErrorInfo, str]]:
    for trial in suite.trials:
        if trial.output.error is not None and not trial.output.error.is_assertion:
            yield "", trial.output.error, trial.case_id
        for score in trial.scores:
            if score.error is not None:
                yield score.scorer, score.error, trial.case_id
