"""Cases run at once inside one process, each with pytest's whole life cycle."""

from __future__ import annotations

import pytest


def test_async_bodies_wait_together(run_evals):
    # Every body waits for all the others: with one at a time this would never end.
    ran = run_evals("""
gate = None
arrived = 0

@evalkit.suite(dataset=rows(8), scorers=[same], timeout=20)
async def test_it(case):
    global gate, arrived
    gate = gate or asyncio.Event()
    arrived += 1
    if arrived == 8:
        gate.set()
    await gate.wait()
    return case.input
""")
    ran.result.assert_outcomes(passed=8)


def test_plain_bodies_run_in_threads_together(run_evals):
    ran = run_evals("""
barrier = threading.Barrier(6, timeout=20)

@evalkit.suite(dataset=rows(6), scorers=[same])
def test_it(case):
    barrier.wait()
    assert threading.current_thread() is not threading.main_thread()
    return case.input
""")
    ran.result.assert_outcomes(passed=6)


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_run_at_once_than_may(run_evals, limit):
    ran = run_evals(
        """
running = 0
most = 0

@evalkit.suite(dataset=rows(12), scorers=[same])
async def test_it(case):
    global running, most
    running += 1
    most = max(most, running)
    await asyncio.sleep(0.01)
    running -= 1
    return case.input

def test_most():
    assert most == LIMIT
""".replace("LIMIT", str(limit)),
        "--evalkit-max-concurrency",
        str(limit),
    )
    ran.result.assert_outcomes(passed=13)


def test_a_suite_may_set_its_own_limit(run_evals):
    ran = run_evals("""
running = 0

@evalkit.suite(dataset=rows(6), scorers=[same], max_concurrency=2)
async def test_it(case):
    global running
    running += 1
    assert running <= 2
    await asyncio.sleep(0.01)
    running -= 1
    return case.input
""")
    ran.result.assert_outcomes(passed=6)


def test_reported_and_torn_down_in_collection_order_however_they_end(run_evals):
    ran = run_evals(
        """
log = []

@pytest.fixture
def thing(case):
    yield case.id
    log.append(case.id)

@evalkit.suite(dataset=rows(6), scorers=[same])
async def test_it(case, thing):
    await asyncio.sleep(0.2 - case.input * 0.03)
    return case.input

def test_order():
    assert log == [f"c{i}" for i in range(6)]
""",
        "-v",
    )
    ran.result.assert_outcomes(passed=7)
    ran.result.stdout.fnmatch_lines([f"*test_it?c{i}? PASSED*" for i in range(6)])


def test_function_fixtures_are_fresh_and_wider_ones_shared(run_evals):
    ran = run_evals("""
made = {"function": 0, "module": 0, "session": 0}

@pytest.fixture
def mine():
    made["function"] += 1
    yield object()

@pytest.fixture(scope="module")
def shared():
    made["module"] += 1
    yield object()
    made["module_gone"] = True

@pytest.fixture(scope="session")
async def everywhere():
    made["session"] += 1
    yield object()

seen = []

@evalkit.suite(dataset=rows(5), scorers=[same])
async def test_it(case, mine, shared, everywhere, tmp_path):
    seen.append((mine, shared, everywhere, tmp_path))
    (tmp_path / "mark").touch(exist_ok=False)
    await asyncio.sleep(0.01)
    return case.input

def test_counts():
    assert made == {"function": 5, "module": 1, "session": 1}
    assert len({id(item[0]) for item in seen}) == 5
    assert len({item[1] for item in seen}) == len({item[2] for item in seen}) == 1
    assert len({item[3] for item in seen}) == 5
""")
    ran.result.assert_outcomes(passed=6)


def test_async_generator_fixtures_live_in_the_loop_of_the_body(run_evals):
    ran = run_evals("""
log = []

@pytest.fixture
async def client(case):
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue()
    yield loop, queue
    assert asyncio.get_running_loop() is loop
    log.append(case.id)

@pytest.fixture
async def value(client):
    await asyncio.sleep(0)
    return client

@evalkit.suite(dataset=rows(4), scorers=[same])
async def test_it(case, value):
    loop, queue = value
    assert asyncio.get_running_loop() is loop
    asyncio.get_running_loop().call_later(0.01, queue.put_nowait, case.input)
    return await queue.get()

def test_torn_down():
    assert log == ["c0", "c1", "c2", "c3"]
""")
    ran.result.assert_outcomes(passed=5)


def test_fixtures_asked_for_while_running_are_fresh_too(run_evals):
    ran = run_evals("""
made = []
gone = []

@pytest.fixture
def late(case):
    made.append(case.id)
    yield case.id
    gone.append(case.id)

@evalkit.suite(dataset=rows(4), scorers=[same])
async def test_it(case, request):
    await asyncio.sleep(0.01)
    assert request.getfixturevalue("late") == case.id
    request.addfinalizer(lambda: gone.append("f-" + case.id))
    return case.input

def test_counts():
    assert sorted(made) == ["c0", "c1", "c2", "c3"]
    assert [name for name in gone if not name.startswith("f-")] == ["c0", "c1", "c2", "c3"]
    assert len(gone) == 8
""")
    ran.result.assert_outcomes(passed=5)


def test_parametrized_wide_fixtures_are_a_barrier(run_evals):
    ran = run_evals("""
alive = []

@pytest.fixture(scope="module", params=["a", "b"])
def backend(request):
    assert not alive
    alive.append(request.param)
    yield request.param
    alive.remove(request.param)

@evalkit.suite(dataset=rows(4), scorers=[same])
async def test_it(case, backend):
    await asyncio.sleep(0.01)
    assert alive == [backend]
    return case.input
""")
    ran.result.assert_outcomes(passed=8)


@pytest.mark.parametrize("fixture", ["monkeypatch", "capsys", "recwarn"])
def test_fixtures_about_the_whole_process_make_cases_take_turns(run_evals, fixture):
    ran = run_evals(
        """
running = 0

@evalkit.suite(dataset=rows(4), scorers=[same])
async def test_it(case, FIXTURE):
    global running
    running += 1
    assert running == 1
    await asyncio.sleep(0.01)
    running -= 1
    return case.input
""".replace("FIXTURE", fixture)
    )
    ran.result.assert_outcomes(passed=4)
    assert f"one at a time, because they use {fixture}" in ran.text


def test_monkeypatch_and_capsys_work_as_always(run_evals):
    ran = run_evals("""
import os
@evalkit.suite(dataset=rows(3), scorers=[same])
def test_it(case, monkeypatch, capsys):
    assert "EVAL_WORD" not in os.environ
    monkeypatch.setenv("EVAL_WORD", case.id)
    print(os.environ["EVAL_WORD"])
    assert capsys.readouterr().out == case.id + "\\n"
    return case.input
""")
    ran.result.assert_outcomes(passed=3)


def test_a_slow_body_does_not_hold_up_the_others(run_evals):
    # The first waits for all the others to have ended, though only two may run at once.
    ran = run_evals("""
ended = 0
done = None

@evalkit.suite(dataset=rows(30), scorers=[same], max_concurrency=2, timeout=20)
async def test_it(case):
    global ended, done
    done = done or asyncio.Event()
    if case.input == 0:
        await done.wait()
    else:
        ended += 1
        if ended == 29:
            done.set()
    return case.input
""")
    ran.result.assert_outcomes(passed=30)


def test_teardown_errors_are_errors_of_their_own_item(run_evals):
    ran = run_evals("""
@pytest.fixture
def thing(case):
    yield
    if case.input == 1:
        raise RuntimeError("teardown of c1")

@evalkit.suite(dataset=rows(3), scorers=[same])
async def test_it(case, thing):
    await asyncio.sleep(0)
    return case.input
""")
    ran.result.assert_outcomes(passed=3, errors=1)
    ran.result.stdout.fnmatch_lines(["*ERROR at teardown of test_it?c1?*"])


def test_setup_errors_are_recorded_as_errored_trials(run_evals):
    ran = run_evals("""
@pytest.fixture
def thing(case):
    if case.input == 1:
        raise RuntimeError("no database")

@evalkit.suite(dataset=rows(3), scorers=[same])
async def test_it(case, thing):
    return case.input
""")
    ran.result.assert_outcomes(passed=2, errors=1)
    assert ran.outcomes() == {"c0": "passed", "c1": "errored", "c2": "passed"}
    assert ran.suite.trials[1].output.error.message == "no database"


def test_gather_and_task_groups_inside_a_body(run_evals):
    ran = run_evals("""
@evalkit.suite(dataset=rows(5), scorers=[same])
async def test_it(case):
    async def part(n):
        await asyncio.sleep(0.001)
        return n
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part(case.input)) for _ in range(3)]
    return (await asyncio.gather(*(part(case.input) for _ in range(3))))[0]
""")
    ran.result.assert_outcomes(passed=5)


def test_a_plain_body_may_start_a_loop_of_its_own(run_evals):
    ran = run_evals("""
@evalkit.suite(dataset=rows(5), scorers=[same])
def test_it(case):
    async def inner():
        await asyncio.sleep(0.001)
        return case.input
    return asyncio.run(inner())
""")
    ran.result.assert_outcomes(passed=5)
