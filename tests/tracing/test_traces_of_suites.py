"""What a session of pytest traces: fixtures, bodies and scorers of suites and of hand-written tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from evalkit.recorder import Recorder
from evalkit.spans import Trace
from evalkit.trial import Trial

QUIET = ("-p", "no:asyncio", "-p", "no:anyio", "-p", "no:xdist", "-p", "no:hypothesispytest", "-p", "no:randomly")

HEAD = """
import asyncio, json, threading, time
import pytest
import evalkit
from evalkit import Case
from evalkit.tracing import describe_request, describe_response, start_call, current

def rows(n):
    return [Case(id=f"c{i}", input=i, expected=i) for i in range(n)]

def call(text="hi", status=200, tokens=(3, 4)):
    request = {"model": "small", "messages": [{"role": "user", "content": text}]}
    info = describe_request("http://localhost:1/v1/chat/completions", json.dumps(request).encode())
    begun = start_call(info)
    answer = {"model": "small-1", "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}}
    begun.finish(describe_response(info, status=status, body=json.dumps(answer)))
"""


@pytest.fixture
def kept(monkeypatch) -> list[Trial]:
    """The trials as they are handed to the store."""
    trials: list[Trial] = []
    record = Recorder.record

    def keep(self: Recorder, suite: str, some: list[Trial]) -> None:
        trials.extend(some)
        record(self, suite, some)

    monkeypatch.setattr(Recorder, "record", keep)
    return trials


@pytest.fixture
def run(pytester: pytest.Pytester, kept: list[Trial]) -> Iterator[Callable[..., pytest.RunResult]]:
    """Run pytest on a test file below `HEAD`."""

    def go(source: str, *arguments: str, plugins: bool = False) -> pytest.RunResult:
        pytester.makepyfile(test_inner=HEAD + source)
        return pytester.runpytest_inprocess(*(() if plugins else QUIET), *arguments)

    return go


def outline(trace: Trace | None) -> list[tuple[str, str | None]]:
    assert trace is not None
    by_id = {span.span_id: span.name for span in trace.spans}
    return [(span.name, by_id.get(span.parent_id or "")) for span in trace.spans]


@pytest.mark.parametrize("function", ["async def", "def"])
def test_a_case_s_calls_are_its_own_from_fixture_to_scorer(run, kept, function):
    wait = "await asyncio.sleep(0.01)" if function == "async def" else "time.sleep(0.01)"
    result = run(f"""
@pytest.fixture
def prepared(case):
    call("fixture")
    yield case.input
    with evalkit.span("put away"):
        pass

def judge(output):
    call("judge", tokens=(10, 1))
    return 0.5

async def panel(output):
    await asyncio.sleep(0)
    call("panel 1", tokens=(20, 2))
    call("panel 2", tokens=(20, 2))
    return {{"a": 1.0, "b": 0.0}}

@evalkit.suite(dataset=rows(20), scorers=[judge, panel])
{function} test_it(case, prepared):
    with evalkit.span("work"):
        {wait}
        call("body")
        thread = threading.Thread(target=call, args=("thread",))
        thread.start()
        thread.join()
    return case.input
""")
    result.assert_outcomes(passed=20)
    assert len(kept) == 20
    assert len({trial.output.trace_id for trial in kept}) == 20
    for trial in kept:
        rooted = [("chat small", trial.case_id), ("work", trial.case_id)]
        by_scorer = [("judge", trial.case_id), ("chat small", "judge"), ("panel", trial.case_id)]
        assert sorted(outline(trial.trace)[1:]) == sorted(
            [*rooted, ("chat small", "work"), ("chat small", "work"), *by_scorer, *[("chat small", "panel")] * 2]
        )
        assert (trial.output.usage.input_tokens, trial.output.usage.calls) == (9, 3)
        judged = {score.name: score.usage for score in trial.scores}
        assert (judged["judge"].input_tokens, judged["judge"].calls) == (10, 1)
        assert (judged["a"].output_tokens, judged["a"].calls) == (4, 2)
        assert judged["b"] is None
        scorer = next(span for span in trial.trace.spans if span.name == "judge")
        assert (scorer.kind, scorer.attributes["gen_ai.evaluation.score.value"]) == ("scorer", 0.5)
        assert trial.trace.root.attributes["evalkit.suite"] == "test_it"
        assert trial.trace.root.attributes["evalkit.run.id"]
    result.stdout.fnmatch_lines(["evalkit: 20 spans belong to no trial, 20 of them came after*'put away'*"])


def test_alone_and_with_a_span_that_a_fixture_leaves_open(run, kept):
    result = run("""
@pytest.fixture
def around():
    with evalkit.span("around"):
        yield

@evalkit.suite(dataset=rows(3))
async def test_together(case, around):
    await asyncio.sleep(0)
    call()

@evalkit.suite(dataset=rows(3), max_concurrency=1)
def test_alone(case, around):
    call()
""")
    result.assert_outcomes(passed=6)
    for trial in kept:
        assert outline(trial.trace) == [(trial.case_id, None), ("around", trial.case_id), ("chat small", "around")]


def test_hand_written_tests_are_traced_too(run, kept):
    result = run("""
@pytest.fixture
def ready():
    call("fixture")

@pytest.mark.parametrize("text", ["a", "b"])
def test_by_hand(evalkit, ready, text):
    call("body")
    evalkit.output(text)
    evalkit.score("good", True)

def test_ordinary():
    assert current() is None
    call("nobody's")
""")
    result.assert_outcomes(passed=3)
    assert [trial.case_id for trial in kept] == ["a", "b"]
    for trial in kept:
        assert outline(trial.trace) == [(trial.case_id, None), *[("chat small", trial.case_id)] * 2]
        assert trial.output.usage.calls == 2
        assert trial.output.trace_id == trial.trace.trace_id


def test_hand_written_coroutines_under_pytest_asyncio(run, kept):
    result = run(
        """
@pytest.fixture
async def ready():
    call("fixture")

@pytest.mark.asyncio
async def test_by_hand(evalkit, ready):
    await asyncio.gather(asyncio.to_thread(call), asyncio.to_thread(call))
""",
        "-p",
        "no:anyio",
        "-o",
        "asyncio_mode=auto",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
        plugins=True,
    )
    result.assert_outcomes(passed=1)
    (trial,) = kept
    assert outline(trial.trace) == [("test_by_hand", None), *[("chat small", "test_by_hand")] * 3]


def test_a_fixture_that_tests_share_belongs_to_none_of_them(run, kept):
    run("""
@pytest.fixture(scope="module")
def index():
    call("build")
    assert current() is None
    return 1

@evalkit.suite(dataset=rows(2))
def test_it(case, index):
    call("body")
""").assert_outcomes(passed=2)
    assert [trial.output.usage.calls for trial in kept] == [1, 1]


def test_what_goes_wrong_is_on_the_spans(run, kept):
    run("""
@pytest.fixture
def ready(case):
    with evalkit.span("get ready"):
        if case.id == "c0":
            raise LookupError("no fixture")

def strict(output):
    call("judge")
    raise ArithmeticError("no score")

@evalkit.suite(dataset=rows(5), scorers=[strict], timeout=0.2)
async def test_it(case, ready):
    with evalkit.span("work"):
        call()
        if case.id == "c1":
            raise ValueError("no answer")
        if case.id == "c2":
            await asyncio.sleep(60)
        if case.id == "c3":
            pytest.skip("not today")
        if case.id == "c4":
            return 1

@evalkit.suite(dataset=rows(1), timeout=0.2)
def test_plain(case):
    with evalkit.span("work"):
        call()
        time.sleep(0.6)
""")
    by_case = {(trial.nodeid.partition("[")[0][-8:], trial.case_id): trial for trial in kept}
    assert ("test_it", "c3") not in {(name.lstrip(":"), case) for name, case in by_case}
    seen = {
        (trial.trace.root.attributes["evalkit.suite"], trial.case_id): {
            span.name: (span.status, span.error) for span in trial.trace.spans
        }
        for trial in kept
    }
    assert seen["test_it", "c0"]["c0"] == ("error", "LookupError: no fixture")
    assert seen["test_it", "c0"]["get ready"] == ("error", "LookupError: no fixture")
    assert seen["test_it", "c1"]["c1"] == ("error", "ValueError: no answer")
    assert seen["test_it", "c1"]["work"] == ("error", "ValueError: no answer")
    assert seen["test_it", "c2"]["c2"] == ("error", "Timeout: no answer within 0.2 s")
    assert seen["test_it", "c2"]["work"] == ("error", "CancelledError")
    assert seen["test_it", "c4"]["strict"] == ("error", "ArithmeticError: no score")
    assert seen["test_it", "c4"]["c4"] == ("error", "ArithmeticError: no score")
    assert seen["test_it", "c4"]["work"] == ("unset", None)
    assert seen["test_plain", "c0"]["work"] == ("error", "not finished when the trial ended")
    errored = next(trial for trial in kept if trial.case_id == "c4")
    assert errored.scores[0].usage.calls == 1
    assert errored.output.usage.calls == 1


def test_calls_that_failed_and_calls_that_do_not_say(run, kept):
    run("""
def unanswered():
    info = describe_request("http://localhost:1/v1/chat/completions", b'{"model": "small", "stream": true}')
    return info, start_call(info)

@evalkit.suite(dataset=rows(1))
def test_it(case):
    call(status=429)
    call()
    info, streamed = unanswered()
    streamed.finish(describe_response(info, status=200, body='data: {"choices": []}\\n\\ndata: [DONE]\\n\\n'))
    _, broken = unanswered()
    broken.fail(ConnectionResetError("gone"))
""")
    (trial,) = kept
    usage = trial.output.usage
    assert (usage.calls, usage.uncounted, usage.unpriced) == (3, 2, 3)
    assert (usage.input_tokens, usage.output_tokens) == (3, 4)
    calls = [span for span in trial.trace.spans if span.kind == "llm"]
    assert [span.status for span in calls] == ["error", "unset", "unset", "error"]
    assert [span.error for span in calls] == ["HTTP 429", None, None, "ConnectionResetError: gone"]
    assert calls[0].attributes["http.response.status_code"] == 429


def test_a_usage_that_the_body_gives_itself_is_kept(run, kept):
    run("""
@evalkit.suite(dataset=rows(1))
def test_it(case):
    call()
    return evalkit.Output(value=1, usage=evalkit.Usage(input_tokens=99))
""")
    assert kept[0].output.usage.input_tokens == 99
    assert kept[0].output.usage.calls is None


@pytest.mark.parametrize("capture", ["content", "metadata", "off"])
def test_what_is_kept_is_chosen_and_usage_is_counted_all_the_same(run, kept, capture):
    run(
        """
def judge(output):
    call("judge secret")
    return True

@evalkit.suite(dataset=rows(1), scorers=[judge])
def test_it(case):
    call("body secret")
    with evalkit.span("work", note="mine"):
        pass
    return 1
""",
        f"--evalkit-capture={capture}",
    )
    (trial,) = kept
    assert (trial.output.usage.calls, trial.scores[0].usage.calls) == (1, 1)
    if capture == "off":
        assert trial.trace is None
        assert trial.output.trace_id is None
    else:
        assert ("secret" in repr(trial.trace)) is (capture == "content")
        assert len(trial.trace.spans) == 5


@pytest.mark.slow
def test_under_xdist_traces_travel_with_their_trials(pytester, kept):
    pytester.makepyfile(
        test_inner=HEAD
        + """
def judge(output):
    call("judge")
    return 0.5

@evalkit.suite(dataset=rows(8), scorers=[judge])
async def test_it(case):
    current().warn("The model changed.")
    with evalkit.span("work", table={"a": [1, 2]}):
        call()
    return 1

def test_by_hand(evalkit):
    call()
"""
    )
    result = pytester.runpytest_inprocess(
        "-n", "2", "-p", "no:asyncio", "-p", "no:anyio", "-p", "no:hypothesispytest", "-p", "no:cacheprovider"
    )
    result.assert_outcomes(passed=9)
    assert len(kept) == 9
    runs = {trial.trace.root.attributes["evalkit.run.id"] for trial in kept}
    assert len(runs) == 1
    for trial in kept:
        if trial.case_id != "test_by_hand":
            assert outline(trial.trace) == [
                (trial.case_id, None),
                ("work", trial.case_id),
                ("chat small", "work"),
                ("judge", trial.case_id),
                ("chat small", "judge"),
            ]
            assert trial.trace.spans[1].attributes["table"] == {"a": [1, 2]}
            assert trial.scores[0].usage.calls == 1
        assert trial.output.usage.input_tokens == 3
    text = result.stdout.str()
    assert text.count("evalkit: The model changed. (in test_it[c") >= 1


def test_warnings_of_trials_are_told_once(run):
    result = run("""
@evalkit.suite(dataset=rows(3))
def test_it(case):
    current().warn("The model changed.")
    current().warn("The model changed.")
""")
    result.stdout.fnmatch_lines(["evalkit: The model changed. (in test_it[[]c?] and 2 more)"])


def test_cost_goes_along_as_an_exact_amount(run, kept):
    run("""
from decimal import Decimal
import dataclasses
@evalkit.suite(dataset=rows(1))
def test_it(case):
    info = describe_request("http://localhost:1/v1/embeddings", b'{"model": "e", "input": "text"}')
    begun = start_call(info)
    result = describe_response(info, status=200, body='{"model": "e", "usage": {"prompt_tokens": 7}}')
    begun.finish(result, usage=dataclasses.replace(result.usage, cost=Decimal("0.00000014"), saved=Decimal("0.00000014")))
""")
    usage = kept[0].output.usage
    assert (usage.cost, usage.saved, usage.spent) == (Decimal("0.00000014"), Decimal("0.00000014"), 0)
    assert (usage.input_tokens, usage.output_tokens, usage.unpriced) == (7, 0, 0)
    assert kept[0].trace.spans[1].kind == "embedding"
