"""`with evalkit.span(...)` and `@evalkit.trace`, in a trial and outside of all."""

from __future__ import annotations

import asyncio

import pytest

import evalkit
from evalkit.tracing import Scope, attached, current


def outline(scope: Scope) -> list[tuple[str, str | None]]:
    trace = scope.end()
    by_id = {span.span_id: span.name for span in trace.spans}
    return [(span.name, by_id.get(span.parent_id or "")) for span in trace.spans]


def test_outside_a_trial_nothing_happens():
    assert current() is None
    with evalkit.span("nothing", query="x") as span:
        span.set(more=1)
        assert not span.is_recording

    @evalkit.trace
    def double(number):
        return number * 2

    assert double(2) == 4


def test_spans_nest_and_carry_what_was_given(scope, call):
    with evalkit.span("outer", query="x", top=3, ratio=0.5, on=True, tags=["a", "b"], table={"k": [1]}) as outer:
        with evalkit.span("inner", kind="retrieval"):
            call()
        outer.set(found=7)
    trace = scope.end()
    root, first, second, third = trace.spans
    assert (root.kind, first.kind, second.kind, third.kind) == ("case", "chain", "retrieval", "llm")
    assert [span.parent_id for span in trace.spans] == [None, root.span_id, first.span_id, second.span_id]
    given = {name: value for name, value in first.attributes.items() if not name.startswith("evalkit.")}
    assert given == {
        "query": "x",
        "top": 3,
        "ratio": 0.5,
        "on": True,
        "tags": ["a", "b"],
        "table": {"k": [1]},
        "found": 7,
    }
    assert root.start_ns <= first.start_ns <= second.start_ns <= second.end_ns <= first.end_ns <= root.end_ns


def test_the_root_says_which_trial_it_is(session):
    scope = session.scope(case_id="c7", number=2, suite="answers")
    root = scope.end().root
    assert root.name == "c7"
    assert root.attributes == {
        "evalkit.kind": "case",
        "evalkit.run.id": "run-1",
        "evalkit.suite": "answers",
        "evalkit.case.id": "c7",
        "evalkit.trial": 2,
    }
    assert root.status == "ok"


def test_an_exception_makes_it_an_error_and_passes_through(scope):
    with pytest.raises(ValueError, match="wrong"), evalkit.span("outer"), evalkit.span("inner"):
        raise ValueError("wrong")
    _, outer, inner = scope.end().spans
    for span in (outer, inner):
        assert (span.status, span.error) == ("error", "ValueError: wrong")
        assert span.attributes["error.type"] == "ValueError"


def test_a_traced_function_keeps_its_name_its_result_and_its_exceptions(scope):
    @evalkit.trace
    def divide(a: int, b: int) -> float:
        """Divide."""
        return a / b

    assert divide.__name__ == "divide"
    assert divide.__doc__ == "Divide."
    assert divide(1, b=2) == 0.5
    with pytest.raises(ZeroDivisionError):
        divide(1, 0)
    _, good, bad = scope.end().spans
    assert (good.name, good.status, good.attributes["evalkit.kind"]) == ("divide", "unset", "chain")
    assert bad.error == "ZeroDivisionError: division by zero"


def test_a_coroutine_function_stays_one(scope, call):
    @evalkit.trace(name="think")
    async def answer(text):
        await asyncio.sleep(0)
        call(text)
        return text

    assert asyncio.iscoroutinefunction(answer)

    async def both():
        return await asyncio.gather(answer("a"), answer("b"))

    assert asyncio.run(both()) == ["a", "b"]
    assert sorted(outline(scope), key=str) == sorted(
        [("c1", None), ("think", "c1"), ("think", "c1"), ("chat small", "think"), ("chat small", "think")], key=str
    )


def test_a_tool_keeps_its_arguments_and_its_result(scope):
    class Shop:
        @evalkit.trace(kind="tool")
        def look_up(self, name, *, limit=3):
            return [{"name": name, "price": 2.5}]

    Shop().look_up("tea", limit=1)
    span = scope.end().spans[1]
    assert (span.kind, span.tool_name) == ("tool", "look_up")
    assert span.attributes["gen_ai.tool.call.arguments"] == {"name": "tea", "limit": 1}
    assert span.attributes["gen_ai.tool.call.result"] == [{"name": "tea", "price": 2.5}]


def test_with_metadata_only_a_tool_keeps_neither(session):
    session.capture = "metadata"
    scope = session.scope(case_id="c")

    @evalkit.trace(kind="tool")
    def look_up(name):
        return name

    with attached(scope):
        look_up("secret")
    assert "secret" not in repr(scope.end())


def test_a_generator_s_span_lasts_while_it_does_and_is_current_only_inside(scope, call):
    @evalkit.trace
    def items(limit):
        for number in range(limit):
            call(f"inside {number}")
            got = yield number
            assert got is None or got == "sent"
        return "done"

    generator = items(2)
    assert next(generator) == 0
    call("outside")
    assert generator.send("sent") == 1
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "done"
    assert outline(scope) == [
        ("c1", None),
        ("items", "c1"),
        ("chat small", "items"),
        ("chat small", "c1"),
        ("chat small", "items"),
    ]


def test_a_generator_left_early_or_broken_ends_its_span(scope):
    cleaned = []

    @evalkit.trace
    def items():
        try:
            yield 1
            yield 2
        finally:
            cleaned.append(True)

    left = items()
    next(left)
    left.close()

    @evalkit.trace
    def broken():
        yield 1
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        list(broken())

    thrown = items()
    next(thrown)
    with pytest.raises(KeyError):
        thrown.throw(KeyError("k"))
    _, first, second, third = scope.end().spans
    assert cleaned == [True, True]
    assert (first.status, second.error, third.error) == ("unset", "RuntimeError: broken", "KeyError: 'k'")


def test_an_asynchronous_generator_too(scope, call):
    @evalkit.trace
    async def items():
        call("inside")
        got = yield 1
        assert got == "sent"
        await asyncio.sleep(0)
        yield 2

    async def take():
        generator = items()
        assert await anext(generator) == 1
        call("outside")
        assert await generator.asend("sent") == 2
        assert [item async for item in generator] == []
        early = items()
        await anext(early)
        await early.aclose()

    asyncio.run(take())
    names = outline(scope)
    assert names == [
        ("c1", None),
        ("items", "c1"),
        ("chat small", "items"),
        ("chat small", "c1"),
        ("items", "c1"),
        ("chat small", "items"),
    ]


def test_what_is_open_when_the_trial_ends_is_an_error_that_says_so(session, caplog):
    scope = session.scope(case_id="c")
    with attached(scope):
        opened = evalkit.span("never closed")
        opened.begin()
        trace = scope.end()
        opened.finish(None)
    root, span = trace.spans
    assert (span.status, span.error) == ("error", "not finished when the trial ended")
    assert span.end_ns >= span.start_ns
    assert root.status == "ok"
    assert scope.end() is trace
    assert caplog.records == []


def test_what_comes_too_late_is_shown_as_an_orphan(session, call):
    scope = session.scope(case_id="slow", suite="suite")
    with attached(scope):
        scope.end()
        call("late")
        scope.close()
        with evalkit.span("later still"):
            pass
    session.end()
    assert [(orphan.span.name, orphan.late_for) for orphan in session.orphans] == [
        ("chat small", "suite[slow]"),
        ("later still", "suite[slow]"),
    ]
    (note,) = session.notes
    assert note.startswith("2 spans belong to no trial, 2 of them came after their trial had ended")
