"""`evalkit gate --baseline` and `evalkit compare` say the same as the session did."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

import evalkit
from evalkit.case import Case
from evalkit.errors import GateError

Cli = Callable[..., Any]
MakeRun = Callable[..., Any]
GATE = "right no regression vs baseline"


def test_a_stored_run_is_judged_against_another(cli: Cli, make_run: MakeRun) -> None:
    base, candidate = make_run(cases=40), make_run(cases=40, wrong=tuple(range(15)))
    result = cli("gate", candidate.id, "--gate", GATE, "--baseline", base.id)
    assert result.code == 1
    assert "vs baseline" in result.out
    assert "0 improved, 15 regressed, 25 stayed" in " ".join(result.out.split())
    shown = cli("gate", candidate.id, "--gate", GATE, "--baseline", base.id, "--json").json()
    assert (shown["decision"], shown["exit_code"]) == ("fail", 1)
    assert shown["gates"][0]["inputs"]["baseline"] == base.id
    assert shown["gates"][0]["inputs"]["pairs"]["lower"] == 15


def test_the_verdict_is_that_of_the_session(cli: Cli, make_run: MakeRun) -> None:
    base = make_run(cases=40)

    @evalkit.suite(
        name="sums",
        dataset=[Case(id=f"c{n}", input={"n": n}, expected=n, metadata={"odd": bool(n % 2)}) for n in range(40)],
        scorers=[make_run.__globals__["right"]],
        gates=[GATE, f"right not worse than baseline {base.id} by 0.3 @ 95%"],
    )
    def suite(case: Case) -> int:
        return int(case.input["n"]) if case.input["n"] > 2 else -1

    run = evalkit.run(suite, baseline=base, progress=False)
    assert [verdict.decision for verdict in run.verdicts] == ["pass", "pass", "pass"]
    again = cli("gate", run.id, "--baseline", base.id, "--json").json()["gates"]
    for stored, judged in zip(run.verdicts, again, strict=True):
        plain = dataclasses.asdict(stored)
        assert (judged["text"], judged["verdict"]) == (plain["gate"], plain["decision"])
        assert (judged["interval"] or [None, None]) == [plain["low"], plain["high"]]
        assert (judged["reason"], judged["hint"]) == (plain["reason"], plain["hint"])
        assert judged["inputs"] == plain["inputs"]


def test_a_script_is_told_how_to_name_a_baseline(make_run: MakeRun) -> None:
    with pytest.raises(GateError, match="none was named"):
        make_run(gates=(GATE,))


def test_without_a_baseline_gate_says_how_to_name_one(cli: Cli, make_run: MakeRun) -> None:
    make_run()
    result = cli("gate", "last", "--gate", GATE)
    assert result.code == 2
    assert "--baseline BASE" in " ".join(result.err.split())


def test_a_partial_run_is_refused_as_a_baseline(cli: Cli, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_SAMPLE", "5")
    partial = make_run()
    monkeypatch.delenv("EVALKIT_SAMPLE")
    make_run()
    result = cli("gate", "last", "--gate", GATE, "--baseline", partial.id)
    assert result.code == 2
    assert "it is partial: of sums only 5 of 20 trials were selected" in " ".join(result.err.split())


def test_compare_has_intervals_p_values_and_both_directions(cli: Cli, make_run: MakeRun) -> None:
    base, candidate = make_run(cases=40, wrong=(1, 2)), make_run(cases=40, wrong=(2, *range(5, 15)))
    (suite,) = cli("compare", base.id, candidate.id, "--json").json()["suites"]
    metrics = {metric["name"]: metric for metric in suite["metrics"]}
    right = metrics["right"]
    assert (right["improved"], right["regressed"], right["method"], right["test"]) == (1, 10, "Tango", "exact McNemar")
    assert right["interval"][0] < right["difference"] < right["interval"][1] < 0
    assert right["p_value"] == pytest.approx(0.01171875)
    assert (right["missing"], right["higher_is_better"]) == (0, True)
    assert metrics["latency"]["higher_is_better"] is False
    text = cli("compare", base.id, candidate.id).out
    assert "0.012" in text
    assert "1↑ 10↓" in text


def test_a_run_against_itself_shows_no_difference(cli: Cli, make_run: MakeRun) -> None:
    make_run(wrong=(1,))
    (suite,) = cli("compare", "last", "last", "--json").json()["suites"]
    right = next(metric for metric in suite["metrics"] if metric["name"] == "right")
    assert (right["difference"], right["p_value"], right["equal"]) == (0.0, 1.0, 20)
    assert right["interval"][0] < 0 < right["interval"][1]


def test_values_that_are_missing_leave_no_p_value(cli: Cli, make_run: MakeRun) -> None:
    def sometimes(output: Any, expected: Any) -> bool:
        if output == 3:
            raise ValueError("unsure")
        return bool(output == expected)

    make_run(scorer=sometimes, gates=("sometimes >= 0.1",))
    (suite,) = cli("compare", "last", "last", "--json").json()["suites"]
    found = next(metric for metric in suite["metrics"] if metric["name"] == "sometimes")
    assert (found["pairs"], found["missing"], found["p_value"]) == (19, 1, None)
