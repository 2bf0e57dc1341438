"""One item of a suite between its set-up and its teardown, and how what came of it is told to pytest."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.canonical import utc_now
from evalkit.runner import Finished
from evalkit.tracing import Scope, accounted
from evalkit.trial import Output, Trial, error_info

if TYPE_CHECKING:
    from pytest_evalkit.collect import EvalItem


@dataclasses.dataclass(slots=True, kw_only=True, eq=False)
class Flight:
    """One item between set-up and teardown.

    `hook` has the hooks that pytest calls for items of its path; it looks them up anew whenever it is asked for them.
    """

    item: EvalItem
    hook: Any
    setup: pytest.CallInfo[None]
    setup_report: pytest.TestReport
    replay: Callable[[], None]
    scope: Scope
    context: Context
    finished: Finished | None = None
    outcome: BaseException | None = None
    landed: bool = False
    recorded: bool = False

    @property
    def earlier(self) -> tuple[Trial, ...]:
        """The attempts at the trial that failed before it."""
        return () if self.finished is None else self.finished.earlier

    @property
    def trial(self) -> Trial | None:
        """The trial, once the item has landed; `None` for one that was skipped, which is no trial but missing."""
        if self.finished is not None:
            return self.finished.trial
        error = self.setup.excinfo.value if self.setup.excinfo is not None else self.outcome
        if error is None or isinstance(error, pytest.skip.Exception):
            return None
        info = error_info(error)
        if isinstance(error, pytest.fail.Exception):
            info = dataclasses.replace(info, is_assertion=True)
        trace = self.scope.end(error=f"{info.type}: {info.message}")
        output, _ = accounted(Output(error=info), (), self.scope, trace)
        return Trial(
            case_id=self.item.case.id,
            number=self.item.number,
            output=output,
            outcome="missed" if info.is_assertion else "errored",
            started_at=utc_now(),
            duration=0.0,
            nodeid=self.item.nodeid,
            trace=trace,
            versions=self.scope.versions,
        )


def raise_outcome(flight: Flight) -> None:
    """Raise what the body of a flight that has landed is to be reported with; nothing where it passed.

    With gates the gates decide, so that a miss or an error raises nothing; a skip always does.
    """
    ended = flight.finished.exception if flight.finished is not None else None
    if isinstance(ended, pytest.exit.Exception):
        raise ended  # gates decide on trials, not on whether the session goes on
    gated = bool(flight.item.planned.gates)
    if flight.outcome is not None and not (gated and isinstance(flight.outcome, pytest.fail.Exception)):
        raise flight.outcome
    if gated or flight.finished is None:
        return
    if flight.finished.exception is not None:
        raise flight.finished.exception
    from pytest_evalkit.terminal import Missed

    trial = flight.finished.trial
    if trial.outcome != "passed":
        raise Missed(flight.item.case, trial)
