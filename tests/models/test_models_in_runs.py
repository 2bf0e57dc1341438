"""A suite that asks a model: what is recorded of it, what it costs, and what the reader of the run is told."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest

import evalkit as ek
from evalkit.errors import ConfigError
from evalkit.store import open_store
from evalkit.testing import Answer, Faults, ToolCall, rate_limited, reset

PYPROJECT = """
[tool.evalkit.prices]
"scripted-*" = {input = 1, output = 10, cached = 0.1}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of its own, with prices for scripted models."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(number):
    return [ek.Case(id=f"c{n}", input=str(n), expected=str(n)) for n in range(number)]


def right(output, expected):
    return output == expected


def echo(call):
    return Answer(text=call.text, input_tokens=1000, output_tokens=100, cached_tokens=500)


COST = Decimal("0.00155")  # (500 * 1 + 500 * 0.1 + 100 * 10) / 1,000,000


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_model_file_is_handed_to_the_function_and_its_calls_are_counted(project, provider, kind):
    server = provider(echo)
    (project / "models").mkdir()
    (project / "models" / "solver.yaml").write_text(f"model: scripted-1\nbase_url: {server.url}\n")

    if kind == "async":

        @ek.suite(dataset=rows(5), scorers=[right], model="solver")
        async def asks(case, model):
            return await model.chat(case.input)
    else:

        @ek.suite(dataset=rows(5), scorers=[right], model="solver")
        def asks(case, model):
            return model.chat(case.input)

    run = ek.run(asks, progress=False)
    (suite,) = run.suites
    assert [trial.outcome for trial in suite.trials] == ["passed"] * 5
    (version,) = suite.info.versions
    assert (version.kind, version.name, dict(version.body)["model"]) == ("model", "solver", "scripted-1")
    spent = run.usage()
    assert spent.judges is None
    assert spent.target.cost == 5 * COST
    assert (spent.target.calls, spent.target.input_tokens, spent.target.cached_tokens) == (5, 5000, 2500)
    assert run.prices["own"] == {"scripted-*": {"input": "1", "output": "10", "cached": "0.1"}}
    with open_store(run.store, read_only=True) as store:
        kept = store.load(run.id, payload=True)
    assert kept.prices == run.prices
    assert kept.usage().target == spent.target
    for trial in kept.suites[0].trials:
        assert trial.output.value == trial.case_id[1:]
        (call,) = [span for span in trial.trace.spans if span.kind == "llm"]
        assert call.attributes["evalkit.model"] == "solver"
        assert call.attributes["evalkit.attempt"] == 1


def test_what_judges_cost_is_told_apart(project, provider):
    server = provider(echo)
    model, referee = ek.Model("scripted-1", base_url=server.url), ek.Model("no-price", base_url=server.url)

    def judged(output):
        model.chat("good?")
        referee.chat("and you?")
        return 1.0

    @ek.suite(dataset=rows(3), scorers=[judged])
    def asks(case):
        return model.chat(case.input)

    run = ek.run(asks, progress=False)
    spent = run.usage()
    assert (spent.target.cost, spent.target.calls, spent.target.unpriced) == (3 * COST, 3, 0)
    assert (spent.judges.cost, spent.judges.calls, spent.judges.unpriced) == (3 * COST, 6, 3)
    from evalkit.summary import render

    shown = " ".join(render(run, width=120, color=False).split())
    assert "cost $0.0093 (target $0.00465, judges $0.00465), 3 calls without a known price" in shown
    assert "tokens 9,000 in (4,500 cached), 900 out" in shown


def test_every_attempt_is_a_span_and_only_answers_cost(project, provider, in_a_hurry):
    server = provider([rate_limited(), reset(), Answer(text="0", input_tokens=1000, output_tokens=100)])
    model = ek.AsyncModel("scripted-1", base_url=server.url)

    @ek.suite(dataset=rows(1), scorers=[right])
    async def asks(case):
        return await model.chat(case.input)

    run = ek.run(asks, progress=False)
    with open_store(run.store, read_only=True) as store:
        (trial,) = store.load(run.id, payload=True).suites[0].trials
    calls = [span for span in trial.trace.spans if span.kind == "llm"]
    assert [span.attributes["evalkit.attempt"] for span in calls] == [1, 2, 3]
    assert [span.status for span in calls] == ["error", "error", calls[2].status]
    assert calls[2].status != "error"
    assert trial.output.usage.input_tokens == 1000
    assert trial.outcome == "passed"
    (version,) = trial.versions
    assert version.digest == model.version.digest


def test_a_model_that_stays_away_makes_errors_not_zeros(project, provider, in_a_hurry):
    server = provider(rate_limited())
    model = ek.Model("scripted-1", base_url=server.url, attempts=2)

    @ek.suite(dataset=rows(2), scorers=[right])
    def asks(case):
        return model.chat(case.input)

    run = ek.run(asks, progress=False)
    for trial in run.suites[0].trials:
        assert trial.outcome == "errored"
        assert trial.output.error.type == "ModelUnavailable"
        assert "in 2 attempts: 429" in trial.output.error.message
        assert trial.scores == ()


def test_a_reply_with_tool_calls_is_recorded_as_its_message(project, provider):
    from evalkit_scorers import tool_call_match

    server = provider(Answer(tool_calls=(ToolCall(name="weather", arguments={"city": "Paris"}, id="c1"),)))
    model = ek.Model("scripted-1", base_url=server.url)

    @ek.suite(
        dataset=[ek.Case(id="a", input="?", expected=[{"name": "weather", "arguments": {"city": "Paris"}}])],
        scorers=[tool_call_match()],
    )
    def asks(case):
        return model.chat(case.input)

    run = ek.run(asks, progress=False)
    (trial,) = run.suites[0].trials
    assert trial.outcome == "passed"


def test_a_key_that_is_missing_is_said_before_the_first_case(project, monkeypatch):
    monkeypatch.delenv("ACME_KEY", raising=False)
    (project / "models").mkdir()
    (project / "models" / "solver.yaml").write_text(
        "model: m\nbase_url: http://127.0.0.1:9/v1\napi_key: {env: ACME_KEY}\n"
    )
    asked = []

    @ek.suite(dataset=rows(1), scorers=[right], model="solver")
    def asks(case, model):
        asked.append(case)

    with pytest.raises(ConfigError, match="ACME_KEY, which is not set"):
        ek.run(asks, progress=False)
    assert asked == []


def test_a_snapshot_that_changes_within_a_run_is_a_warning(project, provider, caplog):
    answers = iter(["2026-01-01", "2026-01-01", "2026-06-30"])

    def answer(call):
        return Answer(text=call.text, model=f"scripted-1-{next(answers)}", system_fingerprint="fp_a")

    model = ek.Model("scripted-1", base_url=provider(answer).url)

    @ek.suite(dataset=rows(3), scorers=[right], max_concurrency=1)
    def asks(case):
        return model.chat(case.input)

    with caplog.at_level(logging.WARNING):
        ek.run(asks, progress=False)
    assert (
        "The model scripted-1 was answered by several snapshots within the run: "
        "scripted-1-2026-01-01 (2 calls), scripted-1-2026-06-30."
    ) in caplog.text


def test_a_fingerprint_that_changes_within_a_run_is_a_warning(project, provider, caplog):
    prints = iter(["fp_a", "fp_b"])
    model = ek.Model(
        "scripted-1", base_url=provider(lambda call: Answer(text="x", system_fingerprint=next(prints))).url
    )

    @ek.suite(dataset=rows(2), scorers=[right], max_concurrency=1)
    def asks(case):
        return model.chat(case.input)

    with caplog.at_level(logging.WARNING):
        ek.run(asks, progress=False)
    assert "its fingerprints were fp_a, fp_b" in caplog.text


def test_limits_of_a_model_file_hold_for_all_trials_together(project, provider):
    server = provider(echo, latency=0.02)
    model = ek.AsyncModel("scripted-1", base_url=server.url, limits={"concurrency": 3})

    @ek.suite(dataset=rows(24), scorers=[right], max_concurrency=12)
    async def asks(case):
        return await model.chat(case.input)

    run = ek.run(asks, progress=False)
    assert [trial.outcome for trial in run.suites[0].trials] == ["passed"] * 24
    assert server.in_flight_at_most == 3


def test_a_timeout_does_not_count_the_wait_for_a_limit(project, provider):
    server = provider(echo, latency=0.2)
    model = ek.AsyncModel("scripted-1", base_url=server.url, limits={"concurrency": 1}, timeout=1.6, attempts=1)

    @ek.suite(dataset=rows(12), scorers=[right], max_concurrency=12)
    async def asks(case):
        return await model.chat(case.input)

    run = ek.run(asks, progress=False)  # the last of them waits for longer than its timeout
    assert [trial.outcome for trial in run.suites[0].trials] == ["passed"] * 12


def test_with_many_at_once_through_faults_no_case_is_lost_or_doubled(project, provider):
    server = provider(echo, faults=Faults(shares={rate_limited(): 0.05, reset(): 0.03}, seed=11))
    model = ek.AsyncModel("scripted-1", base_url=server.url, attempts=10)

    @ek.suite(dataset=rows(150), scorers=[right], max_concurrency=32)
    async def asks(case):
        return await model.chat(case.input)

    run = ek.run(asks, progress=False)
    assert sorted(trial.case_id for trial in run.suites[0].trials) == sorted(case.id for case in rows(150))
    assert {trial.outcome for trial in run.suites[0].trials} == {"passed"}
    spent = run.usage().target
    assert spent.cost == 150 * COST
    assert spent.calls - spent.unpriced == 150  # a connection that was reset may have cost something; nobody knows
    with open_store(run.store, read_only=True) as store:
        trials = store.load(run.id, payload=True).suites[0].trials
    for trial in trials:
        roots = [span for span in trial.trace.spans if span.parent_id is None]
        assert len(roots) == 1
        assert len([span for span in trial.trace.spans if span.kind == "llm" and span.status != "error"]) == 1


def test_a_function_as_a_model_is_a_version_of_the_suite(project):
    local = ek.callable_model("local", lambda messages: messages[-1]["content"], version="7")

    @ek.suite(dataset=rows(2), scorers=[right], model=local)
    async def asks(case, model):
        return await model.chat(case.input)

    run = ek.run(asks, progress=False)
    assert [trial.outcome for trial in run.suites[0].trials] == ["passed"] * 2
    assert [version.body["version"] for version in run.suites[0].info.versions] == ["7"]
    assert run.prices == {}
