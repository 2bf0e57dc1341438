"""What a store knows around a run comes onto its page: earlier runs, a baseline, judges, promotions, attempts, traces."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import evalkit
from evalkit.cli.app import main
from evalkit.pages import MOST_SPANS, context, write_stored
from evalkit.promotion import Actor, Approval, Evidence, Override, PolicyText, Promotion, RuleVerdict
from evalkit.stats.calibration import Item
from evalkit.store import Store, open_store
from evalkit.trends import steps
from evalkit.trust import Labelled, calibrated, kept
from evalkit.versions import Version
from evalkit_reports.trend import trends

AT = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)
SUBJECT = Version(kind="prompt", name="greet", digest="a" * 64, body={"text": "Hello {{ name }}."})


def greeting(skill: int) -> Any:
    def polite(output: str) -> evalkit.Score:
        return evalkit.Score(value="please" in output, label="polite" if "please" in output else "curt")

    scorer = evalkit.scorer(name="polite", version="1", config={"rubric_version": "3"})(polite)
    rows = [{"id": f"c{n}", "input": {"n": n}, "expected": "polite"} for n in range(12)]

    @evalkit.suite(name="greeting", dataset=rows, scorers=[scorer], gates=["polite >= 0.5"])
    def suite(case: evalkit.Case) -> str:
        with evalkit.span("look it up", kind="tool"):
            return "please" if case.input["n"] % 12 < skill else "now"

    return suite


def promotion(run: str) -> Promotion:
    known: dict[str, Any] = {name: {} for name in ("datasets", "scorers")}
    evidence = Evidence(
        runs=(run,), run_digest="1" * 64, baseline=None, suites=("greeting",), subject=SUBJECT.digest, lock="3" * 64, cases=12,
        planned=12, executed=12, errored=0, unscored=0, seed=1, selection="", is_complete=True, commit=None, dirty=False,
        finished_at=AT, **known,
    )  # fmt: skip
    ann, bot = Actor(name="ann", authentication="api-token"), Actor(name="bot", is_service=True)
    override = Override(rules=("max_age",), reason="an outage", by=ann, at=AT, expires_at=AT)
    said = [
        Approval(id=f"019a9f3e-{n:04d}-7b42-9d0e-1f6a2b3c4d5e", promotion="p", by=ann, approves=n == 1, comment="fine", at=AT,
                 fingerprint="4" * 64, is_self=n == 2, dismissed="new evidence" if n == 2 else "")
        for n in (1, 2)
    ]  # fmt: skip
    return Promotion(
        id="019a9f3e-7777-7b42-9d0e-1f6a2b3c4d5e", kind="prompt", name="greet", alias="production", from_digest=None,
        to_digest=SUBJECT.digest, base_generation=0, created_at=AT, by=bot, author="ann", reason="", evaluator="evalkit",
        policy=PolicyText(name="strict", digest="c" * 64, text="{}"), evidence=evidence, fingerprint="4" * 64, state_since=AT,
        state="pending_approval", override=override, approvals=tuple(said),
        verdicts=(RuleVerdict(rule="gate", text="polite >= 0.5", decision="pass", reason="It is 0.75."),),
    )  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, list[str], str]]:
    url = str(tmp_path_factory.mktemp("stored") / "evalkit.db")
    runs = [evalkit.run(greeting(skill), store=url, progress=False).id for skill in (4, 8, 9)]
    with open_store(url) as store:
        version = store.load(runs[-1]).suites[0].info.scorers[0].version
        items = tuple(Item(humans=("polite",), judge="polite") for _ in range(6))
        labelled = Labelled(judge="polite", version=version, source="labels.csv", items=items)
        store.add_calibration(kept(labelled, calibrated(labelled)))
        store.register(SUBJECT)
        with store.ledger() as ledger:
            ledger.save(promotion(runs[-1]))
        yield store, runs, url


def test_earlier_runs_come_oldest_first_and_end_before_this_one(stored: Any) -> None:
    store, runs, _ = stored
    earlier = context(store, store.load(runs[2])).earlier["greeting"]
    assert [one.run for one in earlier] == runs[:2]
    assert [one.decision for one in earlier] == ["fail", "pass"]
    rates = [next(m.value for m in one.metrics if (m.name, m.statistic) == ("polite", "rate")) for one in earlier]
    assert rates == [pytest.approx(4 / 12), pytest.approx(8 / 12)]
    assert context(store, store.load(runs[0])).earlier["greeting"] == ()


def answers(version: str, rows: int) -> Any:
    cases = [{"id": f"c{n}", "input": n} for n in range(rows)]

    def short(output: str) -> bool:
        return len(output) < 9

    scorer = evalkit.scorer(name="short", version=version)(short)

    @evalkit.suite(name="answers", dataset=cases, scorers=[scorer])
    def suite(case: evalkit.Case) -> str:
        return "yes" if case.input % 3 else "a long answer"

    return suite


def test_another_scorer_other_cases_and_a_part_of_them_break_the_trend(tmp_path: Path) -> None:
    url = str(tmp_path / "evalkit.db")
    made = [("1", 12, None), ("1", 12, None), ("2", 12, None), ("2", 12, 5), ("2", 12, None), ("2", 15, None)]
    made.append(("2", 15, None))
    runs = [evalkit.run(answers(*one), sample=some, store=url, progress=False) for *one, some in made]
    with open_store(url) as store:
        last = store.load(runs[-1].id)
        (trend,) = [t for t in trends(last, "answers", context(store, last).earlier["answers"]) if t.name == "short"]
        history = steps(store.history("answers"), "short")
    assert [point.joined for point in trend.points] == [False, True, False, False, False, False, True]
    assert [point.gap is not None for point in trend.points] == [bool(step.broken) for step in history]
    assert [point.partial for point in trend.points] == [False, False, False, True, False, False, False]
    assert trend.partial == 1
    scorer, cases = (why for _, why in trend.breaks)
    assert scorer.startswith("another scorer: short ")
    assert cases.startswith("other cases: ")
    for point, step in zip(trend.points, history, strict=True):
        assert all(why in point.text for why in step.broken)
    assert "only a part of the cases" in trend.points[3].text


def test_a_promotion_is_told_in_words(stored: Any) -> None:
    store, runs, _ = stored
    (told,) = context(store, store.load(runs[2])).promotions
    assert (told.subject, told.alias, told.old, told.new) == ("prompt/greet", "production", "", "v1 (aaaaaaaa)")
    assert (told.state, told.policy, told.requested_by) == ("waiting for approval", "strict", "bot (a service)")
    assert told.override == "max_age by ann: an outage"
    assert [(one.who, one.decision, one.how, one.is_own) for one in told.approvals] == [
        ("ann", "approved", "an API token", False),
        ("ann", "rejected", "an API token", True),
    ]
    assert told.approvals[1].reason == "fine (dismissed: new evidence)"
    assert context(store, store.load(runs[0])).promotions == ()


@pytest.mark.browser
def test_all_of_it_is_on_the_page(stored: Any, reader: Any, tmp_path: Path) -> None:
    store, runs, _ = stored
    page = reader.open(write_stored(store, runs[2], tmp_path / "r.html", baseline=runs[0]))
    assert page.locator("[data-pick=changed][data-letter=b]").inner_text().strip() == "5 newly passing"
    assert page.locator(".trend").first.locator(".point").count() == 3
    assert "6 labels from labels.csv" in page.inner_text(".judge")
    assert "prompt/greet" in page.inner_text(".promotion")
    page.click(".row >> nth=2")
    page.wait_for_selector("#panel .span-row")
    assert "look it up" in page.inner_text("#panel .waterfall")


def test_traces_beyond_use_are_left_out_and_said_to_be(
    stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, runs, _ = stored
    assert MOST_SPANS > 36
    monkeypatch.setattr("evalkit.pages.MOST_SPANS", 20)
    text = write_stored(store, runs[2], tmp_path / "r.html").read_text("utf-8")
    assert "Traces left out" in text
    assert "36 spans" in text


def left(arguments: list[str]) -> int | str | None:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def test_the_command_takes_a_baseline(stored: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, runs, url = stored
    path = tmp_path / "r.html"
    assert left(["report", runs[2], "--baseline", runs[0], "-o", str(path), "--store", url]) == 0
    assert "newly passing" in path.read_text("utf-8")
    assert "MB)" in capsys.readouterr().out
    assert left(["report", runs[2], runs[0], "--baseline", runs[0], "--store", url]) == 2
    assert left(["report", runs[2], "--baseline", "nosuchrun", "-o", str(path), "--store", url]) == 2
    assert "nosuchrun" in capsys.readouterr().err
