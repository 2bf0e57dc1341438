"""What becomes of a trial in which replay had no answer, whatever the code under test made of that."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from evalkit.score import ErrorInfo, Score
from evalkit.tracing.scope import Scope
from evalkit.trial import Output

TYPE = "ReplayMiss"


def with_misses(output: Output, scores: Sequence[Score], scope: Scope) -> tuple[Output, tuple[Score, ...]]:
    """The output as an error, and no scores, where a call of the function under test had no recorded answer.

    Where only a scorer's call had none, it is that scorer's score that becomes an error. Code that catches the error
    of its client and goes on would otherwise be judged on something that it never does.
    """
    missed = scope.missed
    own = missed.get(None)
    if own:
        before = output.error
        error = _error(own, traceback=None if before is None else before.traceback)
        return dataclasses.replace(output, error=error), ()
    if not missed:
        return output, tuple(scores)
    made: dict[int | str, Score] = {}
    for place, score in enumerate(scores):
        texts = missed.get(score.scorer)
        if texts is None:
            made[place] = score
        elif score.scorer not in made:
            error = _error(texts, traceback=None if score.error is None else score.error.traceback)
            made[score.scorer] = Score(
                name=score.name,
                status="error",
                explanation=f"{error.type}: {error.message}",
                scorer=score.scorer,
                scorer_version=score.scorer_version,
                error=error,
            )
    return output, tuple(made.values())


def _error(texts: Sequence[str], *, traceback: str | None) -> ErrorInfo:
    more = f"\nAnd {len(texts) - 1} more without a recorded answer." if len(texts) > 1 else ""
    return ErrorInfo(type=TYPE, message=texts[0] + more, traceback=traceback)
