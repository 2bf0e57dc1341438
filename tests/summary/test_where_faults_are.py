"""An error is placed where a person can do something about it: in their own code, not in the library that raised."""

import dataclasses
from pathlib import Path

import pytest

import evalkit
from evalkit.faults import faults
from evalkit.score import ErrorInfo
from evalkit.summary import render

CLIENT = "/tmp/ada/.venv/lib/python3.12/site-packages/openai/_base_client.py"
STANDARD = "/usr/lib/python3.12/concurrent/futures/thread.py"
OURS = str(Path(evalkit.__file__).parent / "models" / "budget.py")


def traceback(*frames):
    return "Traceback (most recent call last):\n" + "".join(
        f'  File "{f}", line {n}, in x\n    y()\n' for f, n in frames
    )


@pytest.mark.parametrize(
    ("frames", "place"),
    [
        pytest.param([("evals/test_a.py", 3), ("app.py", 7)], "app.py:7", id="their own"),
        pytest.param([("evals/test_a.py", 3), ("app.py", 7), (CLIENT, 99)], "app.py:7", id="a client they called"),
        pytest.param([("app.py", 7), (STANDARD, 58)], "app.py:7", id="the standard library"),
        pytest.param([("evals/test_a.py", 3), (OURS, 118)], "evals/test_a.py:3", id="a model of evalkit"),
        pytest.param([("app.py", 7), (CLIENT, 1), ("hook.py", 2), (CLIENT, 9)], "hook.py:2", id="called back"),
        pytest.param([(OURS, 20), (CLIENT, 99)], f"{CLIENT}:99", id="nothing of theirs"),
        pytest.param([], "", id="no frames"),
    ],
)
def test_the_last_line_before_libraries_took_over(tmp_path, frames, place):
    @evalkit.suite(dataset=[evalkit.Case(id="one", input=1)])
    def test_it(case):
        return case.input

    suite = evalkit.run(test_it, store=tmp_path / "runs.db", progress=False).suites[0]
    error = ErrorInfo(type="OpenAIError", message="no key", traceback=traceback(*frames))
    output = dataclasses.replace(suite.trials[0].output, error=error)
    broken = dataclasses.replace(suite, trials=(dataclasses.replace(suite.trials[0], output=output),))
    (fault,) = faults(broken)
    assert fault.place == place


def test_a_message_that_is_cut_says_so(tmp_path):
    """Half a sentence before a place reads as if the place belonged to it."""

    @evalkit.suite(dataset=[evalkit.Case(id="one", input=1)])
    def test_it(case):
        raise RuntimeError("too long, " * 60)

    run = evalkit.run(test_it, store=tmp_path / "runs.db", progress=False)
    said = " ".join(render(run, width=100, color=False).split())
    assert "… at " in said
    assert "test_where_faults_are.py" in said
