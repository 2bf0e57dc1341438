"""House rules that a reader would otherwise have to check by hand, over every tracked file."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import evalkit

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ("evalkit/", "scorers/", "reports/", "pytest_plugin/")
LONGEST = 450


def tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip("not a Git checkout, so there is no list of files")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def texts() -> list[tuple[str, str]]:
    """Name and text of every tracked text file."""
    found = []
    for path in tracked():
        try:
            found.append((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def library() -> list[tuple[str, str]]:
    return [(name, text) for name, text in texts() if name.startswith(LIBRARY) and name.endswith(".py")]


def places(pattern: str, files: list[tuple[str, str]]) -> list[str]:
    """`file:line: text` of each line that has `pattern`."""
    search = re.compile(pattern)
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in files
        for number, line in enumerate(text.splitlines(), 1)
        if search.search(line)
    ]


def test_no_file_names_a_place_on_somebodys_machine():
    found = places(r"""(?<![\w.$}<)/-])/(home|root|Users|opt|srv|mnt|workspace|work)/[\w.]""", texts())
    assert [line for line in found if not line.startswith("tests/house/test_tree.py")] == []


def test_no_file_names_a_private_host():
    pattern = (
        r"https?://[\w.-]*\.(internal|local|corp|lan)\b|\b(10|192\.168|172\.(1[6-9]|2\d|3[01]))\.\d+\.\d+(\.\d+)?:\d+"
    )
    assert [line for line in places(pattern, texts()) if not line.startswith("tests/house/test_tree.py")] == []


def test_no_module_is_called_utils_or_helpers():
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert [name for name, _ in library() if vague & set(Path(name).with_suffix("").parts)] == []


def test_no_module_is_longer_than_a_person_reads():
    long = {name: len(text.splitlines()) for name, text in library()}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


def test_half_of_the_modules_are_short():
    lengths = sorted(len(text.splitlines()) for _, text in library() if text.strip())
    assert lengths[len(lengths) // 2] <= 200


def test_every_module_says_what_it_is():
    migrations = "evalkit/store/migrations/"
    silent = [name for name, text in library() if text.strip() and not text.lstrip().startswith(('"""', 'r"""'))]
    assert [name for name in silent if not name.startswith(migrations)] == []


def test_what_is_switched_off_says_why_beside_it():
    bare = re.compile(r"#\s*(type:\s*ignore(\[[\w, -]+\])?|pragma: no cover)\s*$")
    unexplained = []
    for name, text in library():
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if bare.search(line) and not (number and lines[number - 1].lstrip().startswith("#")):
                unexplained.append(f"{name}:{number + 1}: {line.strip()}")
    assert unexplained == []


def test_a_skip_or_an_xfail_says_why():
    silent = []
    for name, text in texts():
        if not (name.startswith("tests/") and name.endswith(".py")):
            continue
        tree = ast.parse(text)
        decorators = [one for node in ast.walk(tree) for one in getattr(node, "decorator_list", ())]
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        bare = [one for one in decorators if re.fullmatch(r"pytest\.mark\.(skip|xfail)", ast.unparse(one))]
        empty = [one for one in calls if re.fullmatch(r"pytest\.(mark\.)?(skip|xfail)\(\)", ast.unparse(one))]
        silent += [f"{name}:{one.lineno}" for one in [*bare, *empty]]
    assert silent == []


def test_library_code_does_not_print():
    assert places(r"^\s*print\(", library()) == []


def test_test_files_have_names_of_their_own():
    names = [Path(name).name for name, _ in texts() if re.match(r"tests/.*/test_\w+\.py$", name)]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_each_package_is_typed():
    for package in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]:
        assert (ROOT / package / "py.typed").exists()


def test_version_is_the_same_everywhere():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert declared == evalkit.__version__


def test_licence_is_apache():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
