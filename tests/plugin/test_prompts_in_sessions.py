"""Suites with a prompt and a model, run by pytest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml  # noqa: F401 - pytester forgets what an inner session imports first; half of yaml's C part stays

SUITE = """
@evalkit.suite(dataset=rows(3), scorers=[same], prompt="count"{more})
def test_count(case, prompt, tmp_path):
    return int(str(prompt.render(number=case.input)))
"""


@pytest.fixture
def prompts(pytester: pytest.Pytester) -> Callable[[str], None]:
    """Write the prompt `count`."""

    def write(text: str) -> None:
        pytester.mkdir("prompts") if not (pytester.path / "prompts").exists() else None
        (pytester.path / "prompts/count.md").write_text(text)

    write("{{ number }}")
    return write


def versions(ran: Any) -> list[tuple[str, int | None]]:
    return [(version.name, version.number) for version in ran.suite.info.versions]


def test_the_prompt_is_an_argument_and_no_fixture(
    run_evals: Callable[..., Any], prompts: Callable[[str], None]
) -> None:
    ran = run_evals(SUITE.format(more=""))
    ran.result.assert_outcomes(passed=3)
    assert versions(ran) == [("count", 1)]


def test_items_are_named_by_their_case_alone(run_evals: Callable[..., Any], prompts: Callable[[str], None]) -> None:
    ran = run_evals(SUITE.format(more=", repeat=2"), "--collect-only", "-q")
    names = [line.partition("::")[2] for line in ran.result.outlines if "::" in line]
    assert names[:3] == ["test_count[c0]", "test_count[c0-t2]", "test_count[c1]"]


def test_a_fixture_of_the_same_name_gives_way(
    run_evals: Callable[..., Any], pytester: pytest.Pytester, prompts: Callable[[str], None]
) -> None:
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef prompt():\n    return 'from the fixture'\n")
    ran = run_evals(SUITE.format(more="") + "\ndef test_ordinary(prompt):\n    assert prompt == 'from the fixture'\n")
    ran.result.assert_outcomes(passed=4)


def test_parameters_methods_and_gates_go_with_it(run_evals: Callable[..., Any], prompts: Callable[[str], None]) -> None:
    ran = run_evals("""
class TestCount:
    @pytest.mark.parametrize("twice", [False, True])
    @evalkit.suite(dataset=rows(3), scorers=[same], prompt="count", gates=["same >= 0.5"])
    async def test_count(self, case, prompt, twice):
        return int(str(prompt.render(number=case.input)))
""")
    assert {suite.info.name for suite in ran.run.suites} == {"test_count[False]", "test_count[True]"}
    assert all(suite.info.versions[0].number == 1 for suite in ran.run.suites)
    assert all(trial.outcome == "passed" for suite in ran.run.suites for trial in suite.trials)


def test_a_version_is_named_by_a_flag(run_evals: Callable[..., Any], prompts: Callable[[str], None]) -> None:
    run_evals(SUITE.format(more=""))
    prompts("9{{ number }}")
    assert versions(run_evals(SUITE.format(more=", gates=['same >= 0']"))) == [("count", 2)]
    back = run_evals(SUITE.format(more=""), "--evalkit-prompt", "count=v1")
    assert versions(back) == [("count", 1)]
    back.result.assert_outcomes(passed=3)


def test_a_version_named_for_nothing_is_said(run_evals: Callable[..., Any], prompts: Callable[[str], None]) -> None:
    run_evals(SUITE.format(more=""))
    other = "@evalkit.suite(dataset=rows(1))\ndef test_it(case):\n    pass\n"
    assert "--evalkit-prompt count=v1 changed nothing" in run_evals(other, "--evalkit-prompt", "count=v1").text


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("count=v7", '--evalkit-prompt count=v7: The prompt "count" has no version "v7"'),
        ("cuont=v1", 'There is no prompt "cuont". Did you mean "count"?'),
        ("count", "names no version of a prompt"),
    ],
)
def test_a_version_that_is_not_there_is_a_usage_error(
    run_evals: Callable[..., Any], prompts: Callable[[str], None], flag: str, said: str
) -> None:
    run_evals(SUITE.format(more=""))
    ran = run_evals(SUITE.format(more=""), "--evalkit-prompt", flag)
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    assert (ran.text + ran.result.stderr.str()).count(said) == 1, "said once, whichever suites it keeps from running"


def test_an_unknown_prompt_is_a_usage_error_that_names_the_suite(
    run_evals: Callable[..., Any], prompts: Callable[[str], None]
) -> None:
    ran = run_evals(SUITE.format(more="").replace('prompt="count"', 'prompt="cuont"'))
    assert ran.result.ret == pytest.ExitCode.USAGE_ERROR
    said = ran.text + ran.result.stderr.str()
    assert "test_inner.py:" in said
    assert 'Did you mean "count"?' in said


def test_a_model_without_its_key_is_a_usage_error_but_can_be_collected(
    run_evals: Callable[..., Any], pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOLVER_KEY", raising=False)
    pytester.mkdir("models")
    (pytester.path / "models/solver.yaml").write_text("base_url: http://127.0.0.1:9/v1\napi_key: {env: SOLVER_KEY}\n")
    source = '@evalkit.suite(dataset=rows(1), model="solver")\ndef test_it(case, model):\n    pass\n'
    refused = run_evals(source)
    assert refused.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "SOLVER_KEY" in refused.text + refused.result.stderr.str()
    assert run_evals(source, "--collect-only").result.ret == 0
    monkeypatch.setenv("SOLVER_KEY", "canary")
    run_evals(source).result.assert_outcomes(passed=1)


def test_application_code_gets_the_working_tree(run_evals: Callable[..., Any], prompts: Callable[[str], None]) -> None:
    ran = run_evals("""
@evalkit.suite(dataset=rows(3), scorers=[same])
async def test_application(case):
    return int(str(evalkit.load_prompt("count", alias="production").render(number=case.input)))
""")
    ran.result.assert_outcomes(passed=3)
    assert {version.label for trial in ran.suite.trials for version in trial.versions} == {"v1"}


@pytest.mark.slow
def test_workers_use_and_record_the_same_versions(
    run_evals: Callable[..., Any], prompts: Callable[[str], None]
) -> None:
    ran = run_evals(SUITE.format(more=""), "-n", "2", plugins=True, subprocess=True)
    ran.result.assert_outcomes(passed=3)
    assert versions(ran) == [("count", 1)]
