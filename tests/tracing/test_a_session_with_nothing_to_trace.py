"""What a session pays that calls nothing: no import of OpenTelemetry, no span, no wrapped thread."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

TRIVIAL = """
import sys
import evalkit
from evalkit import Case

@evalkit.suite(dataset=[Case(id=str(n), input=n, expected=n) for n in range(20)], scorers=[])
def test_it(case):
    from evalkit.tracing import current
    assert current().case_id == case.id
    assert current().trace_id is None
    loaded = {name.partition(".")[0] for name in sys.modules}
    assert not loaded & {"opentelemetry", "httpx", "httpx2", "openai", "genai_prices"}
    import threading
    assert not hasattr(threading.Thread.start, "__evalkit__")
    return case.input
"""


def run_pytest(folder, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_it_imports_nothing_of_opentelemetry_and_wraps_nothing(tmp_path):
    (tmp_path / "test_trivial.py").write_text(TRIVIAL)
    done = run_pytest(tmp_path, "-p", "no:anyio")
    assert done.returncode == 0, done.stdout
    assert "20 passed" in done.stdout


def test_evalkit_run_too(tmp_path):
    code = TRIVIAL + textwrap.dedent("""
        run = evalkit.run(test_it, progress=False)
        assert {trial.outcome for trial in run.suites[0].trials} == {"passed"}, run.suites[0].trials[0].output
    """)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_client_imported_within_a_trial_is_noticed(tmp_path):
    """The trial it happens in has its trace from then on, and those after it from their beginning."""
    (tmp_path / "test_late.py").write_text(
        textwrap.dedent("""
        import sys
        import evalkit

        seen = []

        @evalkit.suite(dataset=[{"id": "a", "input": 1}, {"id": "b", "input": 2}], max_concurrency=1)
        def test_it(case):
            from evalkit.tracing import current
            import threading
            before = current().trace_id
            import httpx
            assert threading.Thread.start.__evalkit__
            assert (before is None) == (case.id == "a")
            return 1
        """)
    )
    done = run_pytest(tmp_path, "-p", "no:anyio")
    assert done.returncode == 0, done.stdout


def test_a_trace_that_begins_late_begins_with_its_trial():
    code = """
        import time
        from evalkit.tracing import Session, attached, span
        with Session() as session:
            scope = session.scope(case_id="c")
            assert scope.trace_id is None
            with attached(scope):
                time.sleep(0.05)
                with span("first"):
                    pass
            root, first = scope.end().spans
            assert first.start_ns - root.start_ns >= 50_000_000
            assert first.parent_id == root.span_id
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


@pytest.mark.parametrize("order", ["sdk first", "interface first"])
def test_opentelemetry_may_be_imported_in_any_order(order):
    first = "opentelemetry.sdk.trace" if order == "sdk first" else "opentelemetry.trace"
    code = f"""
        from evalkit.tracing import Session, attached
        with Session() as session:
            scope = session.scope(case_id="c")
            with attached(scope):
                import {first}
                from opentelemetry import trace
                with trace.get_tracer("user").start_as_current_span("user's"):
                    pass
            assert [each.name for each in scope.end().spans] == ["c", "user's"]
    """
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(code)], check=True)


def test_a_module_that_is_waited_for_loads_as_ever(tmp_path, monkeypatch):
    from evalkit.tracing import when_imported

    package = tmp_path / "waited_for"
    package.mkdir()
    (package / "__init__.py").write_text("from . import part\nNAME = __name__\n")
    (package / "part.py").write_text("import importlib.resources\nLOADER = __loader__\n")
    (package / "data.txt").write_text("data")
    monkeypatch.syspath_prepend(tmp_path)
    calls: list[str] = []
    before = list(sys.meta_path)
    stop = when_imported("waited_for", lambda: calls.append(sys.modules["waited_for"].NAME))
    stop_never = when_imported("never_imported", lambda: calls.append("never"))
    import importlib.resources

    import waited_for

    assert calls == ["waited_for"]
    assert importlib.resources.files(waited_for).joinpath("data.txt").read_text() == "data"
    assert type(waited_for.__spec__.loader).__module__.startswith("_frozen_importlib")
    assert when_imported("waited_for", lambda: calls.append("at once")) is not None
    assert calls == ["waited_for", "at once"]
    stop()
    stop_never()
    assert sys.meta_path == before
    with pytest.raises(ModuleNotFoundError):
        __import__("never_imported")
