"""What the page's own script reads: an index of all trials, and the contents in chunks, compressed.

The index holds what the case table shows, column by column, and is decoded first. The chunks hold inputs, outputs,
explanations and errors, and are decoded while the reader already reads. Every value travels as text: `null`, a
string, `["json", text]`, or `["cut", text, length]` for one that was too long.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evalkit.canonical import jsonable
from evalkit.case import Case
from evalkit.runs import Run
from evalkit.score import ErrorInfo, Score
from evalkit.trial import Trial

OUTCOMES = {"passed": "p", "missed": "m", "errored": "e", "unscored": "u"}
NOT_RUN = "n"
_WORST_FIRST = "efups"

_LIMITS = (200_000, 20_000, 4_000, 1_000)
_BUDGET = 200_000_000
_CHUNK = 512_000
_PREVIEW = 160
_PREVIEW_DEPTH = 8
_INNER_DEPTH_ERROR = "a value nested too deep to be shown"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Base64 texts of deflated JSON. `limit` is the length at which `cut` values were cut."""

    index: str
    chunks: tuple[str, ...]
    cut: int
    limit: int
    rows: int


def build_payload(run: Run) -> Payload:
    """The payload of `run`, whose trials must have come with their outputs.

    A value longer than 200,000 characters is cut. Where the values together would exceed 200 million characters,
    the limit is lowered until they do not, or until it is 1,000.
    """
    for limit in _LIMITS:
        builder = _Builder(limit, last=limit == _LIMITS[-1])
        if builder.add_all(run):
            break
    return builder.finish(run)


class _Builder:
    """One pass over a run under one limit; gives up as soon as the budget is spent, unless it is the last."""

    def __init__(self, limit: int, *, last: bool) -> None:
        self.limit = limit
        self.budget = None if last else _BUDGET
        self.spent = 0
        self.cut = 0
        self.tags: dict[str, int] = {}
        self.cases: dict[str, list[Any]] = {"id": [], "suite": [], "tags": [], "text": []}
        self.rows: dict[str, list[Any]] = {"case": [], "trial": [], "latency": [], "tokens": [], "cost": []}
        self.outcomes: list[str] = []
        self.scores: dict[str, tuple[list[Any], list[str]]] = {}
        self.chunks: list[str] = []
        self.firsts: list[int] = []
        self.open: list[str] = []
        self.open_size = 0

    def add_all(self, run: Run) -> bool:
        for number, suite in enumerate(run.suites):
            for case, trials in _by_case(suite.cases, suite.trials):
                self._add_case(number, case, trials)
                if self.budget is not None and self.spent > self.budget:
                    return False
        self._close_chunk()
        return True

    def finish(self, run: Run) -> Payload:
        rows = len(self.outcomes)
        index = {
            "suites": [suite.info.name for suite in run.suites],
            "tags": list(self.tags),
            "cases": self.cases,
            "rows": self.rows | {"outcome": "".join(self.outcomes)},
            "scores": [
                {"name": name, "values": _padded(values, None, rows), "states": "".join(_padded(states, "-", rows))}
                for name, (values, states) in self.scores.items()
            ],
            "chunks": self.firsts,
        }
        return Payload(
            index=_packed(_dumps(index)),
            chunks=tuple(map(_packed, self.chunks)),
            cut=self.cut,
            limit=self.limit,
            rows=rows,
        )

    def _add_case(self, suite: int, case: Case, trials: Sequence[Trial]) -> None:
        number = len(self.cases["id"])
        self.cases["id"].append(case.id)
        self.cases["suite"].append(suite)
        self.cases["tags"].append([self.tags.setdefault(tag, len(self.tags)) for tag in case.tags])
        self.cases["text"].append(preview(case.input))
        if not self.open:
            self.firsts.append(number)
        contents = _dumps(
            {
                "input": self._value(case.input),
                "expected": self._value(case.expected),
                "metadata": self._value(dict(case.metadata) or None),
                "source": case.source,
                "trials": [self._contents(trial) for trial in trials],
            }
        )
        for trial in trials:
            self._add_row(number, trial)
        if not trials:
            self._add_row(number, None)
        self.open.append(contents)
        self.open_size += len(contents)
        if self.open_size > _CHUNK:
            self._close_chunk()

    def _add_row(self, case: int, trial: Trial | None) -> None:
        place = len(self.outcomes)
        usage = trial.output.usage if trial else None
        self.rows["case"].append(case)
        self.rows["trial"].append(trial.number if trial else 0)
        self.rows["latency"].append(_rounded(trial.output.latency) if trial else None)
        self.rows["tokens"].append(usage.total_tokens if usage else None)
        self.rows["cost"].append(float(usage.cost) if usage and usage.cost is not None else None)
        self.outcomes.append(OUTCOMES[trial.outcome] if trial else NOT_RUN)
        for name, scores in _by_name(trial.scores if trial else ()).items():
            values, states = self.scores.setdefault(name, ([], []))
            _padded(values, None, place).append(_cell(scores))
            _padded(states, "-", place).append(min(map(_state, scores), key=_WORST_FIRST.index))

    def _contents(self, trial: Trial) -> dict[str, Any]:
        output = trial.output
        usage = output.usage
        return {
            "value": self._value(output.value),
            "error": self._error(output.error),
            "trace": output.trace_id,
            "metadata": self._value(dict(output.metadata) or None),
            "usage": [usage.input_tokens, usage.output_tokens, None if usage.cost is None else str(usage.cost)]
            if usage
            else None,
            "scores": [self._score(score) for score in trial.scores],
            "started": trial.started_at.isoformat(timespec="milliseconds"),
            "duration": _rounded(trial.duration),
            "attempt": trial.attempt,
            "nodeid": trial.nodeid,
        }

    def _score(self, score: Score) -> list[Any]:
        """Name, state, value, label, explanation, scorer, version, error, metadata; empty ends left off."""
        fields = [
            score.name,
            _state(score),
            score.value,
            score.label,
            self._value(score.explanation),
            score.scorer,
            score.scorer_version,
            self._error(score.error),
            self._value(dict(score.metadata) or None),
        ]
        while fields[-1] is None:
            fields.pop()
        return fields

    def _error(self, error: ErrorInfo | None) -> dict[str, Any] | None:
        if error is None:
            return None
        return {
            "type": error.type,
            "message": self._value(error.message),
            "traceback": self._value(error.traceback),
            "assertion": error.is_assertion,
        }

    def _value(self, value: Any) -> Any:
        if value is None:
            return None
        is_text = type(value) is str
        text = value if is_text else json_text(value)
        if len(text) > self.limit:
            self.cut += 1
            self.spent += self.limit
            return ["cut", text[: self.limit], len(text)]
        self.spent += len(text)
        return text if is_text else ["json", text]

    def _close_chunk(self) -> None:
        if self.open:
            self.chunks.append("[" + ",".join(self.open) + "]")
            self.open, self.open_size = [], 0


def _by_case(cases: Sequence[Case], trials: Sequence[Trial]) -> Iterator[tuple[Case, list[Trial]]]:
    """Each case with its trials in order; one that was never run has none, one that is unknown has only its id."""
    grouped: dict[str, list[Trial]] = {case.id: [] for case in cases}
    for trial in trials:
        grouped.setdefault(trial.case_id, []).append(trial)
    known = {case.id: case for case in cases}
    for case_id, mine in grouped.items():
        mine.sort(key=lambda trial: (trial.number, trial.attempt))
        yield known.get(case_id) or Case(id=case_id), mine


def _state(score: Score) -> str:
    """`p` passed, `f` failed, `s` scored with nothing to pass, `u` unscored, `e` errored."""
    if score.status != "scored":
        return "e" if score.status == "error" else "u"
    return "s" if score.passed is None else "p" if score.passed else "f"


def _by_name(scores: Sequence[Score]) -> dict[str, list[Score]]:
    found: dict[str, list[Score]] = {}
    for score in scores:
        found.setdefault(score.name, []).append(score)
    return found


def _cell(scores: Sequence[Score]) -> float | str | None:
    """What the table shows: the value, the mean of several under one name, or the label where there is no value."""
    values = [score.value for score in scores if score.value is not None]
    if values:
        return _rounded(sum(values) / len(values))
    return next((score.label for score in scores if score.label is not None), None)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _padded(items: list[Any], filler: Any, length: int) -> list[Any]:
    items.extend([filler] * (length - len(items)))
    return items


def preview(value: Any) -> str:
    """One short line that lets a reader recognise an input: its first text, whatever it is wrapped in."""
    for _ in range(_PREVIEW_DEPTH):
        if isinstance(value, Mapping):
            value = _telling(value)
        elif isinstance(value, list | tuple):
            value = value[0] if value else ""
    if not isinstance(value, str):
        value = "" if value is None else json_text(value)
    return " ".join(value[: _PREVIEW * 4].split())[:_PREVIEW]


def _telling(value: Mapping[Any, Any]) -> Any:
    if isinstance(value.get("messages"), list):
        asked = [part for part in value["messages"] if isinstance(part, Mapping) and part.get("role") == "user"]
        return asked[0] if asked else value["messages"]
    if "content" in value:
        return value["content"]
    texts = [item for item in value.values() if isinstance(item, str)]
    return max(texts, key=len) if texts else next(iter(value.values()), "")


def json_text(value: Any) -> str:
    """`value` as JSON text, numbers exactly as they are; a value nested beyond reason becomes a sentence."""
    try:
        return json.dumps(jsonable(value), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return json.dumps(_INNER_DEPTH_ERROR)


def _dumps(value: Any) -> str:
    # ASCII only: a lone surrogate has no UTF-8, but it has a JSON escape.
    return json.dumps(value, separators=(",", ":"))


def _packed(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode("ascii"), 6)).decode("ascii")
