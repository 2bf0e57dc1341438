"""Who is measured: each tool, how it is started on the common task, and how we see that it did the work."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.environments import ENVIRONMENTS
from benchmarks.measure import Failed

WORKLOADS = Path(__file__).parent / "workloads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One tool in one setting.

    `command` comes after the interpreter of `environment`. `proof` is a regular expression whose first group is
    the number of cases that the tool says it finished, `extra` how many more than the cases it counts (an
    analysis test). `most_rounds` limits the slow ones, `may_fail` keeps a failure as a result.
    `stores` says what is on disk afterwards.
    """

    name: str
    environment: str
    workload: str
    command: tuple[str, ...]
    proof: str
    extra: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)
    stores: str = ""
    again: bool = False
    most_rounds: int = 1_000
    may_fail: bool = False
    timeout: float = 900.0
    python: Path | None = None

    def start(self) -> list[str]:
        interpreter = self.python or ENVIRONMENTS[self.environment].python
        return [str(interpreter), *self.command]

    def lay_out(self, folder: Path, rows: Sequence[Mapping[str, object]]) -> None:
        """Put the cases and the workload into `folder`, which becomes a small git repository as users have one."""
        with (folder / "cases.jsonl").open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row) + "\n")
        target = "test_answers.py" if "pytest" in self.command else "answers.py"
        shutil.copyfile(WORKLOADS / self.workload, folder / target)
        (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", encoding="utf-8")
        commit(folder)

    def surroundings(self, folder: Path, *, delay: float, concurrency: int | None) -> dict[str, str]:
        """The environment variables of the measured process: few, the same for all, no telemetry."""
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "BENCH_DELAY": repr(delay),
            "BENCH_CONCURRENCY": "" if concurrency is None else str(concurrency),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "1",
            **{key: value.format(concurrency=concurrency) for key, value in self.variables.items()},
        }

    def check(self, output: str, cases: int) -> None:
        """Raise `Failed` unless the output says that all `cases` were finished."""
        found = re.findall(self.proof, output)
        if not found or int(found[-1]) != cases + self.extra:
            counted = f"{found[-1]} of {cases + self.extra}" if found else f"none of {cases}"
            raise Failed(f"finished {counted} cases\n{self.name}\n{output[-2000:]}")


def commit(folder: Path) -> None:
    git = ["git", "-c", "user.name=b", "-c", "user.email=b@example.org", "-c", "init.defaultBranch=main"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "cases"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True, capture_output=True)


def trivial_rows(count: int) -> list[dict[str, object]]:
    return [
        {"id": f"c{number:06d}", "input": {"question": f"What is the answer to question {number}?"}, "expected": "42"}
        for number in range(count)
    ]


_PYTEST = ("-m", "pytest", "-q")
_PASSED = r"(\d+) passed"
_SCORED = r"scored (\d+) mean 1\.000"

PLAIN = Subject(
    name="plain pytest",
    environment="plain",
    workload="plain_pytest.py",
    command=_PYTEST,
    proof=_PASSED,
    stores="nothing (pytest's own cache of node ids)",
)
PLAIN_JUNIT = Subject(
    name="plain pytest, JUnit file",
    environment="plain",
    workload="plain_pytest.py",
    command=(*_PYTEST, "--junitxml=junit.xml"),
    proof=_PASSED,
    stores="outcome and duration of each test, XML",
)
EVALKIT_DEF = Subject(
    name="evalkit, `def`",
    environment="evalkit",
    workload="evalkit_def.py",
    command=_PYTEST,
    proof=_PASSED,
    stores="run, provenance, every case, output, score and timing, SQLite, written while it runs",
)
EVALKIT_ASYNC = Subject(
    name="evalkit, `async def`",
    environment="evalkit",
    workload="evalkit_async.py",
    command=_PYTEST,
    proof=_PASSED,
    stores="the same",
)
EVALKIT_AGAIN = Subject(
    name="evalkit, `async def`, second run into the same store",
    environment="evalkit",
    workload="evalkit_async.py",
    command=_PYTEST,
    proof=_PASSED,
    again=True,
    stores="the same",
)
PYTEST_EVALS = Subject(
    name="pytest-evals",
    environment="pytest-evals",
    workload="pytest_evals.py",
    command=(*_PYTEST, "--run-eval", "--run-eval-analysis"),
    proof=_PASSED,
    extra=1,
    stores="one JSON file at the end",
)
PYDANTIC_EVALS = Subject(
    name="pydantic-evals",
    environment="pydantic-evals",
    workload="pydantic_evals.py",
    command=("answers.py",),
    proof=_SCORED,
    stores="nothing; the report is an object in memory",
)
INSPECT_AI = Subject(
    name="inspect-ai",
    environment="inspect-ai",
    workload="inspect_ai.py",
    command=("answers.py",),
    proof=_SCORED,
    stores="an .eval log (zip) with every sample and its events, written while it runs",
    most_rounds=1,
)
MLFLOW = Subject(
    name="MLflow",
    environment="mlflow",
    workload="mlflow_evaluate.py",
    command=("answers.py",),
    proof=_SCORED,
    stores="run, metrics, one trace and its assessments per case, SQLite",
    most_rounds=1,
)
MLFLOW_UNLIMITED = Subject(
    name="MLflow, limiter off",
    environment="mlflow",
    workload="mlflow_evaluate.py",
    command=("answers.py",),
    proof=_SCORED,
    variables={"MLFLOW_GENAI_EVAL_PREDICT_RATE_LIMIT": "0"},
    stores="the same",
    most_rounds=1,
)
MLFLOW_WIDE = Subject(
    name="MLflow, limiter off, asked for as many workers as cases at once",
    environment="mlflow",
    workload="mlflow_evaluate.py",
    command=("answers.py",),
    proof=_SCORED,
    variables={"MLFLOW_GENAI_EVAL_PREDICT_RATE_LIMIT": "0", "MLFLOW_GENAI_EVAL_MAX_WORKERS": "{concurrency}"},
    stores="the same",
    most_rounds=1,
    may_fail=True,
    timeout=300.0,
)
