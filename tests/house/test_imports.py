"""What importing evalkit may cost: an allow-list, so that a new heavy import is a decision and not an accident."""

import json
import subprocess
import sys

# Beyond what bare Python has loaded. Everything else is standard library.
ALLOWED_WITH_EVALKIT = {"evalkit"}
ALLOWED_WITH_A_SUITE_FILE = {"evalkit", "evalkit_scorers"}

# Quick to miss in the standard library: each is slow to import or has effects.
SLOW_STANDARD = {
    "asyncio",
    "concurrent.futures.process",
    "multiprocessing",
    "sqlite3",
    "unittest",
    "xml",
    "http.client",
}


def loaded_by(code: str) -> set[str]:
    """The modules that running `code` in a fresh interpreter adds."""
    script = (
        f"import json, sys\nbefore = set(sys.modules)\n{code}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def foreign(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)


def test_import_evalkit_loads_nothing_from_elsewhere():
    modules = loaded_by("import evalkit")
    assert foreign(modules) <= ALLOWED_WITH_EVALKIT
    assert not modules & SLOW_STANDARD


def test_the_names_a_suite_file_uses_load_nothing_from_elsewhere():
    names = "Case, Output, Score, Usage, load, scorer, suite"
    modules = loaded_by(f"from evalkit import {names}")
    assert foreign(modules) <= ALLOWED_WITH_A_SUITE_FILE


def test_the_scorers_load_nothing_from_elsewhere_until_they_are_used():
    modules = loaded_by("import evalkit_scorers\nfor name in evalkit_scorers.__all__: getattr(evalkit_scorers, name)")
    assert foreign(modules) <= ALLOWED_WITH_A_SUITE_FILE


def test_every_public_name_exists_and_can_be_listed():
    code = "import evalkit\nassert set(evalkit.__all__) <= set(dir(evalkit))\nfor name in evalkit.__all__: getattr(evalkit, name)"
    assert "evalkit.session" in loaded_by(code)


def test_a_session_without_evals_does_not_import_evalkit(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_ordinary.py").write_text(
        "import sys\n\n\ndef test_ordinary():\n"
        "    ours = {name for name in sys.modules if name.split('.')[0] in"
        " {'evalkit', 'evalkit_scorers', 'evalkit_reports', 'sqlalchemy', 'rich', 'jinja2'}}\n"
        "    assert not ours\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    assert not (tmp_path / ".evalkit").exists()


def test_no_name_that_is_loaded_late_is_also_that_of_a_module_of_its_package():
    """Whatever imported the module would put it in the place of the name."""
    code = (
        "import importlib, json, pkgutil, evalkit, evalkit_reports, evalkit_scorers\n"
        "roots = (evalkit, evalkit_reports, evalkit_scorers)\n"
        "found = [root.__name__ for root in roots]\n"
        "for root in roots:\n"
        "    walked = pkgutil.walk_packages(root.__path__, root.__name__ + '.')\n"
        "    found += [one.name for one in walked if one.ispkg and 'migrations' not in one.name]\n"
        "both = []\n"
        "late = [one for one in map(importlib.import_module, found) if hasattr(one, '_HOMES')]\n"
        "for package in late:\n"
        "    modules = {one.name for one in pkgutil.iter_modules(package.__path__)}\n"
        "    both += [f'{package.__name__}.{one}' for one in modules & set(package.__all__)]\n"
        "print(json.dumps([len(late), both]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    packages, both = json.loads(done.stdout)
    assert packages > 8
    assert both == []


def test_a_name_that_is_misspelled_is_told_the_nearest():
    code = "import evalkit\ntry: evalkit.siute\nexcept AttributeError as error: print(error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'Did you mean "suite"?' in done.stdout
