"""What the first call of a session would wait for is imported before the first trial, whose latency is measured."""

import subprocess
import sys
import textwrap

import pytest

MODEL = 'ek.Model("solver", model="scripted-1", base_url={"env": "NO_SUCH_URL"})'

SUITE = """
import sys
import evalkit as ek

{before}

@ek.suite(dataset=[ek.Case(id="one", input=1)], scorers=[]{declared})
def test_it(case{takes}):
    assert ("openai" in sys.modules) is {ready}
    assert ("openai.resources.chat.completions" in sys.modules) is {ready}
"""


def session(folder, source, *arguments):
    (folder / "test_it.py").write_text(textwrap.dedent(source))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:anyio", *arguments],
        cwd=folder,
        env={"PATH": "", "NO_SUCH_URL": "http://127.0.0.1:9/v1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("before", "declared", "takes"),
    [
        pytest.param("", f", model={MODEL}", ", model", id="a model that the suite declares"),
        pytest.param(f"judge = {MODEL}", "", "", id="a model that is only there"),
    ],
)
def test_with_a_model_openai_is_there_when_the_first_trial_begins(tmp_path, before, declared, takes):
    done = session(tmp_path, SUITE.format(before=before, declared=declared, takes=takes, ready=True))
    assert "1 passed" in done.stdout, done.stdout


def test_in_a_script_too(tmp_path):
    source = SUITE.format(before="", declared=f", model={MODEL}", takes=", model", ready=True)
    code = source + "\nassert [t.outcome for t in ek.run(test_it, progress=False).suites[0].trials] == ['passed']\n"
    env = {"PATH": "", "NO_SUCH_URL": "http://127.0.0.1:9/v1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("before", "declared", "takes"),
    [
        pytest.param("", "", "", id="no model"),
        pytest.param("", ', model=ek.callable_model("rules", len, version="1")', ", model", id="a function"),
    ],
)
def test_without_one_it_is_not_imported(tmp_path, before, declared, takes):
    done = session(tmp_path, SUITE.format(before=before, declared=declared, takes=takes, ready=False))
    assert "1 passed" in done.stdout, done.stdout


def test_a_session_that_only_collects_imports_nothing(tmp_path):
    source = SUITE.format(before="", declared=f", model={MODEL}", takes=", model", ready=True)
    tell = "def pytest_unconfigure():\n    import sys\n    print('openai there:', 'openai' in sys.modules)\n"
    (tmp_path / "conftest.py").write_text(tell)
    assert "openai there: False" in session(tmp_path, source, "-s", "--collect-only").stdout
    assert "openai there: True" in session(tmp_path, source, "-s").stdout
