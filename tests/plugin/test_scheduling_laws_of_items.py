"""Laws of pytest's life cycle under concurrency, over generated suites."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KINDS = ["pass", "miss", "error", "skip", "setup error", "setup skip", "teardown error"]

SOURCE = """
import json
from pathlib import Path

PLAN = json.loads({plan!r})
LOG = Path({log!r})

def note(*words):
    with LOG.open("a") as file:
        file.write(json.dumps(words) + "\\n")

@pytest.fixture(scope="module")
def shared():
    note("module up")
    yield
    note("module down")

@pytest.fixture
def thing(case, shared):
    kind = PLAN[case.input][0]
    note("up", case.id)
    if kind == "setup error":
        raise RuntimeError(case.id)
    if kind == "setup skip":
        pytest.skip(case.id)
    yield case.id
    note("down", case.id)
    if kind == "teardown error":
        raise RuntimeError(case.id)

@evalkit.suite(dataset=rows({size}), scorers=[same], max_concurrency={limit}{gates})
{define} test_it(case, thing):
    kind, pause = PLAN[case.input]
    assert thing == case.id
    {wait}
    if kind == "error":
        raise ValueError(case.id)
    if kind == "skip":
        pytest.skip(case.id)
    return None if kind == "miss" else case.input
"""


@pytest.mark.slow
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    plan=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 4)), min_size=1, max_size=12),
    limit=st.integers(1, 5),
    is_async=st.booleans(),
    gated=st.booleans(),
)
def test_order_set_up_and_teardown_hold_whatever_happens(run_evals, tmp_path_factory, plan, limit, is_async, gated):
    log = tmp_path_factory.mktemp("log") / "log.jsonl"
    source = SOURCE.format(
        plan=json.dumps(plan),
        log=str(log),
        size=len(plan),
        limit=limit,
        define="async def" if is_async else "def",
        wait="await asyncio.sleep(pause / 1000)" if is_async else "time.sleep(pause / 1000)",
        gates=', gates=["same >= 0"]' if gated else "",
    )
    (log.parent / ".evalkit").mkdir()
    ran = run_evals(source, "-v", "--evalkit-store", str(log.parent / "runs.db"))
    events = [json.loads(line) for line in log.read_text().splitlines()]
    names = [f"c{index}" for index in range(len(plan))]

    assert [event for event in events if event[0] == "up"] == [["up", name] for name in names]
    passing = [name for name, (kind, _) in zip(names, plan, strict=True) if not kind.startswith("setup")]
    assert [event[1] for event in events if event[0] == "down"] == passing
    assert events[0] == ["module up"]
    assert events[-1] == ["module down"]
    assert sum(event[0].startswith("module") for event in events) == 2

    shown = [
        line.split("[")[1].split("]")[0] for line in ran.text.splitlines() if "::test_it[c" in line and "%" in line
    ]
    assert list(dict.fromkeys(shown)) == names, ran.text

    counts = ran.result.parseoutcomes()
    kinds = [kind for kind, _ in plan]
    errors = kinds.count("setup error") + kinds.count("teardown error")
    assert counts.get("skipped", 0) == kinds.count("skip") + kinds.count("setup skip")
    assert counts.get("error", 0) + counts.get("errors", 0) == errors
    if gated:
        assert counts.get("missed", 0) == kinds.count("miss")
        assert counts.get("errored", 0) == kinds.count("error")
    else:
        assert counts.get("failed", 0) == kinds.count("miss") + kinds.count("error")
