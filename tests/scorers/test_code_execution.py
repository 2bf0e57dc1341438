"""code_execution: off unless asked for, and what a program can and cannot do to us."""

import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evalkit.case import Case
from evalkit.errors import ScorerError
from evalkit_scorers import code_execution

CASE = Case(
    id="c1",
    input={"prompt": "def double(x):\n", "name": "double"},
    expected=4,
    metadata={"test": "assert double(2) == 4"},
)
TEMPLATE = "{{ prompt }}{{ output }}\n{{ test }}"


@pytest.fixture
def run():
    def run(output, *, program="{{ output }}", case=CASE, **options):
        options.setdefault("timeout", 20)
        return code_execution(program, allow_execution=True, **options)(
            case=case, output=textwrap.dedent(output) if output.startswith("\n") else output
        )

    return run


def test_it_is_off_unless_asked_for(monkeypatch):
    monkeypatch.delenv("EVALKIT_ALLOW_CODE_EXECUTION", raising=False)
    with pytest.raises(ScorerError) as caught:
        code_execution("{{ output }}")
    said = str(caught.value)
    assert "no sandbox" in said
    assert "allow_execution=True" in said
    assert "EVALKIT_ALLOW_CODE_EXECUTION=1" in said
    monkeypatch.setenv("EVALKIT_ALLOW_CODE_EXECUTION", "yes")
    with pytest.raises(ScorerError):
        code_execution("{{ output }}")
    monkeypatch.setenv("EVALKIT_ALLOW_CODE_EXECUTION", "1")
    assert code_execution("{{ output }}").name == "code_execution"


@pytest.mark.parametrize(
    ("output", "label", "says"),
    [
        ("    return 2 * x", "passed", None),
        ("    return 3 * x", "failed", "AssertionError"),
        ("    return y", "failed", "NameError: name 'y' is not defined"),
        ("return", "failed", "IndentationError"),
        ("    return 2 * x\nimport sys; sys.exit(0)", "left early", "before its last line"),
        ("    return 2 * x\nimport os; os._exit(0)", "left early", "before its last line"),
        ("    return 2 * x\nimport os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "killed", "SIGSEGV"),
        ("    return 2 * x\n\ud800", "failed", "UnicodeEncodeError"),
        ("    return 2 * x\n\0", "failed", "null bytes"),
    ],
)
def test_how_a_program_ends(run, output, label, says):
    score = run(output, program=TEMPLATE)
    assert (score.label, score.passed) == (label, label == "passed")
    assert says is None or says in score.explanation


def test_a_program_that_does_not_end_is_stopped(run):
    started = time.monotonic()
    score = run("while True: pass", timeout=1)
    assert (score.label, score.explanation) == ("timeout", "stopped after 1 s")
    assert time.monotonic() - started < 15


def test_what_it_started_is_stopped_with_it(run, tmp_path):
    mark = tmp_path / "alive"
    score = run(
        f"""
        import subprocess, sys
        beat = "import time, pathlib\\nwhile True: pathlib.Path({str(mark)!r}).write_text(str(time.time())); time.sleep(0.02)"
        subprocess.Popen([sys.executable, "-c", beat])
        import time, pathlib
        while not pathlib.Path({str(mark)!r}).exists(): time.sleep(0.02)
        """
    )
    assert score.label == "passed"
    time.sleep(0.2)
    last = mark.read_text()
    time.sleep(0.3)
    assert mark.read_text() == last, "the child of the program still runs"


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("x = bytearray(3 * 1024**3)", "MemoryError"),
        ("open('big', 'wb').write(b'x' * 64 * 1024**2)", "File too large"),
        ("import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2**40, 2**40))", "Error"),
    ],
)
def test_limits(run, output, says):
    score = run(output)
    assert score.label == "failed"
    assert says in score.explanation


def test_it_sees_an_empty_environment_and_a_folder_of_its_own(run, monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_TOKEN", "s3cret")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    score = run(
        f"""
        import os, sys, tempfile
        seen = set(os.environ) - {{"LC_CTYPE"}}
        assert seen == {{"HOME", "TMPDIR"}}, seen
        assert os.listdir() == []
        assert os.path.realpath(tempfile.gettempdir()) == os.path.realpath(os.getcwd()) == os.path.realpath(os.environ["HOME"])
        assert {str(tmp_path)!r} not in sys.path and "" not in sys.path
        assert sys.stdin.read() == ""
        assert os.getsid(0) == os.getpid()
        """
    )
    assert score.passed, score.metadata


def test_nothing_is_left_behind(run, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run("open('mine', 'w').write('x'); import os; os.mkdir('d')").passed
    assert list(tmp_path.iterdir()) == []


def test_programs_do_not_see_each_others_names(run):
    assert run("left_over = 1").passed
    assert run("left_over").explanation == "NameError: name 'left_over' is not defined"


def test_it_is_main_so_that_pickle_and_dataclasses_work(run):
    assert run(
        """
        import dataclasses, pickle
        @dataclasses.dataclass
        class Point:
            x: int
        assert __name__ == "__main__"
        assert pickle.loads(pickle.dumps(Point(1))) == Point(1)
        """
    ).passed


def test_noise_is_kept_short_and_the_last_line_is_the_reason(run):
    score = run(
        "import sys\nprint('x' * 10**6)\nfor _ in range(10**5): print('noise', file=sys.stderr)\nraise ValueError('at last')"
    )
    assert score.explanation == "ValueError: at last"
    assert len(score.metadata["stderr"]) <= 4000


@pytest.mark.parametrize(
    ("output", "fenced", "passes"),
    [
        ("Here:\n```python\nx = 1\n```\nDone.", True, True),
        ("Here:\n```python\nx = 1\n```\nDone.", False, False),
        ("```\nx = 1\n```", True, True),
        ("x = 1", True, True),
    ],
)
def test_fenced_code(run, output, fenced, passes):
    assert run(output, fenced=fenced).passed is passes


@pytest.mark.parametrize(
    ("program", "whole"),
    [
        ("{{ output }}", "OUT"),
        (
            "{{output}} # {{ id }} {{ expected }} {{ input.name }} {{ name }} {{ metadata.test }}",
            "OUT # c1 4 double double assert double(2) == 4",
        ),
        ("{ {x} } {{ output }} {{}}", "{ {x} } OUT {{}}"),
        (lambda case, output: f"{case.id} {output}", "c1 OUT"),
    ],
)
def test_templates(program, whole):
    from evalkit_scorers.execution import _filled

    made = program(CASE, "OUT") if callable(program) else _filled(program, CASE, "OUT")
    assert made == whole


def test_what_is_filled_in_is_no_template(run):
    assert run("assert '{{ ' + 'id }}' == '{{ id }}'").passed


def test_a_name_that_the_case_does_not_have(run):
    with pytest.raises(ValueError, match=r"\{\{ tests \}\}.*c1.*prompt"):
        run("x", program="{{ output }}{{ tests }}")


def test_no_output_and_an_empty_one(run):
    scorer = code_execution("{{ output }}", allow_execution=True)
    assert scorer(case=CASE, output=None).label == "failed"
    assert scorer(case=CASE, output="").label == "passed"
    with pytest.raises(TypeError, match="looks at text"):
        scorer(case=CASE, output={"code": "x"})


@pytest.mark.parametrize(
    "make",
    [
        lambda: code_execution("print(1)", allow_execution=True),
        lambda: code_execution("", allow_execution=True),
        lambda: code_execution(5, allow_execution=True),
        lambda: code_execution("{{ output }}", allow_execution=True, timeout=0),
        lambda: code_execution("{{ output }}", allow_execution=True, memory_mb=1),
        lambda: code_execution("{{ output }}", allow_execution=True, time_out=3),
        lambda: code_execution(allow_execution=True),
    ],
)
def test_wrong_execution_options(make):
    with pytest.raises(ScorerError):
        make()


def test_many_at_once_from_threads_mix_nothing_up(run):
    with ThreadPoolExecutor(4) as pool:
        scores = list(pool.map(lambda number: run(f"assert {number} % 2"), range(12)))
    assert [score.passed for score in scores] == [bool(number % 2) for number in range(12)]


def test_no_file_descriptor_is_left_open(run):
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(3):
        run("pass")
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_it_waits_in_a_thread_and_its_options_are_in_its_version():
    one = code_execution("{{ output }}", allow_execution=True)
    assert one.blocking
    assert one.version != code_execution("{{ output }}\n", allow_execution=True).version
    assert one.version != code_execution("{{ output }}", allow_execution=True, timeout=1).version
