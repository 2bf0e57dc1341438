"""The Markdown summary: what it says in each situation, as files that a person can read, and how long it gets.

After a wanted change: EVALKIT_TEST_GOLDEN=write pytest tests/reports/test_markdown_summary.py, and read the files.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Callable, Sequence
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from evalkit.case import Case
from evalkit.comparison import compare
from evalkit.gates import judge, parse
from evalkit.prompts import prompt_of
from evalkit.runs import DatasetInfo, JudgeRecord, Provenance, Run, ScorerInfo, SuiteInfo, SuiteRun
from evalkit.score import ErrorInfo, Score
from evalkit.stats.summary import summarise
from evalkit.trial import Output, Trial, Usage, outcome_of
from evalkit.versions import Version
from evalkit_reports import render_comparison, render_markdown
from evalkit_reports.fingerprint import fingerprint
from evalkit_reports.markdown import COMMENT, marker

GOLDEN = Path(__file__).parent / "golden"
START = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)
CI = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "ada/support", "GITHUB_RUN_ID": "42"}
RIGHT = ScorerInfo(name="right", version="1a2b3c")
OLD = "You answer customers.\nBe brief.\n\n{{ question }}"
NEW = "You answer customers of a shoe shop.\nBe brief.\nNever promise a date.\n\n{{ question }}"
OURS = {
    "h2", "h3", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "code", "pre",
    "span", "strong", "a", "blockquote",
}  # fmt: skip


def prompt(text: str, number: int) -> Version:
    made = prompt_of(Version(kind="prompt", name="reply", digest="0" * 64, body={"text": text}))
    return dataclasses.replace(made.version, number=number)


def trial(case: str, cell: Any, scorer: ScorerInfo) -> Trial:
    output, scores = Output(value="text", latency=0.5, usage=Usage(input_tokens=100, output_tokens=20)), ()
    if cell == "raise":
        output = Output(error=ErrorInfo(type="RateLimited", message="429 after 5 attempts"), latency=2.0)
    elif cell is None:
        scores = (Score(name=scorer.name, status="unscored", scorer=scorer.name, scorer_version=scorer.version),)
    else:
        output = dataclasses.replace(output, usage=dataclasses.replace(output.usage, cost=Decimal("0.0004"), calls=1))
        scores = (Score(name=scorer.name, value=cell, scorer=scorer.name, scorer_version=scorer.version),)
    return Trial(
        case_id=case, output=output, scores=scores, outcome=outcome_of(output, scores), started_at=START, duration=0.5
    )


def make(
    cells: Sequence[Any],
    gates: Sequence[str] = (),
    *,
    name: str = "support",
    text: str = NEW,
    number: int = 3,
    scorer: ScorerInfo = RIGHT,
    ids: Callable[[int], str] = "case-{:05d}".format,
    **fields: Any,
) -> Run:
    """A run of one suite, with a cell for each case: a value, `None` for unscored, or "raise"."""
    cases = tuple(Case(id=ids(i), input=i) for i in range(len(cells)))
    info = SuiteInfo(
        name=name,
        nodeid=f"evals/test_{name}.py::test_{name}",
        location=f"evals/test_{name}.py:12",
        dataset=DatasetInfo(name=f"{name}.jsonl", digest="9f2c" * 16, size=len(cases)),
        scorers=(scorer,),
        gates=tuple(gates),
        declared=len(cells),
        planned=fields.pop("planned", len(cells)),
        selection=fields.pop("selection", None),
        versions=(prompt(text, number),),
    )
    trials = tuple(trial(case.id, cell, scorer) for case, cell in zip(cases, cells, strict=True) if cell != "absent")
    suite = SuiteRun(info=info, cases=cases, trials=trials)
    known: dict[str, Any] = {
        "id": "019a9f3e-6c1d-7b42-9d0e-1f6a2b3c4d5e",
        "status": "complete",
        "started_at": START,
        "finished_at": START + dt.timedelta(seconds=94),
        "provenance": Provenance(commit="4f1d2c9a7b3e5d60718293a4b5c6d7e8f9012345", dirty=False, ci=CI),
        "suites": (suite,),
        "metrics": tuple(summarise(suite)),
        "verdicts": tuple(judge([parse(gate) for gate in gates], suite)),
    }
    return Run(**(known | fields))


def base(cells: Sequence[Any], **fields: Any) -> Run:
    return make(cells, text=OLD, number=2, id="019a9000-0000-7000-8000-000000000001", **fields)


JUDGE = ScorerInfo(
    name="helpful",
    version="9e8d",
    config={"rubric": "helpful", "rubric_version": "1", "model": "scripted-judge"},
    judge=JudgeRecord(),
)


def passing() -> str:
    run = make([True] * 60, ["right >= 0.9 @ 95%", "errors <= 1%"])
    return render_markdown(run, baseline=base([True] * 58 + [False] * 2), report="report.html")


def failing() -> str:
    before, after = [i % 9 != 0 for i in range(100)], [i % 4 != 0 for i in range(100)]
    run = make(after, ["right >= 0.85", "right >= 0.5 @ 95%", "errors <= 1%"])
    return render_markdown(run, baseline=base(before), earlier={"support": 2})


def inconclusive() -> str:
    run = make([True] * 38 + [False] * 2, ["right >= 0.9 @ 95%", "errors <= 1%"], scorer=JUDGE, status="complete")
    return render_markdown(make([True] * 38 + [False] * 2, ["right >= 0.9 @ 95%"])) + render_markdown(
        dataclasses.replace(run, verdicts=())
    )


def erroring() -> str:
    cells = [True] * 10 + ["raise"] * 8 + [None] * 2 + ["absent"] * 5
    return render_markdown(make(cells, ["right >= 0.5"], status="interrupted", verdicts=(), metrics=(), planned=25))


def first() -> str:
    return render_markdown(make([True] * 20 + [False] * 12))


HOSTILE = (
    "<script>alert(1)</script>",
    "a|b`c``d\\|e | f",
    "@octocat and #123 GH-7 octo/cat#9 !5",
    "![x](https://evil.example/x.png) [y](javascript:alert(1)) https://evil.example www.evil.example me@evil.example",
    "line\n::error file=x::one\r\n::set-output name=a::b ##[add-matcher]x",
    "\u202eright to left\u2066 \x1b[31m\x00",
    "--> </details></summary></table> <!-- evalkit:other --> &lt;b&gt; $a$ *b* _c_ ~~d~~ # h",
    "- item",
    "1. item",
    "```\n# heading\n```",
    "",
    "\ud800",
    "/close",
)


def hostile() -> str:
    return render_markdown(hostile_run(), baseline=hostile_base())


def hostile_run() -> Run:
    name = " ".join(HOSTILE)
    error = ErrorInfo(type="E<b>|", message="\n::error::x @octocat | <img src=x onerror=alert(1)>")
    run = make(
        [False] * len(HOSTILE),
        name=name,
        scorer=ScorerInfo(name=HOSTILE[1], version="1"),
        ids=lambda i: f"{i}{HOSTILE[i]}",
        text="{{ question }}\n::error::x\n```\n</details><script>alert(1)</script>\n@octocat",
    )
    suite = run.suites[0]
    trials = tuple(
        dataclasses.replace(one, output=Output(error=error), outcome="errored") if i % 2 else one
        for i, one in enumerate(suite.trials)
    )
    suite = dataclasses.replace(suite, trials=trials)
    return dataclasses.replace(run, suites=(suite,), metrics=tuple(summarise(suite)), degraded=HOSTILE[0] + HOSTILE[2])


def hostile_base() -> Run:
    return base(
        [True] * len(HOSTILE),
        name=" ".join(HOSTILE),
        scorer=ScorerInfo(name=HOSTILE[1], version="1"),
        ids=lambda i: f"{i}{HOSTILE[i]}",
    )


def rewritten(run: Run, text: str, number: int) -> Run:
    """The run with another version of its prompt."""
    suite = run.suites[0]
    info = dataclasses.replace(suite.info, versions=(prompt(text, number),))
    return dataclasses.replace(run, suites=(dataclasses.replace(suite, info=info),))


def huge(words: int = 1) -> str:
    before, after = [i % 9 != 0 for i in range(10_000)], [i % 4 != 0 for i in range(10_000)]
    lines = [f"{i} {'word ' * words}{'`' * (i % 5)}" for i in range(1_000)]
    run = make(after, ["right >= 0.85 @ 95%"], text="\n".join(["new", *lines, "{{ question }}"]))
    text = "\n".join(["old", *(line.replace("word", "term") for line in lines), "{{ question }}"])
    return render_markdown(run, baseline=rewritten(base(before), text, 2))


PAGES = {
    "pass": passing,
    "fail": failing,
    "inconclusive": inconclusive,
    "error": erroring,
    "first": first,
    "hostile": hostile,
    "huge": huge,
}


class Elements(HTMLParser):
    """What is in a page of HTML: its elements with attributes, its comments, its text, its rows and code spans."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.comments: list[str] = []
        self.rows: list[int] = []
        self.codes: list[str] = []
        self.text = ""
        self.inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += 1
        if tag == "code":
            self.inside = True
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "code":
            self.inside = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.inside:
            self.codes[-1] += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def drawn(text: str) -> Elements:
    """The page as GitHub's own renderer draws it, with every piece of HTML that is in it let through."""
    return Elements(cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE))


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: build() for name, build in PAGES.items()}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_the_one_that_was_looked_at(pages: dict[str, str], name: str) -> None:
    file = GOLDEN / f"{name}.md"
    if os.environ.get("EVALKIT_TEST_GOLDEN") == "write":
        file.write_text(pages[name], encoding="utf-8", newline="\n")
    assert pages[name] == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_githubs_renderer_draws_tables_and_nothing_but_our_own_elements(pages: dict[str, str], name: str) -> None:
    found = drawn(pages[name])
    assert set(found.tags) <= OURS
    assert found.tags.count("h2") == pages[name].count("\n## ")
    tables = found.tags.count("table")
    assert tables == pages[name].count("\n| --- |")
    assert found.tags.count("details") == pages[name].count("\n<details>") == pages[name].count("\n</details>")
    assert {key for key, _ in found.attributes} <= {"align", "href", "lang"}
    assert {value for key, value in found.attributes if key == "href"} <= {
        "https://github.com/ada/support/actions/runs/42"
    }


def test_each_row_of_a_table_has_as_many_cells_as_its_heading(pages: dict[str, str]) -> None:
    found = drawn(pages["hostile"])
    assert len(found.rows) > 4
    assert len(set(found.rows)) == 1


def test_the_only_comment_is_the_marker_and_it_is_the_same_for_the_same_suites(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        assert drawn(page).comments == [line[4:-3] for line in page.splitlines() if line.startswith("<!--")], name
    assert pages["fail"].startswith("<!-- evalkit:support -->\n")
    assert marker(hostile_run()) == marker(hostile_base())
    assert marker(hostile_run()) != marker(make([True]))
    assert "--" not in marker(make([True], name="a-->b--c"))[4:-3]


def test_hostile_text_stands_there_as_it_was_written(pages: dict[str, str]) -> None:
    codes = {code.replace("\u200b", "") for code in drawn(pages["hostile"]).codes}
    assert "0<script>alert(1)</script>" in codes
    assert "1a|b`c``d\\|e | f" in codes
    assert "2@octocat and #123 GH-7 octo/cat#9 !5" in codes
    assert "a|b`c``d\\|e | f" in codes


def test_nothing_is_mentioned_linked_or_taken_for_a_command(pages: dict[str, str]) -> None:
    page = pages["hostile"]
    found = drawn(page)
    outside = found.text
    for code in found.codes:
        outside = outside.replace(code, "", 1)
    assert "@octocat" not in outside
    assert "#123" not in outside
    assert "evil.example" not in "".join(value or "" for key, value in found.attributes if key == "href")
    assert [line for line in page.splitlines() if line.lstrip().startswith("::")] == []
    assert "##[" not in page
    assert not any(character in page for character in "\u202e\u2066\x1b\x00\r")


def test_ten_thousand_cases_say_what_is_left_out(pages: dict[str, str]) -> None:
    page = pages["huge"]
    assert "Newly failing: 2,222 cases" in page
    assert "- 2,212 more" in page
    assert page.count("- `case-") == 20
    assert "more lines of the difference" in page


@pytest.mark.parametrize("words", [10, 200, 3000])
def test_what_is_too_long_for_a_comment_is_shortened_until_it_fits(words: int) -> None:
    text = f"{'word ' * words}\n" * 400 + "{{ question }}"
    other = text.replace("word", "term")
    cells = ["raise"] * 40
    run, old = make(cells, text=text, ids=f"{{}}{'x' * words}".format), base(cells, ids=f"{{}}{'x' * words}".format)
    page = render_markdown(run, baseline=rewritten(old, other, 2))
    assert len(page.encode()) <= COMMENT
    assert "What changed in prompt" in page


def test_a_step_summary_may_say_more_than_a_comment() -> None:
    run = make([True] * 20, text=f"{'word ' * 200}\n" * 400 + "{{ question }}")
    old = rewritten(base([True] * 20), f"{'term ' * 200}\n" * 400 + "{{ question }}", 2)
    short, long = (render_markdown(run, baseline=old, limit=limit) for limit in (COMMENT, 1_048_576))
    assert len(short.encode()) <= COMMENT < len(long.encode()) <= 1_048_576


def test_hundreds_of_suites_are_cut_with_the_failing_ones_first() -> None:
    gate = ["right >= 0.5"]
    runs = [make([i != 150] * 3, gate, name=f"suite-{i}-{'x' * 60}") for i in range(300)]
    whole = dataclasses.replace(
        runs[0],
        suites=tuple(run.suites[0] for run in runs),
        metrics=tuple(metric for run in runs for metric in run.metrics),
        verdicts=tuple(verdict for run in runs for verdict in run.verdicts),
    )
    page = render_markdown(whole, limit=20_000)
    assert len(page.encode()) <= 20_000
    assert "### ❌ `suite-150-" in page
    assert "more suites, left out" in page


def test_a_comparison_has_the_same_parts_and_the_same_safety() -> None:
    found = drawn(render_comparison(compare(hostile_base(), hostile_run())))
    assert set(found.tags) <= OURS
    assert len(set(found.rows)) == 1
    page = render_comparison(compare(base([True, False] * 20), make([True, True] * 20)))
    assert "Newly passing: 20 cases" in page
    assert "+Never promise a date." in page
    assert "prompt reply v2" in page
    assert "v3" in page


def test_a_fingerprint_is_about_the_question_and_not_about_the_answer() -> None:
    one = make([True, False])
    assert fingerprint(one) == fingerprint(make([False, False], id="019a9000-0000-7000-8000-000000000002"))
    assert fingerprint(one) != fingerprint(make([True, False], text=OLD))
    assert fingerprint(one) != fingerprint(make([True, False], ["right >= 0.5"]))
