"""What the calls of a trial used, and for whom: the function under test, or one of the scorers.

Tokens are counted once: on the innermost call. A span of a framework's or of an instrumented client around the call
that was really made says the same tokens again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from evalkit.score import Score
from evalkit.spans import Span, Trace
from evalkit.tracing import names
from evalkit.tracing.scope import Scope
from evalkit.trial import Output
from evalkit.usage import Usage, summed

_UNKNOWN = Usage(calls=1, uncounted=1, unpriced=1)


def accounted(
    output: Output, scores: Sequence[Score], scope: Scope, trace: Trace | None
) -> tuple[Output, tuple[Score, ...]]:
    """The output and the scores with what their calls used.

    A usage that the function under test gave itself stays as it is. What a scorer used stands on the first of its
    scores; where it gave none, it is counted with the output, so that the sum is right.
    """
    if trace is not None and output.trace_id is None:
        output = Output(  # written out, since dataclasses.replace() takes several times as long
            value=output.value,
            error=output.error,
            latency=output.latency,
            usage=output.usage,
            trace_id=trace.trace_id,
            metadata=output.metadata,
        )
    by_scorer = used(trace) if trace is not None else list(scope.usages)
    if not by_scorer:
        return output, tuple(scores)
    judges: dict[str, list[Usage]] = {}
    target: list[Usage] = []
    givers = {score.scorer for score in scores}
    for scorer, usage in by_scorer:
        if scorer is not None and scorer in givers:
            judges.setdefault(scorer, []).append(usage)
        else:
            target.append(usage)
    made: list[Score] = []
    for score in scores:
        usages = judges.pop(score.scorer, None)
        made.append(score if usages is None or score.usage else dataclasses.replace(score, usage=summed(usages)))
    if output.usage is None and target:
        output = dataclasses.replace(output, usage=summed(target))
    return output, tuple(made)


def used(trace: Trace) -> list[tuple[str | None, Usage]]:
    """One entry for each call to a model that was answered, or may have been: the scorer that made it, and its usage.

    A call that was refused, with a status of 400 or more, is none; one that broke off has an unknown usage.
    """
    if not any(span.kind in ("llm", "embedding") for span in trace.spans):
        return []
    children: dict[str | None, list[Span]] = {}
    known = {span.span_id for span in trace.spans}
    for span in trace.spans:
        children.setdefault(span.parent_id if span.parent_id in known else None, []).append(span)
    found: list[tuple[str | None, Usage]] = []
    waiting: list[tuple[Span, str | None]] = [(span, None) for span in reversed(children.get(None, []))]
    while waiting:
        span, scorer = waiting.pop()
        scorer = _scorer(span) or scorer
        if span.kind in ("llm", "embedding"):
            calls = _calls_below(span, children)
            found += [(_scorer(call) or scorer, usage) for call, usage in _counted(span, calls)]
        else:
            waiting += [(child, scorer) for child in reversed(children.get(span.span_id, []))]
    return found


def _scorer(span: Span) -> str | None:
    name = span.attributes.get(names.SCORER)
    return name if isinstance(name, str) else None


def _calls_below(span: Span, children: dict[str | None, list[Span]]) -> list[Span]:
    # The innermost calls within one; those that have calls within themselves are left out.
    found: list[Span] = []
    waiting = list(children.get(span.span_id, ()))
    while waiting:
        below = waiting.pop()
        inner = children.get(below.span_id, [])
        if below.kind in ("llm", "embedding") and not _has_calls(below, children):
            found.append(below)
        else:
            waiting += inner
    return found


def _has_calls(span: Span, children: dict[str | None, list[Span]]) -> bool:
    waiting = list(children.get(span.span_id, ()))
    while waiting:
        below = waiting.pop()
        if below.kind in ("llm", "embedding"):
            return True
        waiting += children.get(below.span_id, [])
    return False


def _counted(span: Span, calls: Iterable[Span]) -> list[tuple[Span, Usage]]:
    inner = list(calls)
    counts = [(call, usage) for call in inner if (usage := _usage(call)) is not None]
    has_tokens = any(usage.input_tokens is not None or usage.output_tokens is not None for _, usage in counts)
    if inner and (has_tokens or span.usage is None or span.usage.uncounted):
        return counts
    own = _usage(span)
    return [] if own is None else [(span, own)]


def _usage(span: Span) -> Usage | None:
    if span.usage is not None:
        return span.usage
    status = span.attributes.get(names.STATUS)
    if isinstance(status, int) and status >= 400:
        return None
    return _UNKNOWN
