"""Runs the examples of the documentation and writes what they print back into it.

    python scripts/docs.py [PAGE…]            run the pages and bring the shown output up to date;
                                              without a page, all of them and the table of settings
    python scripts/docs.py --check [PAGE…]    change nothing, leave with 1 where the shown output is not what comes out

A comment on the line before a fenced block says what to do with it. All blocks of a page share one folder, which is
empty, or a copy of the one that the page names: <!-- folder: examples/quickstart -->.

    <!-- columns: 120 -->             how wide the terminal of the page is, instead of 100
    <!-- file: evals/test_x.py -->    the block is that file
    <!-- run -->                      console: each `$ ` line is run, and what follows it is what it printed;
                                      python: the block is a script
    <!-- run: exit 1 -->              the same; the last command leaves with 1
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 100
BLOCK = re.compile(
    r"^<!-- (?P<kind>file|run)(?:: (?P<what>[^\n]+?))? -->\n```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^```$", re.M | re.S
)
FOLDER = re.compile(r"^<!-- folder: (?P<path>\S+) -->$", re.M)
COLUMNS = re.compile(r"^<!-- columns: (?P<columns>\d+) -->$", re.M)
MADE = (".*", "__pycache__")
"""What a run leaves in a folder, and is not copied."""
VOLATILE = [
    # How much of a difference is shown depends on the widths of the times beside it.
    (re.compile(r" ?\([-+][^()\n]*,[^()\n]*\)(?= |$)|(?<=\d) [\d,]+↑[\d,]+↓", re.M), ""),
    (re.compile(r"^latency .* [+-][\d.]+ ?(ms|µs|s)\b.*$", re.M), "latency <differs>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<run>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<digest>"),
    (re.compile(r"fingerprint [0-9a-f]{16}…|(?<=  )[0-9a-f]{8}$", re.M), "<digest>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<trace>"),
    (re.compile(r"\b0[0-9a-f]{7}(-[0-9a-f]{1,4})?(?![\w-])"), "<run>"),
    (re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?(Z| UTC)?"), "<time>"),
    (
        re.compile(r"(-?[\d.]+( ?(ms|µs|s))?–)?\b\d+(\.\d+)? ?(ms|µs|s|min|seconds?|minutes?( \d+ seconds?)?)\b"),
        "<seconds>",
    ),
    (re.compile(r"\b\d+(\.\d+)? ?(bytes|KB|MB|kB|KiB|MiB)\b"), "<size>"),
    (re.compile(r"platform \w+ -- Python.*"), "<platform>"),
    (re.compile(r"SHA256:[0-9a-f]{16,64}…?"), "<key>"),
    (re.compile(r"[=-]{3,}"), "==="),
    (re.compile(r"[ ─━]+"), " "),
]
OTHER_PLUGINS = ("asyncio", "anyio", "hypothesispytest", "xdist", "xdist.looponfail")
"""Installed for our own tests; a reader's pytest has others."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page before and after its examples were run; `problems` are those that did not leave as they should."""

    path: Path
    before: str
    after: str
    problems: tuple[str, ...]

    @property
    def is_current(self) -> bool:
        return not self.problems and settled(self.before) == settled(self.after)

    def difference(self) -> str:
        """What is shown against what came out, times and ids taken out of both."""
        lines = difflib.unified_diff(
            settled(self.before).splitlines(), settled(self.after).splitlines(), "shown", "came out", lineterm="", n=2
        )
        return "\n".join([*self.problems, *lines])


def settled(text: str) -> str:
    """`text` without what differs from one run to the next: ids, times, sizes, versions, the width of rules."""
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def run_page(path: Path) -> Page:
    """Run the examples of one page in a folder of its own."""
    before = path.read_text(encoding="utf-8")
    after: list[str] = []
    problems: list[str] = []
    end = 0
    with tempfile.TemporaryDirectory(prefix="evalkit-docs-") as name:
        folder = Path(name, "project")
        named, width = FOLDER.search(before), COLUMNS.search(before)
        columns = WIDTH if width is None else int(width["columns"])
        if named is None:
            folder.mkdir()
        else:
            shutil.copytree(ROOT / named["path"], folder, ignore=shutil.ignore_patterns(*MADE))
        for block in BLOCK.finditer(before):
            line = before.count("\n", 0, block.start()) + 1
            body, problem = run_block(block, folder, columns)
            if problem:
                problems.append(f"{path}:{line}: {problem}")
            if settled(body) == settled(block["body"]):  # else every run would change the times and ids that are shown
                body = block["body"]
            after += [before[end : block.start("body")], body]
            end = block.end("body")
    after.append(before[end:])
    return Page(path=path, before=before, after="".join(after), problems=tuple(problems))


def run_block(block: re.Match[str], folder: Path, columns: int) -> tuple[str, str]:
    """The body of the block as it should read, and what is wrong, or nothing."""
    body = block["body"]
    if block["kind"] == "file":
        path = folder / block["what"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")
        return body, ""
    wanted = int((block["what"] or "exit 0").removeprefix("exit "))
    if block["language"] == "python":
        code, output = call([sys.executable, "-c", body], folder, columns)
        return body, "" if code == wanted else f"left with {code}, not {wanted}:\n{output}"
    lines: list[str] = []
    code = 0
    for command in commands(body):
        code, output = call(["bash", "-c", command], folder, columns)
        lines += [f"$ {command}", output.rstrip("\n")] if output.strip() else [f"$ {command}"]
    return "\n".join([*lines, ""]), "" if code == wanted else f"left with {code}, not {wanted}"


def commands(body: str) -> Iterator[str]:
    """The commands of a console block; one that ends in a backslash goes on in the next line."""
    lines = iter(body.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line.removeprefix("$ ")
            while command.endswith("\\"):
                command += "\n" + next(lines)
            yield command


def call(command: list[str], folder: Path, columns: int) -> tuple[int, str]:
    """Exit code and output of a command, run as in a plain terminal of a fixed width."""
    ours = ("EVALKIT_", "PYTEST_", "GIT")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": str(columns),
        "NO_COLOR": "1",
        "LOGNAME": "ada",
        "PYTHONPATH": "",
        "PYTEST_ADDOPTS": " ".join(f"-p no:{name}" for name in OTHER_PLUGINS),
    }
    for variable in ("CI", "FORCE_COLOR", "PY_COLORS"):
        environment.pop(variable, None)
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    output = done.stdout.replace(str(folder), "~/project")
    output = re.sub(r"(platform .* -- )/\S+$", r"\1.venv/bin/python", output, flags=re.M)
    return done.returncode, "\n".join(line.rstrip() for line in output.splitlines())


def pages_with_examples() -> list[Path]:
    """README.md and the pages of docs/ that have something to run."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [page for page in pages if "<!-- run" in page.read_text(encoding="utf-8")]


def write_settings() -> None:
    """The table of settings in docs/suites.md, from the one that the code has."""
    from evalkit.config import SETTINGS

    page = ROOT / "docs/suites.md"
    rows = [f"| `{one.name}` | `{one.flag}` | {one.doc} |" for one in SETTINGS]
    table = "\n".join(["| key | flag | what it is |", "|---|---|---|", *rows])
    marks = re.compile(r"(<!-- settings: written by scripts/docs.py -->\n).*(\n<!-- end of settings -->)", re.S)
    page.write_text(
        marks.sub(lambda mark: mark[1] + table + mark[2], page.read_text(encoding="utf-8")), encoding="utf-8"
    )


def write_commands() -> None:
    """The reference of the commands in docs/cli.md, from the commands themselves."""
    from evalkit.cli.reference import markdown

    page = ROOT / "docs/cli.md"
    marks = re.compile(r"(<!-- commands: written by scripts/docs.py -->\n).*(<!-- end of commands -->)", re.S)
    page.write_text(
        marks.sub(lambda mark: mark[1] + markdown() + mark[2], page.read_text(encoding="utf-8")), encoding="utf-8"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if not (options.pages or options.check):
        write_settings()
        write_commands()
    failed = False
    for path in options.pages or pages_with_examples():
        page = run_page(path)
        failed |= bool(page.problems) or (options.check and not page.is_current)
        if page.is_current:
            print(f"{path}: current")
        elif options.check or page.problems:
            print(f"{path}: not current\n{page.difference()}")
        if not options.check and not page.is_current:
            path.write_text(page.after, encoding="utf-8")
            print(f"{path}: written")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
