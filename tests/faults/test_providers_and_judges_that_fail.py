"""Each fault of a provider in a whole run: the case is errored with its attempts recorded, and is no 0; judges alike.

That faults which pass are tried again, and which never pass are not, is in `tests/models`.
"""

from __future__ import annotations

import pytest

import evalkit as ek
from evalkit.models import budget
from evalkit.store import open_store
from evalkit.testing import error_in_200, failing, garbage, hanging, rate_limited, reset, serve, truncated

FAULTS = {
    "429": rate_limited(),
    "429 with Retry-After": rate_limited(retry_after=0.05),
    "500": failing(500),
    "503": failing(503),
    "timeout": hanging(30),
    "reset": reset(),
    "garbage": garbage(),
    "cut off": truncated(),
    "error in a 200": error_in_200(),
}


@pytest.fixture(autouse=True)
def quick(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    token = budget._DRAW.set(lambda: 0.0)
    yield
    budget._DRAW.reset(token)


@pytest.fixture
def provider():
    """A server that fails for the texts that say so, and repeats all others."""
    started = []

    def go(fault):
        server = serve(lambda call: fault if "away" in call.text else call.text)
        started.append(server)
        return started[-1]

    yield go
    for server in started:
        server.close()


def cases(*texts):
    return [ek.Case(id=f"c{n}", input=text, expected=text) for n, text in enumerate(texts)]


def same(output, expected):
    return output == expected


@pytest.mark.parametrize("fault", FAULTS)
def test_the_case_is_errored_and_no_zero(provider, count, fault):
    server = provider(FAULTS[fault])
    patience = 0.4 if fault == "timeout" else 15.0
    model = ek.AsyncModel("scripted-1", base_url=server.url, attempts=2, timeout=60, attempt_timeout=patience)

    @ek.suite(dataset=cases("one", "away", "three"), scorers=[same], gates=["mean(same) >= 0.6"])
    async def asks(case):
        return await model.chat(case.input)

    run = ek.run(asks, progress=False)
    with open_store(run.store, read_only=True) as store:
        kept = store.load(run.id)
    right, away, also = kept.suites[0].trials
    assert [right.outcome, away.outcome, also.outcome] == ["passed", "errored", "passed"]
    assert away.scores == ()
    assert away.output.error.type == "ModelUnavailable"
    assert "in 2 attempts" in away.output.error.message
    calls = [span for span in away.trace.spans if span.kind == "llm"]
    assert [span.attributes["evalkit.attempt"] for span in calls] == [1, 2]
    assert kept.decision == "fail", "one of three errored, which is more than the error budget has"
    count("sqlite").faults += 1


def judged_by(model):
    @ek.scorer(name="judge")
    async def judge(case, output):
        return float(await model.chat(f"{case.input} {output}") != "")

    return judge


@pytest.mark.parametrize("fault", FAULTS)
def test_a_judge_that_is_away_is_missing_and_passes_nothing(provider, count, fault):
    server = provider(FAULTS[fault])
    patience = 0.4 if fault == "timeout" else 15.0
    model = ek.AsyncModel("scripted-1", base_url=server.url, attempts=1, timeout=60, attempt_timeout=patience)

    @ek.suite(dataset=cases(*["away"] * 4), scorers=[judged_by(model)], gates=["mean(judge) >= 0.5"])
    async def answers(case):
        return "fine"

    run = ek.run(answers, progress=False)
    for trial in run.suites[0].trials:
        (score,) = trial.scores
        assert (score.status, score.value, trial.outcome) == ("error", None, "errored")
    assert all(m.value is None for m in run.metrics if m.name == "judge")
    assert run.decision in ("fail", "inconclusive")
    assert [v.decision for v in run.verdicts if v.gate.startswith("judge")] in (["fail"], ["inconclusive"])
    count("sqlite").faults += 1


@pytest.mark.parametrize(("away", "decision"), [(2, "pass"), (12, "inconclusive")])
def test_what_a_judge_did_not_say_is_allowed_for_by_its_bounds(provider, away, decision):
    """With 2 of 40 missing the gate holds whatever they were; with 12 it depends on them."""
    server = provider(failing(503))
    model = ek.AsyncModel("scripted-1", base_url=server.url, attempts=1)
    rows = cases(*["away"] * away, *["here"] * (40 - away))

    @ek.suite(dataset=rows, scorers=[judged_by(model)], gates=["mean(judge) >= 0.75", "errors <= 50%"])
    async def answers(case):
        return "fine"

    run = ek.run(answers, progress=False)
    (verdict,) = [v for v in run.verdicts if v.gate.startswith("judge")]
    assert verdict.decision == decision
