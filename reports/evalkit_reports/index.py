"""An index of the report pages in a folder, newest first, made from the line that each page says of itself.

The pages are not trusted: whatever stands in them is read as text and numbers, and shown as text. A page that is none
of ours, or that cannot be read, is left out.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
import os
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

from evalkit.errors import EvalkitError
from evalkit_reports import words
from evalkit_reports.brief import NAME, SCHEMA
from evalkit_reports.charts import IntervalBar, axis_for
from evalkit_reports.document import environment, favicon, read, style_policy, write_page
from evalkit_reports.versus.verdict import SHAPES

FILE = "index.html"
MOST = 2_000
"""Pages that are listed; the oldest of more are only counted."""

_HEAD = 64_000
_STATES = ("pass", "fail", "inconclusive")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One page: where it is from the index, what it is, and the first figure of each of its suites."""

    href: str
    file: str
    kind: str
    title: str
    state: str
    word: str
    started: dt.datetime | None
    about: str
    lines: tuple[Line, ...]
    more: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One suite of a page: its name, what became of it, its first metric."""

    suite: str
    state: str
    told: str
    metric: str
    value: str
    interval: str
    bar: IntervalBar | None


def write_index(folder: Path) -> tuple[Path, int]:
    """Write `index.html` into `folder` and return it with the number of pages it lists.

    Pages in folders below count, too. An `index.html` that is none of ours is not written over. Raises
    `EvalkitError` where there is no such folder, or the index cannot be written.
    """
    if not folder.is_dir():
        raise EvalkitError("There is no such folder.", where=str(folder), hint="Give the folder that has the reports.")
    target = folder / FILE
    if target.exists() and (_said(target) or {}).get("kind") != "index":
        raise EvalkitError(
            "The folder has an index.html that evalkit did not write.",
            where=str(target),
            hint="Move it away, or keep the reports in a folder of their own.",
        )
    entries = sorted(_entries(folder), key=lambda entry: (entry.started is None, _age(entry.started), entry.file))
    shown = entries[:MOST]
    return write_page(render_index(shown, more=len(entries) - len(shown)), target), len(shown)


def render_index(entries: list[Entry], *, more: int = 0) -> str:
    """The page as text; it has no script."""
    style = read("report.css") + read("index.css")
    return (
        environment()
        .get_template("index.html")
        .render(
            entries=entries,
            more=more,
            style=style,
            policy=style_policy(style=style),
            icon=favicon("none"),
            brief=json.dumps({"schema": SCHEMA, "kind": "index", "pages": len(entries)}),
        )
    )


def _age(when: dt.datetime | None) -> float:
    return 0.0 if when is None else -when.timestamp()


def _entries(folder: Path) -> Iterator[Entry]:
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(place, name)
            if not name.lower().endswith((".html", ".htm")) or path == folder / FILE:
                continue
            said = _said(path)
            if said is not None and said.get("kind") in ("run", "comparison"):
                yield _entry(path.relative_to(folder), said)


class _Meta(HTMLParser):
    """Finds what our `<meta>` element says, in the head of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.content: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if self.content is None and tag == "meta" and known.get("name") == NAME:
            self.content = known.get("content")


def _said(path: Path) -> Mapping[str, Any] | None:
    """What a page says of itself; `None` for one that says nothing we know, or cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD).decode("utf-8", "replace")
    except OSError:
        return None
    parser = _Meta()
    parser.feed(head.split("<style", 1)[0])
    try:
        said = json.loads(parser.content or "null")
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and said.get("schema") == SCHEMA else None


def _entry(path: Path, said: Mapping[str, Any]) -> Entry:
    kind = str(said.get("kind"))
    decision = _text(said.get("decision"))
    state = decision if decision in _STATES else "none"
    word = decision.upper() if state != "none" else "NO VERDICT"
    if kind == "comparison":
        word = _text(said.get("word"))[:40] or "COMPARED"
        state = SHAPES.get(word, "none")
    suites = [suite for suite in _list(said.get("suites")) if isinstance(suite, dict)]
    commit, branch = _text(said.get("commit"))[:12], _text(said.get("branch"))
    status = _text(said.get("status"))
    notes = [
        "" if status in ("complete", "") else status,
        "partial" if said.get("partial") is True else "",
        branch,
        commit,
    ]
    return Entry(
        href="./" + quote(os.fsencode(path.as_posix())),
        file=path.as_posix(),
        kind=kind,
        title=_text(said.get("title")) or path.name,
        state=state,
        word=word,
        started=_moment(said.get("started_at")),
        about=" · ".join(note for note in notes if note),
        lines=tuple(_line(suite, kind) for suite in suites[:5]),
        more=max(len(suites) - 5, 0) + _count(said.get("more_suites")),
    )


def _line(suite: Mapping[str, Any], kind: str) -> Line:
    decision = _text(suite.get("decision"))
    metric = suite.get("metric") if isinstance(suite.get("metric"), dict) else {}
    assert isinstance(metric, dict)
    value, low, high = (_number(metric.get(key)) for key in ("value", "low", "high"))
    unit = _text(metric.get("unit"))[:12]
    name = " ".join(part for part in (_text(metric.get("name")), _text(metric.get("statistic"))) if part)
    return Line(
        suite=_text(suite.get("name")),
        state=decision if decision in _STATES else "",
        told=_compared(suite) if kind == "comparison" else words.count(_count(suite.get("cases")), "case"),
        metric=name,
        value=words.measure(value, unit) if value is not None else "",
        interval=words.interval(low, high, unit),
        bar=_bar(value, low, high, unit, name),
    )


def _compared(suite: Mapping[str, Any]) -> str:
    if _text(suite.get("refused")):
        return "not compared"
    failing, passing = _count(suite.get("newly_failing")), _count(suite.get("newly_passing"))
    cases = words.count(_count(suite.get("cases")), "case")
    return f"{cases} in both, {failing:,} newly failing, {passing:,} newly passing"


def _bar(value: float | None, low: float | None, high: float | None, unit: str, name: str) -> IntervalBar | None:
    if value is None:
        return None
    axis = axis_for([end for end in (value, low, high) if end is not None], unit)
    told = f"{name}: {words.measure(value, unit)}"
    return IntervalBar(
        axis=axis,
        dot=axis.at(value),
        low=axis.at(low) if low is not None and high is not None else None,
        high=axis.at(high) if low is not None and high is not None else None,
        ticks=(),
        state="",
        text=told,
    )


def _text(value: Any) -> str:
    return value[:200] if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        return None
    return float(value) if math.isfinite(value) else None


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12 else 0


def _moment(value: Any) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (TypeError, ValueError, OverflowError):
        return None
