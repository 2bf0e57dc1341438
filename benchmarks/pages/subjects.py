"""The tools: how each makes its page of the cases, and when that page can be used."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.environments import ENVIRONMENTS, HOME
from benchmarks.measure import Cost, Failed, cost_of

WRITERS = Path(__file__).parent / "writers"
PROMPTFOO = HOME / "promptfoo" / "node_modules" / "promptfoo"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that was made: `wall` and `cpu` are the seconds that making it took, `folder` is all of it.

    `entry` is what is opened, from the folder on; `serve` says that it wants a web server. `how` is what was timed.
    """

    folder: Path
    entry: str
    wall: float
    cpu: float
    how: str
    serve: bool = False

    @property
    def bytes(self) -> int:
        """The size of everything."""
        files = [self.folder] if self.folder.is_file() else self.folder.rglob("*")
        return sum(file.stat().st_size for file in files if file.is_file())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A tool: `make(cases, folder)` gives its page, `usable` and `search` are scripts for `browser.opened`."""

    name: str
    make: Callable[[Path, Path], Page]
    usable: str
    search: str = ""


def _run(command: list[str], folder: Path, more: Mapping[str, str] | None = None) -> Cost:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **(more or {})}
    return cost_of(command, folder=folder, environment=environment, timeout=1800)


def evalkit(cases: Path, folder: Path) -> Page:
    """The report of a run in memory."""
    page = folder / "out" / "report.html"
    script = WRITERS / "evalkit_report.py"
    cost = _run([str(ENVIRONMENTS["evalkit"].python), str(script), str(cases), str(page)], folder)
    told = json.loads(cost.output.splitlines()[-1])
    return Page(
        folder=page.parent, entry=page.name, wall=told["wall"], cpu=told["cpu"], how="`write_html` of a run in memory"
    )


def inspect_bundle(cases: Path, folder: Path) -> Page:
    """`inspect view bundle` of a log with the same samples; writing the log is not counted."""
    python = ENVIRONMENTS["inspect-ai"].python
    _run([str(python), str(WRITERS / "inspect_log.py"), str(cases), str(folder / "logs")], folder)
    bundle = folder / "bundle"
    command = [str(python.parent / "inspect"), "view", "bundle", "--log-dir", str(folder / "logs")]
    cost = _run([*command, "--output-dir", str(bundle), "--overwrite"], folder)
    (log,) = (bundle / "logs").glob("*.eval")
    return Page(
        folder=bundle, entry=f"#/logs/{log.name}", wall=cost.wall, cpu=cost.cpu, serve=True,
        how="the command `inspect view bundle` on a log that is there",
    )  # fmt: skip


def pytest_html(cases: Path, folder: Path) -> Page:
    """A session with pytest-html, less the same session without."""
    python = str(ENVIRONMENTS["pytest-html"].python)
    shutil.copy(WRITERS / "pytest_page.py", folder / "test_pages.py")
    shutil.copy(WRITERS / "pytest_conftest.py", folder / "conftest.py")
    session = [python, "-m", "pytest", "-q", "--no-header", "--tb=short", "-p", "no:cacheprovider"]
    page = folder / "out" / "report.html"
    costs = []
    for more, known in (
        (["-p", "no:html"], {}),
        ([f"--html={page}", "--self-contained-html"], {"PAGES_HTML": "1"}),
    ):
        # A case in five fails, so the session leaves with 1.
        command = ["sh", "-c", '"$@"; test $? -le 1', "sh", *session, *more]
        costs.append(_run(command, folder, {"PAGES_CASES": str(cases), **known}))
    without, with_page = costs
    return Page(
        folder=page.parent, entry=page.name, wall=with_page.wall - without.wall, cpu=with_page.cpu - without.cpu,
        how="a session with it, less one without",
    )  # fmt: skip


def promptfoo(cases: Path, folder: Path) -> Page:
    """`promptfoo eval -o report.html`, less the same with a JSON file, with answers that are there already."""
    if not PROMPTFOO.is_dir():
        raise Failed(f"promptfoo is not installed: npm install --prefix {PROMPTFOO.parents[1].name} promptfoo")
    rows = [json.loads(line) for line in cases.read_text("utf-8").splitlines()]
    tests = [
        {
            "description": row["id"],
            "vars": {"question": row["question"], "answer": row["answer"]},
            "assert": [
                {"type": "equals", "value": row["expected"], "metric": "right"},
                *(
                    {"type": "javascript", "value": f"({{pass: true, score: {one['value']}, reason: {json.dumps(one['why'])}}})",
                     "metric": one["name"]}
                    for one in row["scores"][1:]
                ),
            ],
        }
        for row in rows
    ]  # fmt: skip
    config = {"prompts": ["{{question}}"], "providers": [f"file://{WRITERS / 'promptfoo_answers.cjs'}"], "tests": tests}
    (folder / "promptfooconfig.json").write_text(json.dumps(config), "utf-8")
    quiet = {
        "PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1", "PROMPTFOO_CONFIG_DIR": str(folder / "home"),
        "PROMPTFOO_DISABLE_SHARING": "1", "NODE_OPTIONS": "--max-old-space-size=8192",
    }  # fmt: skip
    costs = []
    (folder / "out").mkdir()
    for output in ("plain.json", "out/report.html"):
        command = ["node", str(PROMPTFOO / "dist" / "src" / "main.js"), "eval", "-c", "promptfooconfig.json"]
        command += ["--no-cache", "--no-progress-bar", "--no-table", "--no-write", "-o", output]
        # A case in five fails, so it leaves with 100.
        costs.append(_run(["sh", "-c", '"$@"; test $? -eq 0 -o $? -eq 100', "sh", *command], folder, quiet))
    without, with_page = costs
    return Page(
        folder=folder / "out", entry="report.html", wall=with_page.wall - without.wall, cpu=with_page.cpu - without.cpu,
        how="`promptfoo eval` with an HTML file, less one with a JSON file",
    )  # fmt: skip


# Side files are read when somebody searches, and that is part of what the search takes.
_SEARCH = """async () => {
  const box = document.querySelector('#search'), count = document.querySelector('#count');
  while (!document.documentElement.dataset.searchable) await new Promise((go) => setTimeout(go, 20));
  const begun = performance.now();
  box.value = 'zz';
  box.dispatchEvent(new Event('input', { bubbles: true }));
  while (!count.textContent.includes(' of ')) await new Promise((go) => setTimeout(go));
  return performance.now() - begun;
}"""

SUBJECTS = {
    subject.name: subject
    for subject in (
        Subject(
            name="evalkit report",
            make=evalkit,
            usable="document.documentElement.dataset.ready === 'yes'",
            search=_SEARCH,
        ),
        Subject(
            name="inspect view bundle",
            make=inspect_bundle,
            usable="document.querySelectorAll('[role=row]').length > 5 && document.body.innerText.includes('c000000')",
        ),
        Subject(
            name="pytest-html",
            make=pytest_html,
            usable="document.querySelectorAll('.results-table-row').length > 0",
        ),
        Subject(
            name="promptfoo HTML",
            make=promptfoo,
            usable="document.readyState === 'complete' && document.querySelectorAll('table tr').length > 5",
        ),
    )
}
