"""What a body prints and logs ends up on its own item, also with several in flight."""

from __future__ import annotations

import re

import pytest

TALKING = """
@evalkit.suite(dataset=rows(4), scorers=[same])
KIND test_it(case):
    log = logging.getLogger("inner")
    for step in range(3):
        print(f"out {case.id} {step}")
        print(f"err {case.id} {step}", file=sys.stderr)
        log.warning("log %s %s", case.id, step)
        PAUSE
    return None
"""


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"_+ test_it\[(c\d)\] _+\n", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("capture", ["fd", "sys"])
@pytest.mark.parametrize(("kind", "pause"), [("async def", "await asyncio.sleep(0.005)"), ("def", "time.sleep(0.005)")])
def test_stdout_stderr_and_logs_stay_apart(run_evals, kind, pause, capture):
    ran = run_evals(TALKING.replace("KIND", kind).replace("PAUSE", pause), f"--capture={capture}")
    ran.result.assert_outcomes(failed=4)
    sections = _sections(ran.text.split("short test summary")[0])
    assert set(sections) == {"c0", "c1", "c2", "c3"}
    for name, text in sections.items():
        assert re.findall(r"^(?:out|err) (c\d) \d$", text, re.M) == [name] * 6
        assert re.findall(r"log (c\d) \d$", text, re.M) == [name] * 3
        assert "Captured stdout call" in text
        assert "Captured stderr call" in text
        assert "Captured log call" in text


def test_s_shows_output_as_it_comes(run_evals):
    ran = run_evals(TALKING.replace("KIND", "async def").replace("PAUSE", "await asyncio.sleep(0)"), "-s")
    assert len(re.findall(r"out c\d \d", ran.text)) == 12
    assert "Captured stdout" not in ran.text


def test_caplog_sees_its_own_body_only(run_evals):
    ran = run_evals("""
@evalkit.suite(dataset=rows(4), scorers=[same])
async def test_it(case, caplog):
    logging.getLogger("inner").warning("from %s", case.id)
    await asyncio.sleep(0.01)
    assert [record.getMessage() for record in caplog.records] == [f"from {case.id}"]
    return case.input
""")
    ran.result.assert_outcomes(passed=4)


def test_log_level_setting_holds_in_bodies(run_evals):
    ran = run_evals(
        """
@evalkit.suite(dataset=rows(2), scorers=[same])
async def test_it(case):
    logging.getLogger("inner").info("info %s", case.id)
    return None
""",
        "--log-level=INFO",
    )
    assert ran.text.count("info c0") == 1
    assert ran.text.count("info c1") == 1


def test_an_assert_shows_its_own_values(run_evals):
    ran = run_evals("""
@evalkit.suite(dataset=rows(3), scorers=[])
async def test_it(case):
    await asyncio.sleep(0)
    assert case.input < 2
""")
    ran.result.assert_outcomes(passed=2, failed=1)
    ran.result.stdout.fnmatch_lines(["E   *assert 2 < 2*"])
    assert "pytest_evalkit" not in ran.text.split("FAILURES")[1].split("= evals =")[0]


def test_setup_show_names_items_in_turn(run_evals):
    ran = run_evals(
        """
@pytest.fixture
def thing():
    yield

@evalkit.suite(dataset=rows(2), scorers=[same])
def test_it(case, thing):
    return case.input
""",
        "--setup-show",
    )
    ran.result.assert_outcomes(passed=2)
    ran.result.stdout.fnmatch_lines(
        ["*SETUP*F thing*", "*test_it?c0?*fixtures used:*thing*", "*TEARDOWN F thing*", "*test_it?c1?*"]
    )


TEARDOWN = """
@pytest.fixture
def loud():
    yield
    print("said in the teardown")

@evalkit.suite(dataset=rows(2), scorers=[same])
async def test_it(case, loud):
    return "wrong"
"""


def test_what_a_teardown_says_is_shown_with_the_miss_and_silent_phases_are_not_looked_through(run_evals):
    ran = run_evals(TEARDOWN)
    assert ran.text.count("said in the teardown") == 2
    assert "Captured stdout teardown" in ran.text


def test_durations_still_list_set_ups_and_teardowns(run_evals):
    ran = run_evals(TEARDOWN, "--durations=0", "-vv")
    ran.result.stdout.fnmatch_lines(["*s setup *test_it?c0?"])
    ran.result.stdout.fnmatch_lines(["*s teardown *test_it?c1?"])
