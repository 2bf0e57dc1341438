"""Whatever a model, a dataset or a name says, the page shows it as text and no script of it runs."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.case import Case
from evalkit.runs import Provenance, Run, ScorerInfo
from evalkit.score import ErrorInfo, Score
from evalkit.trial import Output, Trial
from evalkit_reports import render_html, write_html

ATTACKS = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "</script><script>window.pwned=1</script>",
    "<!--<script>window.pwned=1//",
    "<svg onload=window.pwned=1>",
    "</style><script>window.pwned=1</script>",
    "{{ 7*7 }}{% raw %}${window.pwned=1}",
    "javascript:window.pwned=1",
    "' onclick='window.pwned=1",
    "<base href=//evil.example><meta http-equiv=refresh content='0;url=//evil.example'>",
    "\u2028window.pwned=1\u2029",
    "lone \ud800 surrogate \udfff",
    "nul \x00 bell \x07 escape \x1b[31m",
    "\u202eright to left override \u2066 isolate",
    "שלום עולם مرحبا بالعالم",
    "👩‍👩‍👧‍👦 🏳️‍🌈 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
    "__proto__",
    "constructor",
    "#case-x&suite=y",
    "%E0%A4%A",
    "[[[[[[",
    '{"role": "user", "content": "<script>window.pwned=1</script>"}',
    "```html\n<script>window.pwned=1</script>\n```\n# <b>head</b>\n**<i>bold</i>**",
    "z̶̢͠a̴l̷g̸o̵" * 40,
    "",
    " ",
)


def hostile_run(
    attacks: tuple[str, ...],
    run_of: Callable[..., Run],
    suite_run: Callable[..., Any],
) -> Run:
    """A run that carries each text in every field a record has; its first suite has only the first cases."""
    cases, trials = [], []
    for place, text in enumerate(attacks):
        error = ErrorInfo(type=text or "E", message=text, traceback=text, is_assertion=place % 2 == 0)
        case = Case(
            id=f"{text}{place}",
            input={text: text, "messages": [{"role": text, "content": text, "tool_calls": [{"name": text}]}]},
            expected=text,
            metadata={text: text},
            tags=(text,),
            source=text,
        )
        scores = (
            Score(
                name=text,
                value=0.5,
                explanation=text,
                scorer=text,
                scorer_version=text,
                metadata={text: text},
            ),
            Score(name="label", label=text, explanation=text),
            Score(name="broken", status="error", explanation=text, error=error),
        )
        outputs = (
            Output(value=text, trace_id=text, metadata={text: text}, error=error if place % 3 == 0 else None),
            Output(value={"nested": [text, {text: text}]}),
            Output(value=[{"role": "assistant", "content": [{"type": "text", "text": text}]}]),
        )
        cases.append(case)
        start = run_of().started_at
        trials += [
            Trial(
                case_id=case.id,
                number=n,
                output=output,
                scores=scores,
                outcome="errored",
                started_at=start,
                duration=1,
                nodeid=text,
            )
            for n, output in enumerate(outputs, 1)
        ]
    made_suites = []
    for number in range(2):
        name = f"{attacks[number]}{number}"
        scorers = (ScorerInfo(name=attacks[0], version=attacks[1], pass_mark=attacks[2]),)
        info = {"nodeid": attacks[0], "location": attacks[1], "scorers": scorers, "selection": attacks[2]}
        made_suites.append(
            suite_run(
                name,
                cases[: 99 if number else 4],
                trials[: 999 if number else 12],
                metadata={attacks[0]: attacks[1]},
                **info,
            )
        )
    made = Provenance(
        commit=attacks[0], branch=attacks[1], dirty=True, command=attacks[2], host=attacks[3], user=attacks[4],
        evalkit=attacks[5], python=attacks[0], platform=attacks[1], packages={attacks[0]: attacks[1]}, ci={attacks[2]: attacks[3]},
    )  # fmt: skip
    return run_of(*made_suites, id=attacks[0], store=attacks[1], degraded=attacks[2], provenance=made)


def grouped_run(groups: list[list[str]], run_of: Callable[..., Run], suite_run: Callable[..., Any]) -> Run:
    """A run in which each case carries a whole group of texts, each in several fields."""
    cases, trials = [], []
    for number, texts in enumerate(groups):
        error = ErrorInfo(type=texts[0], message=texts[1], traceback="\n".join(texts))
        metadata = {text[:80]: text for text in texts}
        case = Case(
            id=f"{texts[0]}{number}",
            input=texts,
            expected=metadata,
            metadata=metadata,
            tags=tuple(texts),
            source=texts[0],
        )
        scores = [
            Score(name=f"s{n}", label=text, explanation=text, scorer=text, metadata=metadata)
            for n, text in enumerate(texts)
        ]
        output = Output(value="\n\n".join(texts), error=error, trace_id=texts[0], metadata=metadata)
        cases.append(case)
        start = run_of().started_at
        trials.append(
            Trial(case_id=case.id, output=output, scores=tuple(scores), outcome="errored", started_at=start, duration=1)
        )
    return run_of(suite_run("nasty", cases, trials))


WALK = """async (stride) => {
    const rows = Number(document.querySelector('#table').getAttribute('aria-rowcount')) - 1;
    const press = key => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
    document.querySelector('#table').focus();
    press('j');
    press('Enter');
    const seen = new Set();
    for (let place = 0; place < rows; place += stride) {
        const opened = () => document.querySelector('#panel-title')?.textContent === document.querySelector('.row.active .id').textContent;
        for (let waited = 0; !opened() && waited < 2000; waited++) await new Promise(resolve => setTimeout(resolve, 5));
        document.querySelectorAll('#panel summary, #panel .unfold').forEach(e => e.click());
        document.querySelectorAll('#panel .mode').forEach(e => { if (!e.textContent.startsWith('Copy')) e.click(); });
        seen.add(document.querySelector('#panel-title').textContent);
        for (let n = 0; n < stride; n++) press('j');
    }
    return seen.size;
}"""
"""Looks at one row in `stride`, each value in every way it can be shown; gives the number of cases seen."""


@pytest.mark.browser
def test_attacks_in_every_field_are_text(
    reader: Any, run_of: Callable[..., Run], suite_run: Callable[..., Any], tmp_path: Path
) -> None:
    path = write_html(hostile_run(ATTACKS, run_of, suite_run), tmp_path / "r.html", title=ATTACKS[0])
    page = reader.open(path)
    elements = "() => [...new Set([...document.querySelectorAll('*')].map(e => e.localName))].sort()"
    clean = set(page.evaluate(elements))
    assert {"img", "base", "iframe"}.isdisjoint(clean)
    assert page.title().endswith(ATTACKS[0])
    assert page.evaluate(WALK, 3) == len(ATTACKS)
    page.fill("#search", "<script>window.pwned=1</script>")
    reader.until(page, "document.querySelector('#count').textContent.includes(' of ')")
    assert page.evaluate("window.pwned") is None
    assert set(page.evaluate(elements)) - clean <= {
        "aside",
        "h4",
        "pre",
        "details",
        "summary",
        "dl",
        "dt",
        "dd",
        "div",
        "span",
        "section",
        "b",
        "button",
        "p",
    }
    assert page.evaluate("document.querySelectorAll('script').length") == 1
    handlers = "() => [...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => a.name.startsWith('on')).length"
    assert page.evaluate(handlers) == 0


@pytest.mark.browser
def test_ids_of_any_spelling_can_be_linked_to(
    reader: Any, run_of: Callable[..., Run], suite_run: Callable[..., Any], tmp_path: Path
) -> None:
    path = write_html(hostile_run(ATTACKS, run_of, suite_run), tmp_path / "r.html")
    page = reader.open(path)
    links = page.eval_on_selector_all(".row .id a", "all => all.map(a => [a.textContent, a.getAttribute('href')])")
    assert len(links) > 10
    for text, href in links[::3]:
        page.evaluate("href => { location.hash = href; }", href)
        reader.until(page, "text => document.querySelector('#panel-title')?.textContent === text", arg=text)


@pytest.mark.browser
@pytest.mark.data
def test_recorded_nasty_texts_are_text(
    reader: Any, recorded: Any, run_of: Callable[..., Run], suite_run: Callable[..., Any], tmp_path: Path
) -> None:
    texts = [row["string"] for row in recorded("nasty/blns.jsonl")]
    texts += [row["output"] for row in recorded("nasty/real_outputs.jsonl")]
    groups = [texts[place : place + 16] for place in range(0, len(texts), 16)]
    path = write_html(grouped_run(groups, run_of, suite_run), tmp_path / "r.html")
    page = reader.open(path)
    page.wait_for_selector("html[data-searchable=yes]")
    assert page.evaluate(WALK, 1) == len(groups)
    assert page.evaluate("[window.pwned, window.alert.name]") == [None, "alert"]
    assert page.evaluate("document.querySelectorAll('script').length") == 1


@pytest.mark.browser
def test_the_policy_would_stop_a_script_that_got_in(chromium: Any, support_report: Path, tmp_path: Path) -> None:
    """The page is broken on purpose, as if escaping had failed: the browser itself then refuses."""
    broken = tmp_path / "broken.html"
    page_text = support_report.read_text("utf-8")
    injected = (
        '<script>window.pwned=1</script><img src=x onerror="window.pwned=1"><p style="color:red" id="styled">x</p>'
    )
    broken.write_text(page_text.replace("<main>", f"<main>{injected}", 1), "utf-8")
    page = chromium.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(broken.as_uri())
    page.wait_for_selector("html[data-ready=yes]")
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("getComputedStyle(document.querySelector('#styled')).color") != "rgb(255, 0, 0)"
    blocked = " ".join(refused)
    assert "Content Security Policy" in blocked
    with pytest.raises(Exception, match=r"TrustedHTML|Trusted Type"):  # Playwright gives page errors its own type
        page.evaluate("document.body.innerHTML = '<b>x</b>'")
    page.close()


def test_the_policy_names_the_script_and_the_style_by_hash(support_run: Callable[..., Run]) -> None:
    page = render_html(support_run(3))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    for tag, directive in (("style", "style-src"), ('script type="module"', "script-src")):
        text = page.split(f"<{tag}>", 1)[1].split(f"</{tag.split()[0]}>", 1)[0]
        wanted = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} &#39;sha256-{wanted}&#39;" in policy
    assert "unsafe" not in policy
    assert policy.startswith("default-src &#39;none&#39;")


def test_the_page_asks_for_nothing_from_outside(support_run: Callable[..., Run]) -> None:
    page = render_html(support_run(3))
    assert re.findall(r"""(?:src|href|action)\s*=\s*["']?(?!#|data:|")[^"'\s>]+""", page.split("<script", 1)[0]) == []
    assert not re.search(
        r"\b(fetch|XMLHttpRequest|WebSocket|innerHTML|insertAdjacentHTML|document\.write|eval)\b", page
    )


def test_payload_blocks_hold_base64_and_nothing_else(run_of: Callable[..., Run], suite_run: Callable[..., Any]) -> None:
    page = render_html(hostile_run(ATTACKS, run_of, suite_run))
    blocks = re.findall(r'<script type="text/plain"[^>]*>(.*?)</script>', page, re.S)
    assert len(blocks) >= 2
    assert all(re.fullmatch(r"[A-Za-z0-9+/]+=*", block) for block in blocks)
