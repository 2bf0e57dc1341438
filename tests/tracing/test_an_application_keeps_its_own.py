"""Nothing global is taken over: an application's provider, exporters and tracers work as they do without evalkit.

Each in a process of its own, since OpenTelemetry lets a provider be set once.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

HEAD = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from evalkit.tracing import Session, attached, span

exporter = InMemorySpanExporter()

def application():
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider

def exported():
    return [each.name for each in exporter.get_finished_spans()]

def inside(session, work, case="c"):
    scope = session.scope(case_id=case)
    with attached(scope):
        work()
    kept = scope.end()
    scope.close()
    return [each.name for each in kept.spans]
"""


def in_a_process(code: str, **environment: str) -> str:
    import os

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", HEAD + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_provider_set_before_the_session_exports_its_spans_and_ours_see_them():
    in_a_process("""
        provider = application()
        with Session() as session:
            def work():
                with trace.get_tracer("theirs").start_as_current_span("theirs"):
                    with span("ours"):
                        pass
            assert inside(session, work) == ["c", "theirs", "ours"]
            assert trace.get_tracer_provider() is provider
        assert exported() == ["theirs"]
        assert trace.get_tracer_provider() is provider
    """)


@pytest.mark.parametrize("within", ["the session", "a trial"])
def test_a_provider_set_within_is_taken_and_tracers_fetched_early_follow_it(within):
    said = in_a_process(f"""
        early = trace.get_tracer("library, imported first")
        with Session() as session:
            session.activate()
            middle = trace.get_tracer("library, imported later")
            def before():
                with early.start_as_current_span("early 1"), middle.start_as_current_span("middle 1"):
                    pass
            assert inside(session, before) == ["c", "early 1", "middle 1"]
            assert exported() == []
            if {within == "the session"}:
                application()
            def after():
                if {within == "a trial"}:
                    application()
                with early.start_as_current_span("early 2"), middle.start_as_current_span("middle 2"):
                    with trace.get_tracer("theirs").start_as_current_span("theirs"):
                        pass
            assert inside(session, after) == ["c", "early 2", "middle 2", "theirs"]
            assert exported() == ["theirs", "middle 2", "early 2"]
        with early.start_as_current_span("early 3"):
            pass
        assert exported()[-1] == "early 3"
        assert isinstance(trace.get_tracer_provider(), TracerProvider)
    """)
    assert "Overriding" not in said


def test_without_a_provider_of_its_own_it_has_none_again_after_the_session():
    in_a_process("""
        with Session() as session:
            session.activate()
            tracer = trace.get_tracer("library")
            assert inside(session, lambda: tracer.start_span("seen").end()) == ["c", "seen"]
        assert trace._TRACER_PROVIDER is None
        assert not tracer.start_span("nobody's").is_recording()
        provider = application()
        assert trace.get_tracer_provider() is provider
        tracer.start_span("unseen by a tracer of the session").end()
        trace.get_tracer("library").start_span("theirs").end()
        assert exported() == ["theirs"]
    """)


def test_a_provider_of_another_make_is_left_alone():
    in_a_process("""
        class Own(trace.TracerProvider):
            def get_tracer(self, *args, **kwargs):
                return trace.NoOpTracer()
        own = Own()
        trace.set_tracer_provider(own)
        with Session() as session:
            session.activate()
            def work():
                with span("ours"):
                    pass
            assert inside(session, work) == ["c", "ours"]
            assert trace.get_tracer_provider() is own
    """)


def test_a_trace_that_begins_inside_a_trial_is_part_of_it():
    in_a_process("""
        from opentelemetry.context import Context
        application()
        with Session() as session:
            def work():
                server = trace.get_tracer("server")
                root = server.start_span("request", context=Context())
                below = server.start_span("query", context=trace.set_span_in_context(root, Context()))
                below.end()
                root.end()
            scope = session.scope(case_id="c")
            with attached(scope):
                work()
            kept = {each.name: each for each in scope.end().spans}
            assert kept["request"].parent_id == kept["c"].span_id
            assert kept["query"].parent_id == kept["request"].span_id
            assert {each.trace_id for each in kept.values()} == {scope.trace_id}
            assert session.orphans == ()
        assert exported() == ["query", "request"]
    """)


def test_the_environment_of_an_application_s_sdk_cuts_nothing_off_ours():
    in_a_process(
        """
        with Session() as session:
            scope = session.scope(case_id="c")
            with attached(scope), span("many", **{f"a{i}": "x" * 50 for i in range(500)}):
                pass
            many = scope.end().spans[1]
            assert sum(name.startswith("a") for name in many.attributes) == 500
            assert many.attributes["a499"] == "x" * 50
        """,
        OTEL_TRACES_SAMPLER="always_off",
        OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="3",
        OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT="5",
    )


def test_a_seeded_test_draws_the_same_numbers_traced_or_not():
    in_a_process("""
        import random
        random.seed(7)
        expected = [random.random() for _ in range(3)]
        drawn, ids = [], set()
        with Session() as session:
            for case in ("a", "b"):
                scope = session.scope(case_id=case)
                with attached(scope):
                    random.seed(7)
                    with span("one"):
                        drawn = [random.random() for _ in range(3)]
                assert drawn == expected
                ids.add(scope.trace_id)
                scope.end()
        assert len(ids) == 2
    """)


def test_otel_sdk_disabled_turns_traces_off_and_is_said_once_and_tokens_are_counted():
    in_a_process(
        """
        from evalkit.tracing import describe_request, describe_response, start_call
        from evalkit.tracing.session import DISABLED
        with Session() as session:
            session.activate()
            for case in ("a", "b"):
                scope = session.scope(case_id=case)
                with attached(scope), span("nothing") as opened:
                    assert not opened.is_recording
                    info = describe_request("http://h/v1/embeddings", b'{"model": "m", "input": "x"}')
                    call = start_call(info)
                    call.finish(describe_response(info, status=200, body='{"usage": {"prompt_tokens": 5}}'))
                assert scope.end() is None
                assert [usage.input_tokens for _, usage in scope.usages] == [5]
        assert session.notes == [DISABLED]
        """,
        OTEL_SDK_DISABLED="true",
    )
