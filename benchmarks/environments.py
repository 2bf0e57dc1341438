"""One virtual environment per tool, so that no tool pays for, or profits from, another one's packages.

``python -m benchmarks.environments`` makes those that are missing, ``--fresh NAME`` makes one again.
evalkit itself is built into a wheel first: what is measured is what a user installs, not a checkout.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "benchmarks" / ".envs"
PYTEST = "pytest==9.2.0"
LISTING = """
import importlib.metadata
for found in importlib.metadata.distributions():
    print(found.metadata["Name"] + "==" + found.version)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What one tool needs installed.

    ``requirements`` are pinned, so that a number can be measured again. ``shown`` names the packages whose
    versions are printed beside the numbers; the complete list goes into the result file.
    """

    name: str
    requirements: tuple[str, ...]
    shown: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return HOME / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def ready(self) -> bool:
        return self._mark.exists() and self._mark.read_text(encoding="utf-8") == self._wanted

    @property
    def _mark(self) -> Path:
        return self.folder / "installed.txt"

    @property
    def _wanted(self) -> str:
        return "\n".join(self.requirements) + "\n"

    def create(self) -> None:
        """Make the environment from nothing. Raises ``subprocess.CalledProcessError`` when pip cannot."""
        shutil.rmtree(self.folder, ignore_errors=True)
        venv.create(self.folder, with_pip=True)
        self.install(*self.requirements)
        self._mark.write_text(self._wanted, encoding="utf-8")

    def install(self, *what: str) -> None:
        subprocess.run([str(self.python), "-m", "pip", "install", "--quiet", *what], check=True)

    def packages(self) -> dict[str, str]:
        """Name and exact version of everything installed, pip itself left out."""
        listed = subprocess.run(
            [
                str(self.python),
                "-c",
                LISTING,
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        pairs = (line.split("==", 1) for line in listed.stdout.splitlines())
        return {name: version for name, version in sorted(pairs, key=lambda p: p[0].lower()) if name != "pip"}


ENVIRONMENTS = {
    env.name: env
    for env in (
        Environment(name="plain", requirements=(PYTEST,), shown=("pytest",)),
        Environment(name="evalkit", requirements=(PYTEST,), shown=("pytest-evalkit", "pytest")),
        Environment(
            name="pytest-evals", requirements=("pytest-evals==0.3.4", PYTEST), shown=("pytest-evals", "pytest")
        ),
        Environment(name="pydantic-evals", requirements=("pydantic-evals==2.62.0",), shown=("pydantic-evals",)),
        Environment(name="inspect-ai", requirements=("inspect-ai==0.3.285",), shown=("inspect_ai",)),
        Environment(name="pytest-html", requirements=("pytest-html==4.2.0", PYTEST), shown=("pytest-html", "pytest")),
        Environment(name="mlflow", requirements=("mlflow==3.17.2",), shown=("mlflow",)),
    )
}


MEASURED = ("evalkit", "scorers", "reports", "pytest_plugin", "pyproject.toml")


def state_of_checkout() -> str:
    """The checkout's commit, twelve digits, `-dirty` behind it where what goes into the wheel was changed."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return git("rev-parse", "HEAD")[:12] + ("-dirty" if git("status", "--porcelain", "--", *MEASURED) else "")


def installed_commit() -> str:
    """Which state of the checkout the installed wheel was built from, as `state_of_checkout` said at that time."""
    return (ENVIRONMENTS["evalkit"].folder / "commit.txt").read_text(encoding="utf-8")


def install_own_wheel(env: Environment) -> None:
    """Build the checkout's wheel and put it into ``env``, in place of whatever build was there."""
    state = state_of_checkout()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(ROOT)],
            check=True,
        )
        (wheel,) = Path(folder).glob("*.whl")
        env.install(str(wheel))  # brings the dependencies the first time
        env.install("--force-reinstall", "--no-deps", str(wheel))
    (env.folder / "commit.txt").write_text(state, encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.environments", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these (default: all)")
    parser.add_argument("--fresh", action="store_true", help="make them again from nothing")
    options = parser.parse_args(argv)
    unknown = sorted(set(options.names) - set(ENVIRONMENTS))
    if unknown:
        parser.error(f"no such environment: {', '.join(unknown)} (there are: {', '.join(ENVIRONMENTS)})")
    for name in options.names or ENVIRONMENTS:
        env = ENVIRONMENTS[name]
        if options.fresh or not env.ready:
            print(f"{name}: installing {' '.join(env.requirements)}", flush=True)
            env.create()
        if name == "evalkit":
            print(f"{name}: building and installing the wheel of this checkout", flush=True)
            install_own_wheel(env)
        print(f"{name}: ready", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
