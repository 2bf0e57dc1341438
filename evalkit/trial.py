"""A trial is one attempt at one case; an output is what the function under test gave in it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import traceback
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal

from evalkit.score import ErrorInfo, Score
from evalkit.spans import Trace
from evalkit.usage import Usage
from evalkit.versions import Version

Outcome = Literal["passed", "missed", "errored", "unscored"]
"""What became of a trial.

`errored`: the function under test raised or ran out of time, or a scorer raised.
`missed`: an `assert` in the body failed, a score is `False`, or a score is below its pass mark.
`unscored`: there are scorers, and none gave a score. `passed`: everything else.
"""


REDACTED = "$redacted"
"""The one key of what stands in the place of an output that was taken out of a store; its value is the digest."""


def redacted(value: Any) -> str | None:
    """The digest of the output that was here before it was redacted; `None` where nothing was."""
    if not isinstance(value, Mapping) or set(value) != {REDACTED}:
        return None
    digest = value[REDACTED]
    return digest if isinstance(digest, str) and re.fullmatch(r"[0-9a-f]{64}", digest) else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What the function under test gave: a value, or the error.

    A suite's function may return one itself, to say more than a value: usage, or a latency that was measured
    elsewhere. `latency` is in seconds, of the function alone, without set-up and scoring; `None` is unknown.
    `trace_id` is 32 lower-case hex digits.
    """

    value: Any = None
    error: ErrorInfo | None = None
    latency: float | None = None
    usage: Usage | None = None
    trace_id: str | None = None
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One attempt at one case, with its output and scores.

    `number` counts the repeats of a case from 1, `attempt` the tries at this same trial from 1 (a trial is
    attempted again only after an infrastructure fault). `duration` is in seconds, body and scoring together.
    `nodeid` is pytest's, or `None` outside pytest. `trace` is what happened inside, `None` where nothing was traced
    or where it was left out. `versions` are the prompts and models used beside those the suite declares.
    """

    case_id: str
    number: int = 1
    attempt: int = 1
    output: Output
    scores: tuple[Score, ...] = ()
    outcome: Outcome
    started_at: dt.datetime
    duration: float
    nodeid: str | None = None
    trace: Trace | None = None
    versions: tuple[Version, ...] = ()

    def without_payload(self) -> Trial:
        """The same trial without its output's value and metadata and its trace, for keeping many in memory."""
        output = self.output  # written out, since dataclasses.replace() takes five times as long
        return Trial(
            case_id=self.case_id,
            number=self.number,
            attempt=self.attempt,
            output=Output(error=output.error, latency=output.latency, usage=output.usage, trace_id=output.trace_id),
            scores=self.scores,
            outcome=self.outcome,
            started_at=self.started_at,
            duration=self.duration,
            nodeid=self.nodeid,
            versions=self.versions,
        )


def outcome_of(output: Output, scores: Sequence[Score]) -> Outcome:
    """The outcome that follows from an output and its scores; see `Outcome`.

    No scores at all is `passed` where the body asserts for itself; whether a gate may pass on that is for
    the gates to say, and they say no.
    """
    if output.error is not None:
        return "missed" if output.error.is_assertion else "errored"
    if any(score.status == "error" for score in scores):
        return "errored"
    if any(score.passed is False for score in scores):
        return "missed"
    if scores and all(score.status == "unscored" for score in scores):
        return "unscored"
    return "passed"


def error_info(error: BaseException, *, tb: TracebackType | None = None, limit: int = 20_000) -> ErrorInfo:
    """The record of an exception: its type, its message, and its traceback as text, at most `limit` characters.

    A traceback that is too long loses its middle, never its last lines.
    """
    text = _traceback_text(error, tb or error.__traceback__)
    if len(text) > limit:
        text = f"{text[: limit // 4]}\n… {len(text) - limit} characters left out …\n{text[-limit * 3 // 4 :]}"
    return ErrorInfo(
        type=type(error).__qualname__,
        message=str(error)[:2000],
        traceback=text,
        is_assertion=isinstance(error, AssertionError),
    )


def _traceback_text(error: BaseException, tb: TracebackType | None) -> str:
    # Without the marks below a line that show which part of it failed: to place them Python parses the line, and
    # where two threads parse at once one of them may get a SystemError (python/cpython#106905).
    told = traceback.TracebackException(type(error), error, tb, compact=True)
    chain = [told]
    while chain:
        one = chain.pop()
        for frame in one.stack:
            frame.colno = frame.end_colno = None
        chain.extend(other for other in (one.__cause__, one.__context__, *(one.exceptions or ())) if other is not None)
    return "".join(told.format())
