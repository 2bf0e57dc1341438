"""Sessions that end early: what is done is kept, and the run says that it did not finish."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

SLOWING = """
@evalkit.suite(dataset=rows(40), scorers=[same], max_concurrency=4)
async def test_it(case, tmp_path_factory, thing):
    await asyncio.sleep(0.01)
    return case.input if case.input != 5 else None

@pytest.fixture
def thing(case):
    yield
    with (FOLDER / "gone").open("a") as file:
        file.write(case.id + "\\n")
"""


def test_x_stops_after_the_first_failure_and_tears_everything_down(run_evals, pytester):
    source = f"from pathlib import Path\nFOLDER = Path({str(pytester.path)!r})\n" + SLOWING
    ran = run_evals(source, "-x")
    ran.result.assert_outcomes(passed=5, failed=1)
    assert ran.result.ret == 1
    assert ran.run.status == "interrupted"
    stored_ids = list(ran.outcomes())
    assert set(stored_ids) >= {f"c{i}" for i in range(6)}
    assert len(stored_ids) < 40
    gone = (pytester.path / "gone").read_text().split()
    assert len(gone) == len(set(gone)) >= len(stored_ids)


def test_maxfail_counts(run_evals):
    ran = run_evals(
        """
@evalkit.suite(dataset=rows(20), scorers=[same])
async def test_it(case):
    return None
""",
        "--maxfail=3",
    )
    ran.result.assert_outcomes(failed=3)
    assert ran.run.status == "interrupted"


def test_ctrl_c_keeps_what_is_done_and_tears_down(start_evals, stored_run, pytester):
    process = start_evals(
        """
from pathlib import Path
@pytest.fixture
def thing(case):
    yield
    with Path("gone").open("a") as file:
        file.write(case.id + "\\n")

@evalkit.suite(dataset=rows(50), scorers=[same], max_concurrency=4)
async def test_it(case, thing):
    if case.input >= 10:
        Path("waiting").touch()
        await asyncio.sleep(60)
    return case.input
"""
    )
    _wait_for(pytester.path / "waiting", process)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 2, output
    assert "KeyboardInterrupt" in output
    assert "Traceback (most recent call last)" not in output
    run = stored_run()
    assert run.status == "interrupted"
    assert {trial.case_id for trial in run.suites[0].trials} == {f"c{i}" for i in range(10)}
    gone = (pytester.path / "gone").read_text().split()
    assert sorted(gone, key=lambda name: int(name[1:])) == [f"c{i}" for i in range(14)]
    assert not run.verdicts


def test_ctrl_c_during_a_plain_body(start_evals, stored_run, pytester):
    process = start_evals(
        """
from pathlib import Path
@evalkit.suite(dataset=rows(10), scorers=[same], max_concurrency=2)
def test_it(case):
    if case.input >= 4:
        Path("waiting").touch()
        time.sleep(20)
    return case.input
"""
    )
    _wait_for(pytester.path / "waiting", process)
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 2, output
    assert time.monotonic() - began < 15, "a thread that hangs does not hold up the end"
    assert stored_run().status == "interrupted"


def test_kill_9_loses_nothing_that_was_reported(start_evals, stored_run, pytester):
    process = start_evals(
        """
@evalkit.suite(dataset=rows(3000), scorers=[same], max_concurrency=8)
async def test_it(case):
    await asyncio.sleep(0.001)
    return case.input
""",
        "-v",
    )
    reported: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"test_it\[(c\d+)\] PASSED", line)
        if found:
            reported.append(found[1])
        if len(reported) >= 400:
            break
    process.kill()
    rest = process.stdout.read()
    process.wait()
    reported += re.findall(r"test_it\[(c\d+)\] PASSED", rest)
    from evalkit.store import open_store

    with open_store(pytester.path / ".evalkit" / "evalkit.db") as store:
        run = store.load(store.resolve("last"))
        kept = {trial.case_id for trial in run.suites[0].trials}
        assert set(reported) <= kept
        assert len(kept) < 3000
        assert store.runs()[0].status in ("running", "interrupted")


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_a_case_that_takes_too_long_is_errored_and_the_rest_goes_on(run_evals, kind):
    body = {
        "async": "async def test_it(case):\n    await asyncio.sleep(60 if case.input == 1 else 0)\n",
        "plain": "def test_it(case):\n    time.sleep(5 if case.input == 1 else 0)\n",
    }[kind]
    ran = run_evals(
        f"""
@evalkit.suite(dataset=rows(4), scorers=[same], timeout=0.2)
{body}    return case.input
"""
    )
    ran.result.assert_outcomes(passed=3, failed=1)
    assert ran.outcomes() == {"c0": "passed", "c1": "errored", "c2": "passed", "c3": "passed"}
    (late,) = [trial for trial in ran.suite.trials if trial.outcome == "errored"]
    assert late.output.error.type == "Timeout"
    assert "no answer within 0.2 s" in ran.text


@pytest.mark.parametrize("gates", ["", "gates=['mean(same) >= 0.1'], "])
def test_pytest_exit_ends_the_session(run_evals, gates):
    ran = run_evals(
        f"@evalkit.suite(dataset=rows(4), scorers=[same], {gates}max_concurrency=1)"
        """
async def test_it(case):
    if case.input == 2:
        pytest.exit("enough")
    return case.input
"""
    )
    assert ran.result.ret == 2
    assert ran.run.status == "interrupted"
    assert list(ran.outcomes()) == ["c0", "c1"]


def _wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    for _ in range(2400):
        if file.exists():
            return
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    raise AssertionError(f"{file.name} never came")


def test_ctrl_c_between_two_items_tears_down_what_is_in_flight(run_evals, pytester):
    pytester.makeconftest(
        """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    if item.name == "test_it[c3]":
        raise KeyboardInterrupt
"""
    )
    ran = run_evals(
        """
from pathlib import Path

@pytest.fixture
def noted(case):
    Path(f"up-{case.id}").touch()
    yield
    Path(f"down-{case.id}").touch()

@evalkit.suite(dataset=rows(40), scorers=[same], max_concurrency=4)
async def test_it(case, noted):
    if case.input >= 3:
        await asyncio.sleep(300)
    return case.input
""",
        subprocess=True,
    )
    assert ran.result.ret == 2
    assert ran.run.status == "interrupted"
    up, down = (
        sorted(path.name.partition("-")[2] for path in pytester.path.glob(f"{way}-*")) for way in ("up", "down")
    )
    assert len(up) > 3, "some were in flight"
    assert down == up
