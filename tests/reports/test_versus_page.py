"""The page that compares runs: its verdict, its figures, its slices and versions, and what it refuses."""

from __future__ import annotations

import base64
import dataclasses
import html
import json
import re
import zlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evalkit.canonical import digest
from evalkit.case import Case
from evalkit.comparison import compare_all
from evalkit.errors import EvalkitError
from evalkit.runs import DatasetInfo, Run, ScorerInfo
from evalkit.score import ErrorInfo, Score
from evalkit.trial import Output, Trial, Usage, outcome_of
from evalkit.versions import Version
from evalkit_reports.versus import render_versus, write_versus
from evalkit_reports.versus.changes import (
    NEWLY_FAILING,
    NEWLY_PASSING,
    ONLY_BASE,
    ONLY_CANDIDATE,
    SAID_OTHERWISE,
    SCORED_OTHERWISE,
    changed_cases,
)
from evalkit_reports.versus.verdict import finding
from evalkit_reports.versus.view import versus_view

SCORERS = (ScorerInfo(name="right", version="1"), ScorerInfo(name="kind", version="1"))


@pytest.fixture
def make(run_of: Callable[..., Run], suite_run: Callable[..., Any]) -> Callable[..., Run]:
    """A run over forty cases: `wrong` miss, `said` answers otherwise, `without` are left out."""

    def build(
        wrong: Sequence[int] = (),
        *,
        said: Sequence[int] = (),
        without: Sequence[int] = (),
        size: int = 40,
        latency: float = 1.0,
        kind: float = 0.5,
        name: str = "sums",
        versions: tuple[Version, ...] = (),
        scorers: tuple[ScorerInfo, ...] = SCORERS,
        dataset: str = "9f2c" * 16,
        repeat: int = 1,
        run_id: str = "019a9f3e-0000-7b42-9d0e-1f6a2b3c4d5e",
    ) -> Run:
        cases = [
            Case(id=f"c{n}", input=f"What is {n}?", expected=str(n), metadata={"lang": "de" if n < 20 else "en"})
            for n in range(size)
        ]
        trials = []
        for n, case in enumerate(cases):
            if n in without:
                continue
            for number in range(1, repeat + 1):
                scores = (
                    Score(name="right", value=n not in wrong, scorer="right", scorer_version=scorers[0].version),
                    Score(name="kind", value=kind, scorer="kind", scorer_version=scorers[1].version),
                )
                output = Output(
                    value=f"It is not {n}." if n in said else f"It is {n}.",
                    latency=latency + n / 1000,
                    usage=Usage(input_tokens=10, output_tokens=5, cost=Decimal("0.001")),
                )
                start = run_of().started_at
                outcome = outcome_of(output, scores)
                trials.append(
                    Trial(
                        case_id=case.id,
                        number=number,
                        output=output,
                        scores=scores,
                        outcome=outcome,
                        started_at=start,
                        duration=1,
                    )
                )
        about = DatasetInfo(name=name, digest=dataset, size=size)
        suite = suite_run(name, cases, trials, scorers=scorers, versions=versions, dataset=about)
        return run_of(suite, id=run_id)

    return build


def found(page: str) -> dict[str, Any]:
    """The index of the page, unpacked."""
    packed = re.search(r'id="evalkit-index">([^<]*)<', page)[1]
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def contents(page: str) -> list[dict[str, Any]]:
    chunks = re.findall(r'class="evalkit-chunk">([^<]*)<', page)
    return [item for chunk in chunks for item in json.loads(zlib.decompress(base64.b64decode(chunk)))]


def text_of(page: str) -> str:
    """What stands on the page, without its marks."""
    body = page.split("<main>")[1].split("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_worse_is_told_first_with_figures_interval_and_pairs(make: Callable[..., Run]) -> None:
    page = render_versus(make(), [make(range(12), run_id="b" * 12)])
    assert "<title>WORSE · sums: 2 runs compared</title>" in page
    told = text_of(page)
    assert "Of 40 cases in both runs 12 newly fail and none newly passes." in told
    assert "1.000 → 0.700, -0.300 (95%: " in told
    assert "p < 0.001; 0 better, 12 worse of 40 pairs)" in told


def test_one_case_is_told_in_the_singular(make: Callable[..., Run]) -> None:
    comparison = compare_all(make([1]), [make([2])])
    sentence = finding(comparison, 0).sentence
    assert sentence.startswith("Of 40 cases in both runs one newly fails and one newly passes.")


@pytest.mark.parametrize(
    ("base", "candidate", "word", "shape"),
    [
        ({"wrong": range(12)}, {}, "BETTER", "pass"),
        ({}, {"wrong": range(12)}, "WORSE", "fail"),
        ({"wrong": range(12), "kind": 0.9}, {"kind": 0.1}, "MIXED", "inconclusive"),
        ({}, {"wrong": [1], "said": [1]}, "NO CLEAR DIFFERENCE", "none"),
        ({}, {"wrong": [1]}, "NO CLEAR DIFFERENCE", "none"),
        ({}, {}, "IDENTICAL", "none"),
        ({}, {"dataset": "0" * 64}, "NOT COMPARED", "none"),
    ],
)
def test_the_word_is_what_the_intervals_show(
    make: Callable[..., Run], base: dict[str, Any], candidate: dict[str, Any], word: str, shape: str
) -> None:
    if word == "MIXED":  # graded scores need to vary for an interval
        before = _graded(make(**base), [0.9, 0.8])
        after = _graded(make(**candidate), [0.1, 0.2])
    else:
        before, after = make(**base), make(**candidate)
    told = finding(compare_all(before, [after]), 0)
    assert (told.word, told.shape) == (word, shape)


def _graded(run: Run, values: Sequence[float]) -> Run:
    (suite,) = run.suites
    trials = [
        dataclasses.replace(
            trial,
            scores=(trial.scores[0], dataclasses.replace(trial.scores[1], value=values[n % len(values)] - n / 999)),
        )
        for n, trial in enumerate(suite.trials)
    ]
    return dataclasses.replace(run, suites=(dataclasses.replace(suite, trials=tuple(trials)),))


def test_latency_is_told_but_makes_nothing_better(make: Callable[..., Run]) -> None:
    told = finding(compare_all(make(latency=2.0), [make(latency=1.0, said=[0])]), 0)
    assert told.word == "NO CLEAR DIFFERENCE"
    assert [(reason.metric, reason.state, reason.aside) for reason in told.reasons] == [("latency", "better", True)]


def test_each_case_has_its_kind(make: Callable[..., Run]) -> None:
    base = make([1], without=[39])
    candidate = make([2], said=[2, 3], without=[38])
    kinds = {one.case.id: one.changes[0].kind for one in changed_cases(compare_all(base, [candidate]).comparisons)}
    assert kinds["c1"] == NEWLY_PASSING | SCORED_OTHERWISE
    assert kinds["c2"] == NEWLY_FAILING | SCORED_OTHERWISE | SAID_OTHERWISE
    assert kinds["c3"] == SAID_OTHERWISE
    assert (kinds["c38"], kinds["c39"]) == (ONLY_BASE, ONLY_CANDIDATE)
    assert {kinds[f"c{n}"] for n in range(4, 38)} == {0}


def test_the_payload_has_both_sides_of_each_case(make: Callable[..., Run]) -> None:
    page = render_versus(make(), [make([2], said=[2])])
    index, items = found(page), contents(page)
    place = index["cases"]["id"].index("c2")
    assert index["rows"]["before"][place] == "p"
    assert index["rows"]["after"][place] == "m"
    right = next(score for score in index["scores"] if score["name"] == "right")
    assert (right["before"][place], right["after"][place]) == (["p", 1.0], ["f", 0.0])
    assert items[place]["trials"][0]["value"] == "It is 2."
    assert items[place]["sides"][0][0]["value"] == "It is not 2."
    assert items[place]["expected"] == "2"


def test_repeats_say_how_many_passed(make: Callable[..., Run]) -> None:
    index = found(render_versus(make(repeat=3), [make([0], repeat=3)]))
    assert (index["rows"]["before"][0], index["rows"]["after"][0]) == (["p", 3, 3], ["m", 0, 3])


def test_identical_is_said(make: Callable[..., Run]) -> None:
    told = text_of(render_versus(make(), [make()]))
    assert "IDENTICAL" in told
    assert "All outputs of 40 cases are identical: the two runs do not differ in what was answered." in told


def test_scores_that_differ_on_the_same_outputs_are_told_as_that(make: Callable[..., Run]) -> None:
    sentence = finding(compare_all(make(), [make([1])]), 0).sentence
    assert "one newly fails and none newly passes. All outputs are identical: what differs is what scorers" in sentence


def test_a_refusal_says_why_and_shows_no_case(make: Callable[..., Run]) -> None:
    page = render_versus(make(), [make(dataset="0" * 64)])
    assert "sums: not compared, the datasets are two versions: 9f2c9f2c and 00000000." in text_of(page)
    assert found(page)["cases"]["id"] == []


def test_a_metric_of_another_scorer_is_refused_by_name(make: Callable[..., Run]) -> None:
    other = (SCORERS[0], ScorerInfo(name="kind", version="2"))
    told = text_of(render_versus(make(), [make(range(12), scorers=other)]))
    assert "kind in sums: not compared, its scorer has another version: 1 and 2." in told
    assert "WORSE" in told


def test_slices_that_moved_are_marked(make: Callable[..., Run]) -> None:
    told = text_of(render_versus(make(), [make(range(12))]))
    assert "Slices that moved" in told
    rows = told.split("Slices that moved")[1].split("“Moved” stands where")[0]
    assert "lang=de right 1.000 0.400 -0.600 moved, q 0.002" in rows
    assert "lang=en" not in rows, "nothing changed there"


def test_the_prompt_is_diffed_by_word_and_the_model_by_setting(make: Callable[..., Run]) -> None:
    def prompt(text: str) -> Version:
        body = {"text": text}
        return Version(kind="prompt", name="reply", digest=digest(body), body=body)

    def model(temperature: float) -> Version:
        body = {"model": "m-1", "settings": {"temperature": temperature}}
        return Version(kind="model", name="solver", digest=digest(body), body=body)

    base = make(versions=(prompt("Answer {{ question }}.\nBe short and kind."), model(0.0)))
    candidate = make(versions=(prompt("Answer {{ question }}.\nBe long and kind."), model(0.7)))
    page = render_versus(base, [candidate])
    assert "<del>short</del>" in page
    assert "<ins>long</ins>" in page
    assert re.search(r"settings\.temperature.*?<del>0\.0</del>.*?<ins>0\.7</ins>", page, re.S)


def test_several_candidates_have_letters_and_holms_p(make: Callable[..., Run]) -> None:
    base = make(range(12), run_id="base")
    runs = [make(range(n, 12), run_id=f"run{n}") for n in (2, 6, 12)]
    page = render_versus(base, runs)
    view = versus_view(compare_all(base, runs), "ABC")
    assert view.finding.word == "3 CANDIDATES"
    assert [side.finding.word for side in view.candidates if side.finding] == [
        "NO CLEAR DIFFERENCE", "NO CLEAR DIFFERENCE", "BETTER",
    ]  # fmt: skip
    told = text_of(page)
    assert "Holm’s p allows for there being 3 candidates" in told
    assert len(found(page)["rows"]["case"]) == 3 * 40
    assert len(contents(page)[0]["sides"]) == 3


def test_a_suite_that_only_one_candidate_cannot_be_compared_in(make: Callable[..., Run]) -> None:
    page = render_versus(make(), [make([1]), make([2], dataset="0" * 64)])
    assert "sums of B: not compared, the datasets are two versions" in text_of(page)
    assert set(found(page)["rows"]["side"]) == {0}


def test_an_errored_case_newly_fails(make: Callable[..., Run]) -> None:
    base, candidate = make(), make()
    (suite,) = candidate.suites
    broken = dataclasses.replace(
        suite.trials[0], output=Output(error=ErrorInfo(type="Away", message="gone")), scores=(), outcome="errored"
    )
    candidate = dataclasses.replace(candidate, suites=(dataclasses.replace(suite, trials=(broken, *suite.trials[1:])),))
    page = render_versus(base, [candidate])
    index = found(page)
    assert index["rows"]["after"][0] == "e"
    assert index["rows"]["kind"][0] & NEWLY_FAILING
    assert contents(page)[0]["sides"][0][0]["error"]["message"] == "gone"


def test_the_page_says_what_it_is_in_one_line(make: Callable[..., Run]) -> None:
    page = render_versus(make(run_id="first"), [make([1], run_id="second")])
    line = json.loads(html.unescape(re.search(r'<meta name="evalkit-report" content="([^"]*)"', page)[1]))
    assert line["schema"] == "evalkit.page/1"
    assert (line["kind"], line["run"], line["base"]) == ("comparison", "second", "first")
    assert line["suites"] == [
        {"name": "sums", "refused": "", "cases": 40, "newly_failing": 1, "newly_passing": 0, "identical": 40}
    ]


def test_the_page_is_written_whole_or_not_at_all(make: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EvalkitError, match="cannot be written"):
        write_versus(make(), [make()], tmp_path / "file" / "compare.html")
    assert write_versus(make(), [make()], tmp_path / "new" / "compare.html").read_text("utf-8").startswith("<!doctype")
