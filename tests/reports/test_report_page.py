"""What the page says without a browser: the verdict, what is missing, what produced the run, how it is written."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import zlib
from collections.abc import Callable
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from evalkit.case import Case
from evalkit.errors import EvalkitError
from evalkit.runs import Provenance, Run
from evalkit.score import Score
from evalkit.stats.summary import summarise
from evalkit.trial import Output, Trial, Usage
from evalkit_reports import render_html, write_html

RunMaker = Callable[..., Run]


class Text(HTMLParser):
    """The text of a page as a reader without a script sees it, blanks folded."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(data)


def text_of(run: Run, **options: Any) -> str:
    reader = Text()
    reader.feed(render_html(run, **options))
    return " ".join(" ".join(reader.parts).split())


def unpacked(page: str) -> tuple[dict[str, Any], list[Any]]:
    blocks = [
        json.loads(zlib.decompress(base64.b64decode(block)))
        for block in re.findall(r'<script type="text/plain"[^>]*>(.*?)</script>', page)
    ]
    return blocks[0], [case for chunk in blocks[1:] for case in chunk]


def trial(case: str, scores: tuple[Score, ...], run_of: RunMaker, **more: Any) -> Trial:
    fields: dict[str, Any] = {"output": Output(value="said"), "outcome": "passed"}
    return Trial(case_id=case, scores=scores, started_at=run_of().started_at, duration=1.0, **(fields | more))


def simple(values: list[float | None], run_of: RunMaker, suite_run: Any, judged: Any, *gates: str) -> Run:
    cases = [Case(id=f"c{n}", input=n) for n in range(len(values))]
    trials = [trial(f"c{n}", (Score(name="accuracy", value=value),), run_of) for n, value in enumerate(values)]
    suite = suite_run("maths", cases, trials)
    return judged(suite, *gates) if gates else run_of(suite)


@pytest.mark.parametrize(
    ("right", "gate", "word", "sentence"),
    [
        (40, "accuracy >= 0.9", "PASS", "The gate passes."),
        (20, "accuracy >= 0.9", "FAIL", "1 of 1 gate failed."),
        (37, "accuracy >= 0.9 @ 95%", "INCONCLUSIVE", "1 of 1 gate could not be decided on this much data."),
    ],
)
def test_each_verdict_has_its_word_its_shape_and_its_reason(
    right: int, gate: str, word: str, sentence: str, run_of: RunMaker, suite_run: Any, judged: Any
) -> None:
    run = simple([1.0] * right + [0.0] * (40 - right), run_of, suite_run, judged, gate)
    page, text = render_html(run), text_of(run)
    assert f'href="#i-{word.lower()}"' in page.split('class="stamp"')[1][:200]
    assert text.index(word) < text.index(sentence) < text.index("Metrics", text.index(sentence))
    assert gate.replace(">", "&gt;") in page
    assert run.verdicts[0].reason in text


def test_several_suites_name_the_suite_that_failed(run_of: RunMaker, suite_run: Any, judged: Any) -> None:
    good = simple([1.0] * 20, run_of, suite_run, judged, "accuracy >= 0.5")
    bad = simple([0.0] * 20, run_of, suite_run, judged, "accuracy >= 0.5")
    renamed = dataclasses.replace(bad.suites[0], info=dataclasses.replace(bad.suites[0].info, name="history"))
    verdict = dataclasses.replace(bad.verdicts[0], suite="history")
    text = text_of(run_of(good.suites[0], renamed, verdicts=(*good.verdicts, verdict)))
    assert "1 of 2 gates failed." in text
    assert "accuracy >= 0.5 in history" in text
    assert "maths, history" in text


def test_without_gates_there_is_no_verdict(run_of: RunMaker, suite_run: Any, judged: Any) -> None:
    text = text_of(simple([1.0] * 3, run_of, suite_run, judged))
    assert "NO VERDICT" in text
    assert "3 of 3 trials passed" in text
    assert "PASS " not in text


def test_an_inconclusive_gate_that_is_accepted_says_so(run_of: RunMaker, suite_run: Any, judged: Any) -> None:
    run = simple([1.0] * 37 + [0.0] * 3, run_of, suite_run, judged, "accuracy >= 0.9 @ 95%")
    accepted = dataclasses.replace(run.verdicts[0], on_inconclusive="pass")
    text = text_of(dataclasses.replace(run, verdicts=(accepted,)))
    assert "counts as a pass here" in text
    assert "INCONCLUSIVE" in text


def test_a_fragile_gate_says_so(run_of: RunMaker, suite_run: Any, judged: Any) -> None:
    run = simple([1.0] * 37 + [0.0] * 3, run_of, suite_run, judged, "accuracy >= 0.9")
    marked = dataclasses.replace(run, verdicts=(dataclasses.replace(run.verdicts[0], fragile=True),))
    assert "fragile" in text_of(marked)
    clear = dataclasses.replace(run, verdicts=(dataclasses.replace(run.verdicts[0], fragile=False),))
    assert "fragile" not in text_of(clear)


def test_what_was_not_scored_is_counted_and_never_zero(run_of: RunMaker, suite_run: Any, judged: Any) -> None:
    run = simple([1.0] * 20 + [None] * 4, run_of, suite_run, judged)
    text = text_of(run)
    assert "4 unscored" in text
    index, contents = unpacked(render_html(run))
    assert index["scores"][0]["values"][-1] is None
    assert index["scores"][0]["states"][-1] == "u"
    assert contents[-1]["trials"][0]["scores"][0][:2] == ["accuracy", "u"]


def test_unknown_cost_and_tokens_are_not_added_up_as_zero(run_of: RunMaker, suite_run: Any) -> None:
    cases = [Case(id="a"), Case(id="b")]
    known = Output(usage=Usage(input_tokens=10, output_tokens=5, cost=Decimal("0.25")))
    trials = [trial("a", (), run_of, output=known), trial("b", (), run_of)]
    text = text_of(run_of(suite_run("s", cases, trials)))
    assert "Cost $0.25 (1 of 2 known)" in text
    assert "Tokens 15 (1 of 2 known)" in text
    assert "Cost" not in text_of(run_of(suite_run("s", cases[1:], trials[1:])))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "interrupted"}, "Interrupted The run did not finish"),
        ({"status": "failed"}, "Failed The run did not finish"),
        ({"status": "running"}, "Still running"),
        (
            {"degraded": "disk full after 12 trials"},
            "Degraded Not everything could be stored: disk full after 12 trials",
        ),
        ({"provenance": Provenance(dirty=True)}, "Dirty The checkout had uncommitted changes"),
    ],
)
def test_what_limits_a_run_is_said_first(change: dict[str, Any], said: str, support_run: RunMaker) -> None:
    run = support_run(5)
    assert said not in text_of(run)
    text = text_of(dataclasses.replace(run, **change))
    assert text.index(said) < text.index("Metrics", text.index("Took"))


def test_a_partial_run_and_trials_that_never_ran_are_counted(run_of: RunMaker, suite_run: Any) -> None:
    cases = [Case(id=f"c{n}") for n in range(5)]
    suite = suite_run("s", cases, [trial("c0", (), run_of)], declared=100, planned=5, selection="-k c")
    run = run_of(suite, status="interrupted", verdicts=())
    text = text_of(run)
    assert "5 of 100 trials were selected (-k c)" in text
    assert "Not run s: 4 of 5 planned trials" in text
    assert "4 not run" in text
    index, _ = unpacked(render_html(run))
    assert index["rows"]["outcome"] == "pnnnn"


def test_gates_that_were_never_judged_are_no_pass(run_of: RunMaker, suite_run: Any) -> None:
    suite = suite_run("s", [Case(id="a")], [trial("a", (), run_of)], gates=("accuracy >= 0.9",))
    text = text_of(run_of(suite, status="interrupted"))
    assert "NO VERDICT" in text
    assert "ended before its gates were judged" in text


def test_a_run_without_suites_or_trials_still_makes_a_page(run_of: RunMaker, suite_run: Any) -> None:
    assert "Nothing was run" in text_of(run_of())
    assert "NO VERDICT" in text_of(run_of(suite_run("s", [], [])))


def test_provenance_and_the_command_to_run_again(support_run: RunMaker) -> None:
    run = support_run(4)
    text = text_of(run)
    made = run.provenance
    info = run.suites[0].info
    for said in (
        run.id, f"{made.commit}, clean", f"git checkout {made.commit} {made.command}", made.branch, "openai 1.109.0",
        info.dataset.digest, f"scorer helpful version {info.scorers[1].version}", f"evalkit gate {run.id}", info.location,
    ):  # fmt: skip
        assert said in text
    unstored = text_of(dataclasses.replace(run, store=None))
    assert "this run was not stored" in unstored
    assert "evalkit show" not in unstored


def test_of_several_attempts_the_last_counts(run_of: RunMaker, suite_run: Any) -> None:
    wrong, right = Score(name="ok", value=False), Score(name="ok", value=True)
    trials = [
        trial("a", (wrong,), run_of, outcome="missed", attempt=1),
        trial("a", (right,), run_of, outcome="passed", attempt=2),
    ]
    run = run_of(suite_run("s", [Case(id="a")], trials))
    index, contents = unpacked(render_html(run))
    assert index["rows"]["outcome"] == "p"
    assert [kept["attempt"] for kept in contents[0]["trials"]] == [2]
    assert "1 missed" not in text_of(run)


def test_the_same_score_twice_in_a_trial_is_averaged_in_the_table_and_listed_in_the_case(
    run_of: RunMaker, suite_run: Any
) -> None:
    scores = (Score(name="part", value=1.0), Score(name="part", value=0.5))
    index, contents = unpacked(render_html(run_of(suite_run("s", [Case(id="a")], [trial("a", scores, run_of)]))))
    assert index["scores"][0]["values"] == [0.75]
    assert [score[2] for score in contents[0]["trials"][0]["scores"]] == [1.0, 0.5]


def test_values_travel_exactly(run_of: RunMaker, suite_run: Any) -> None:
    value = {"big": 12345678901234567890, "float": 1.0, "text": "\ud800 é \u2028", "nan": float("nan")}
    output = Output(value=value)
    index, contents = unpacked(
        render_html(run_of(suite_run("s", [Case(id="a", input="x")], [trial("a", (), run_of, output=output)])))
    )
    kind, text = contents[0]["trials"][0]["value"]
    assert kind == "json"
    assert '"big":12345678901234567890' in text
    assert '"float":1.0' in text
    assert json.loads(text)["text"] == value["text"]
    assert json.loads(text)["nan"] == "NaN"
    assert contents[0]["input"] == "x"
    assert index["cases"]["text"] == ["x"]


def test_a_value_too_long_is_cut_and_the_page_says_so(run_of: RunMaker, suite_run: Any) -> None:
    long = "x" * 50_000_000
    run = run_of(suite_run("s", [Case(id="a")], [trial("a", (), run_of, output=Output(value=long))]))
    page = render_html(run)
    _, contents = unpacked(page)
    kind, text, length = contents[0]["trials"][0]["value"]
    assert (kind, len(text), length) == ("cut", 200_000, 50_000_000)
    assert "1 value was longer than 200,000 characters" in text_of(run)
    assert len(page) < 400_000


def test_a_value_nested_beyond_reason_does_not_break_the_page(run_of: RunMaker, suite_run: Any) -> None:
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    run = run_of(suite_run("s", [Case(id="a", input=deep)], [trial("a", (), run_of)]))
    _, contents = unpacked(render_html(run))
    assert "nested too deep" in contents[0]["input"][1]


def test_a_slice_that_differs_from_the_rest_is_marked_and_the_mark_is_explained(
    run_of: RunMaker, suite_run: Any, make_suite: Any
) -> None:
    def page(cells: list[int]) -> str:
        suite = make_suite(cells, metadata=[{"lang": "de" if i < 20 else "en"} for i in range(60)])
        return text_of(dataclasses.replace(run_of(), suites=(suite,), metrics=summarise(suite), verdicts=()))

    marked = page([0] * 15 + [1] * 45)
    assert "differs, q < 0.001" in marked
    assert "by more than so many slices would by chance" in marked
    assert "differs, q" not in page([0, 1] * 30)


def test_the_title_can_be_given(support_run: RunMaker) -> None:
    page = render_html(support_run(3), title="Nightly <b>")
    assert "<title>" in page
    assert "Nightly &lt;b&gt;</title>" in page


def test_writing_replaces_whole_and_leaves_nothing_beside(support_run: RunMaker, tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.html"
    assert write_html(support_run(3), path) == path
    first = path.read_text("utf-8")
    write_html(support_run(4), path)
    assert path.read_text("utf-8") != first
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]
    assert path.stat().st_mode & 0o444 == 0o444


def test_a_page_that_cannot_be_written_leaves_the_old_one_and_says_why(support_run: RunMaker, tmp_path: Path) -> None:
    blocked = tmp_path / "folder"
    (blocked / "report.html").mkdir(parents=True)
    with pytest.raises(EvalkitError, match=r"(?s)report\.html: The report cannot be written.*directory"):
        write_html(support_run(3), blocked / "report.html")
    assert [entry.name for entry in blocked.iterdir()] == ["report.html"]


def test_the_same_run_makes_the_same_page(support_run: RunMaker) -> None:
    assert render_html(support_run(6)) == render_html(support_run(6))
