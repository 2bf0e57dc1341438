"""A suite that stops early says what the whole suite would have said, whatever finishes first."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.case import Case
from evalkit.gates import judge, parse, recompute, with_defaults
from evalkit.launches import Launches, declared_stop, in_order
from evalkit.runs import DatasetInfo, ScorerInfo, SuiteInfo, SuiteRun
from evalkit.score import ErrorInfo, Score
from evalkit.stats.sequential import shuffled
from evalkit.trial import Output, Trial, outcome_of

GATES = [
    "right >= 0.8",
    "right >= 0.5",
    "right > 0.5",
    "right >= 0.4 @ 80%",
    "right >= 0.3 @ 95%",
    "right <= 0.6",
    "right <= 0.5 @ 80%",
    "right.rate >= 0.7",
    "right[half] >= 0.6",
    "errors <= 20%",
    "errors <= 40% @ 80%",
    "each case: right >= 1",
    "cost <= $0.5",
    "latency.mean <= 2s",
]
KINDS = st.sampled_from(["right"] * 6 + ["wrong"] * 3 + ["unscored", "scorer raises", "raises", "skipped"])
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
BROKEN = ErrorInfo(type="RuntimeError", message="it broke")


def suite_of(cells, gates, *, stop, seed=0, score="right"):
    """The cases, the declaration and every trial of a suite, whatever is run of it in the end."""
    cases = tuple(Case(id=f"c{i}", input=i, tags=("half",) if i % 2 else ()) for i in range(len(cells)))
    repeat = len(cells[0])
    info = SuiteInfo(
        name="suite",
        nodeid="test_it.py::test_it",
        location="test_it.py:1",
        dataset=DatasetInfo(name="cases", digest="0" * 64, size=len(cases)),
        scorers=(ScorerInfo(name=score, version="1"),),
        gates=tuple(str(gate) for gate in gates),
        repeat=repeat,
        declared=len(cases) * repeat,
        planned=len(cases) * repeat,
        metadata=declared_stop(stop, gates, seed=seed, cases=len(cases)),
    )
    trials = {
        (case.id, number): trial_of(case, number, kind, score)
        for case, row in zip(cases, cells, strict=True)
        for number, kind in enumerate(row, 1)
    }
    return info, cases, trials


def trial_of(case, number, kind, score):
    if kind == "skipped":
        return None
    output, scores = Output(value="text", latency=0.5), ()
    if kind == "raises":
        output = Output(error=BROKEN, latency=0.5)
    elif kind == "scorer raises":
        scores = (Score(name=score, status="error", error=BROKEN, scorer=score),)
    elif kind == "unscored":
        scores = (Score(name=score, status="unscored", scorer=score),)
    elif isinstance(kind, float):
        scores = (Score(name=score, value=kind, scorer=score),)
    else:
        scores = (Score(name=score, value=kind == "right", scorer=score),)
    return Trial(
        case_id=case.id,
        number=number,
        output=output,
        scores=scores,
        outcome=outcome_of(output, scores),
        started_at=NOW,
        duration=0.5,
    )


def run(info, cases, trials, gates, *, at_once, draw):
    """Run it with so many trials at once, whichever finishes first, and return the run and what was started when."""
    launches = Launches()
    launches.declare(info, cases, gates)
    waiting = [(case.id, number) for case in in_order(cases, info) for number in range(1, info.repeat + 1)]
    flying, done, late = [], [], 0
    while True:
        while waiting and len(flying) < at_once:
            settled = launches.is_over(info.name)
            if launches.ask(info.name, *waiting[0]) == "stop":
                waiting.clear()
                break
            late += settled
            flying.append(waiting.pop(0))
        if not flying:
            break
        landed = flying.pop(draw.randrange(len(flying)))
        launches.landed(info.name, *landed, trials[landed])
        if trials[landed] is not None:
            done.append(trials[landed])
    return SuiteRun(info=launches.outcome(info.name), cases=cases, trials=tuple(done)), late


def full_run(info, cases, trials):
    metadata = {}
    return SuiteRun(
        info=dataclasses.replace(info, metadata=metadata),
        cases=cases,
        trials=tuple(trial for trial in trials.values() if trial is not None),
    )


def gates_of(texts):
    return with_defaults([parse(text) for text in texts])


@given(
    cells=st.integers(1, 2).flatmap(
        lambda k: st.lists(st.lists(KINDS, min_size=k, max_size=k), min_size=1, max_size=40)
    ),
    texts=st.lists(st.sampled_from(GATES), min_size=1, max_size=3, unique=True),
    at_once=st.integers(1, 9),
    seed=st.integers(0, 3),
    luck=st.integers(0, 5),
    looks=st.sampled_from([7, 500]),
)
def test_what_was_decided_early_is_what_the_whole_suite_says(cells, texts, at_once, seed, luck, looks):
    gates = gates_of(texts)
    info, cases, trials = suite_of(cells, gates, stop="decided", seed=seed)
    with mock.patch("evalkit.launches.LOOKS", looks):  # a suite of thousands is looked at after some cases at a time
        early, late = run(info, cases, trials, gates, at_once=at_once, draw=random.Random(luck))
    assert late == 0, "nothing is started once it is decided"
    whole = judge(gates, full_run(info, cases, trials))
    found = judge(gates, early)
    if not early.info.is_partial:
        assert len(early.trials) == len([trial for trial in trials.values() if trial])
        assert [verdict.decision for verdict in found] == [verdict.decision for verdict in whole]
        return
    failed = any(verdict.decision == "fail" for verdict in found)
    for gate, now, then in zip(gates, found, whole, strict=True):
        if gate.is_default and failed and now.decision == "inconclusive":
            continue  # nobody wrote this gate, and the suite fails either way
        assert now.decision == then.decision, (now.reason, then.reason)
    assert [recompute(verdict) for verdict in found] == list(found)


@given(
    cells=st.lists(st.lists(KINDS, min_size=1, max_size=1), min_size=4, max_size=40),
    texts=st.lists(st.sampled_from(GATES), min_size=1, max_size=2, unique=True),
    stop=st.sampled_from(["decided", "anytime"]),
)
def test_it_does_not_matter_what_finishes_first(cells, texts, stop):
    gates = gates_of(texts)
    info, cases, trials = suite_of(cells, gates, stop=stop)
    ends = []
    for at_once, luck in ((1, 0), (4, 1), (4, 2), (9, 3)):
        early, _ = run(info, cases, trials, gates, at_once=at_once, draw=random.Random(luck))
        if early.info.stop.at is not None:
            ends.append((early.info.stop.at, judge(gates, early)))
    assert all(end == ends[0] for end in ends), "where it stopped, and every word of the verdicts"


@given(ids=st.lists(st.text(max_size=5), unique=True, max_size=30), seed=st.integers(0, 10))
def test_the_order_is_that_of_the_seed_and_the_ids_alone(ids, seed):
    order = [ids[place] for place in shuffled(ids, seed)]
    assert sorted(order) == sorted(ids)
    backwards = ids[::-1]
    assert [backwards[place] for place in shuffled(backwards, seed)] == order
    some = ids[::2]
    kept = set(some)
    assert [some[place] for place in shuffled(some, seed)] == [name for name in order if name in kept]


def test_every_place_of_the_order_is_as_likely_for_every_case():
    places = [shuffled(["a", "b", "c", "d"], seed).index(0) for seed in range(4000)]
    assert all(900 < places.count(place) < 1100 for place in range(4))


@pytest.mark.parametrize(("share", "most"), [(0.99, 0.35), (0.95, 0.75), (0.7, 0.12), (0.5, 0.06)])
def test_anytime_says_early_what_the_whole_suite_says(share, most):
    """400 cases against 0.9, in 15 orders: hardly ever another verdict, and a part of the cases only."""
    gates = (parse("right >= 0.9"), parse("errors <= 40%"))
    right = round(share * 400)
    cells = [["right"]] * right + [["wrong"]] * (400 - right)
    wrong, used = 0, []
    for seed in range(15):
        info, cases, trials = suite_of(cells, gates, stop="anytime", seed=seed)
        early, _ = run(info, cases, trials, gates, at_once=1, draw=random.Random(0))
        used.append(len(early.trials) / 400)
        found = judge(gates, early)
        wrong += found[0].decision != ("pass" if share >= 0.9 else "fail")
        assert [recompute(verdict) for verdict in found] == list(found)
    assert wrong == 0
    assert sum(used) / len(used) <= most


def test_a_score_that_is_no_yes_or_no_keeps_the_suite_running_and_it_is_said():
    gates = gates_of(["right >= 0.5"])
    info, cases, trials = suite_of([[0.9]] * 30, gates, stop="decided")
    early, _ = run(info, cases, trials, gates, at_once=1, draw=random.Random(0))
    assert len(early.trials) == 30
    assert not early.info.is_partial
    assert "right is not right or wrong" in early.info.stop.kept


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("right not worse than baseline by 0.1 @ 95%", "compares with a baseline"),
        ("p95(latency) <= 1s", "more ways than one"),
        ("latency.mean <= 1s @ 95%", "how much the last cases differ"),
    ],
)
def test_gates_that_only_the_end_decides(text, why):
    gates = gates_of([text])
    info, cases, _ = suite_of([["right"]] * 3, gates, stop="decided")
    launches = Launches()
    launches.declare(info, cases, gates)
    assert why in launches.outcome("suite").stop.kept


def test_a_suite_without_gates_has_nothing_to_decide():
    info, _, _ = suite_of([["right"]] * 3, (), stop="anytime")
    assert "no gates" in info.stop.kept


def test_the_verdict_of_a_suite_that_stopped_says_so():
    gates = (parse("right >= 0.9"),)
    info, cases, trials = suite_of([["wrong"]] * 60, gates, stop="anytime")
    early, _ = run(info, cases, trials, gates, at_once=1, draw=random.Random(0))
    (verdict,) = judge(gates, early)
    assert verdict.decision == "fail"
    assert f"Stopped at {early.info.stop.at}/60" in verdict.reason
    assert early.info.selection == f"stopped at {early.info.stop.at} of 60 (anytime)"
    assert early.info.is_partial
