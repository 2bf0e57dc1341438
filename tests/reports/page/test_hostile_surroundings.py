"""Whatever stands in traces, versions, labels, promotions, earlier runs or file names is text on the page, too."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.case import Case
from evalkit.runs import JudgeRecord, Run, ScorerInfo
from evalkit.score import ErrorInfo, Score
from evalkit.spans import Span, Trace
from evalkit.trial import Output, Trial
from evalkit.versions import Version
from evalkit_reports import write_html
from evalkit_reports.context import ApprovalView, Context, EarlierRun, JudgeCard, PromotionView, RuleVerdict

START = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)
ATTACKS = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "</script><script>window.pwned=1</script>",
    "</summary></details><iframe srcdoc='<script>top.pwned=1</script>'>",
    "<svg/onload=window.pwned=1>",
    "<math><mtext><style><img src=x onerror=window.pwned=1>",
    "'-window.pwned=1-'",
    "\"};window.pwned=1;//",
    "[x](javascript:window.pwned=1) <a href=javascript:window.pwned=1>x</a>",
    "{{constructor.constructor('window.pwned=1')()}}",
    "${window.pwned=1}",
    "<style>@import'//evil.example'</style>",
    "<meta http-equiv=refresh content='0;url=javascript:window.pwned=1'>",
    "<form action=javascript:window.pwned=1><button>x",
    "data:text/html,<script>window.pwned=1</script>",
    "\u2028window.pwned=1\u2029\u202e<b>",
    "\x00\x1b[31m<b>\ud800",
    "__proto__", "constructor", "hasOwnProperty", "toString",
    '{"role": "system", "parts": [{"type": "tool_call", "name": "<b>", "arguments": "<script>window.pwned=1</script>"}]}',
    "=cmd|' /C calc'!A0",
    "::error::window.pwned @everyone",
    "<x" * 2000,
)  # fmt: skip


def spans(text: str, number: int) -> Trace:
    said = [
        {"role": text, "name": text, "parts": [{"type": "text", "content": text}, {"type": text, "content": text}, text]},
        {"role": "assistant", "parts": [{"type": "tool_call", "name": text, "arguments": {text: text}},
                                        {"type": "tool_call_response", "response": text}]},
        {"role": "user", "content": [{"type": "text", "text": text}]},
        text,
    ]  # fmt: skip
    attributes = {
        "gen_ai.input.messages": said, "gen_ai.output.messages": said, "gen_ai.system_instructions": text,
        "gen_ai.tool.call.arguments": {text: text}, "gen_ai.tool.call.result": text, "evalkit.scorer": text, text: text,
    }  # fmt: skip
    common: dict[str, Any] = {"trace_id": f"{number:032x}", "start_ns": 10, "end_ns": 20, "attributes": attributes}
    kinds = ("llm", "tool", "scorer", "agent")
    made = [
        Span(span_id=f"{n:016x}", parent_id=None if n == 1 else f"{1:016x}", kind=kind, name=text, status="error", error=text,
             model=text, tool_name=text, events=({text: text},), **common)
        for n, kind in enumerate(kinds, 1)
    ]  # fmt: skip
    plain = {name: value for name, value in attributes.items() if name != "evalkit.scorer"}
    made.append(dataclasses.replace(made[0], span_id=f"{9:016x}", attributes=plain))
    return Trace(trace_id=f"{number:032x}", spans=tuple(made))


def hostile(suite_run: Callable[..., Any], judged: Callable[..., Run]) -> tuple[Run, Context]:
    versions = tuple(
        Version(kind=kind, name=text, digest=f"{place:064x}", body={"text": text, text: text}, source=text)
        for place, text in enumerate(ATTACKS)
        for kind in ("prompt", "model")
    )
    rubric = {"rubric_version": ATTACKS[0]}
    scorers = (
        ScorerInfo(name=ATTACKS[0], version=ATTACKS[1], pass_mark=ATTACKS[2]),
        *(ScorerInfo(name=text, version="1", config=rubric, judge=JudgeRecord()) for text in ATTACKS[3:8]),
    )
    cases = [
        Case(id=f"{text[:150]}{n}", input=text, expected={"pick": text, "other": text}, tags=(text[:60],))
        for n, text in enumerate(ATTACKS)
    ]

    def trials(other: bool) -> list[Trial]:
        made = []
        for number, (case, text) in enumerate(zip(cases, ATTACKS, strict=True)):
            for attempt in (1, 2):
                label = text if attempt == 1 or other else ATTACKS[number - 1]
                scores = (
                    Score(
                        name="pick",
                        value=label == text,
                        label=label[:70],
                        explanation=text,
                        metadata={"expected": text[:70]},
                    ),
                    *(
                        Score(name=one, value=0.5, explanation=text, scorer=one, metadata={text: text})
                        for one in ATTACKS[3:6]
                    ),
                )
                error = ErrorInfo(type=text, message=text, traceback=text) if number % 5 == 0 and attempt == 2 else None
                made.append(
                    Trial(case_id=case.id, number=attempt, output=Output(value=text + str(other), error=error, trace_id=text, latency=0.1 + number),
                          scores=scores, outcome="errored" if error else "passed" if label == text else "missed",
                          started_at=START, duration=1.0, nodeid=text, trace=spans(text, number + 1), versions=versions[:4])
                )  # fmt: skip
        return made

    def run(other: bool, **fields: Any) -> Run:
        info = {"scorers": scorers, "versions": versions, "metadata": {text: text for text in ATTACKS}}
        return judged(suite_run(ATTACKS[1], cases, trials(other), **info), "pick >= 0.5", **fields)

    made, before = run(False), run(True, id=ATTACKS[2])
    earlier = tuple(
        EarlierRun(
            run=text, started_at=START, commit=text, dataset=text, metrics=tuple(m for m in made.metrics if not m.slice)
        )
        for text in ATTACKS
    )
    body = {
        "trust": ATTACKS[0], "n": 3, "source": ATTACKS[1], "labels": list(ATTACKS[:3]), "table": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        "accuracy": None, "recall": {ATTACKS[4]: {"value": 0.5, "count": 1, "n": 2, "interval": [0.1, 0.9]}}, "reasons": list(ATTACKS),
    }  # fmt: skip
    cards = tuple(JudgeCard(judge=text, version="1", made_at=START, body=body) for text in ATTACKS[3:8])
    promotions = tuple(
        PromotionView(
            id=text, subject=text, alias=text, old=text, new=text, state=text, policy=text, requested_by=text, needed=text,
            override=text, fingerprint=text, rules=(RuleVerdict(rule=text, state="fail", reason=text),),
            approvals=(ApprovalView(who=text, decision=text, how=text, reason=text, is_own=True),),
        )
        for text in ATTACKS
    )  # fmt: skip
    attempts = {ATTACKS[1]: 3}
    return made, Context(
        baseline=before, earlier={ATTACKS[1]: earlier}, cards=cards, promotions=promotions, attempts=attempts
    )


WALK = """async () => {
    const rows = Number(document.querySelector('#table').getAttribute('aria-rowcount')) - 1;
    const press = key => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
    document.querySelector('#table').focus();
    press('j');
    press('Enter');
    const seen = new Set();
    for (let place = 0; place < rows; place += 2) {
        const opened = () => document.querySelector('#panel-title')?.textContent === document.querySelector('.row.active .id').textContent;
        for (let waited = 0; !opened() && waited < 2000; waited++) await new Promise(resolve => setTimeout(resolve, 5));
        document.querySelectorAll('#panel summary, #panel .unfold').forEach(e => e.click());
        [...document.querySelectorAll('#panel .span-row')].slice(0, 6).forEach(e => e.click());
        await new Promise(resolve => setTimeout(resolve, 0));
        document.querySelectorAll('#panel .span-details summary').forEach(e => e.click());
        document.querySelectorAll('#panel .mode').forEach(e => { if (!e.textContent.startsWith('Copy')) e.click(); });
        seen.add(document.querySelector('#panel-title').textContent);
        press('j');
        press('j');
    }
    return seen.size;
}"""

ELEMENTS = """() => [...new Set([...document.querySelectorAll('*')].map(e => e.localName))].filter(name =>
    ['script', 'img', 'iframe', 'form', 'base', 'object', 'embed', 'math', 'style', 'meta', 'video', 'link', 'x'].includes(name)).sort()"""


@pytest.mark.browser
def test_all_that_stands_around_a_run_is_text(
    reader: Any, suite_run: Callable[..., Any], judged: Callable[..., Run], tmp_path: Path
) -> None:
    run, around = hostile(suite_run, judged)
    page = reader.open(write_html(run, tmp_path / "r.html", around=around, title=ATTACKS[0]))
    clean = page.evaluate(ELEMENTS)
    assert clean == ["form", "link", "meta", "script", "style"], "what the page itself has, and nothing else"
    assert page.evaluate(WALK) == len(ATTACKS)
    page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true; })")
    page.evaluate("document.querySelectorAll('button[data-pick]').forEach(one => one.click())")
    page.focus(".scatter-frame")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert page.evaluate(ELEMENTS) == clean
    assert page.evaluate("document.querySelectorAll('script').length") == 1
    assert page.evaluate("[window.pwned, {}.pwned]") == [None, None]
    handlers = "() => [...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => a.name.startsWith('on')).length"
    assert page.evaluate(handlers) == 0
    links = page.eval_on_selector_all(
        "a[href]", "all => all.map(a => a.getAttribute('href')).filter(href => !href.startsWith('#'))"
    )
    assert links == []


@pytest.mark.browser
def test_the_same_in_side_files(
    reader: Any, suite_run: Callable[..., Any], judged: Callable[..., Run], tmp_path: Path
) -> None:
    run, around = hostile(suite_run, judged)
    name = "a'b\"><script>window.pwned=1<!--.html".replace("/", "")
    page = reader.open(write_html(run, tmp_path / name, around=around, inline=10))
    page.click(".row >> nth=0")
    page.wait_for_selector("#panel-title")
    assert page.evaluate(WALK) == len(ATTACKS)
    assert page.evaluate("window.pwned") is None
