"""One table of settings: file, environment, flag, the later wins, and each value knows where it came from."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evalkit.config import SETTINGS, Settings, find_root, load_settings
from evalkit.errors import ConfigError

NAMES = [setting.name for setting in SETTINGS]
TOML = {
    "store": '"mine.db"',
    "repeat": "3",
    "max_concurrency": "8",
    "gates": '["accuracy >= 0.9"]',
    "baseline": '"last"',
    "report": '"out.html"',
    "markdown": '"summary.md"',
    "annotations": '"off"',
    "inconclusive": '"warn"',
    "sample": "10",
    "seed": "7",
    "timeout": "2.5",
    "stop": '"decided"',
    "prompts": '"texts"',
    "models": '"configurations"',
    "use_prompts": '["reply=v2"]',
    "use_models": '["solver=v1"]',
    "cache": '"replay"',
    "cassettes": '"recorded"',
    "max_cost": "2.50",
    "estimate": "true",
    "capture": '"metadata"',
    "redact": '["acct-[0-9]+"]',
    "changed": '"origin/main"',
    "shard": '"2/8"',
    "bundle": '"shard.jsonl"',
    "resume": '"last"',
    "retry_errors": "2",
    "off": "true",
}
TEXT = {name: value.strip('"[]') for name, value in TOML.items()}


def project(folder: Path, table: str) -> Path:
    (folder / "pyproject.toml").write_text(f"[project]\nname = 'x'\n\n[tool.evalkit]\n{table}\n")
    return folder


def load(root: Path, **flags: Any) -> Settings:
    return load_settings(root, flags=flags, environ={})


def test_the_defaults_are_those_of_the_record(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.store == str(tmp_path / ".evalkit" / "evalkit.db")
    bare = Settings(root=tmp_path)
    for setting in SETTINGS[1:]:
        assert getattr(settings, setting.name) == getattr(bare, setting.name) == setting.default
    assert set(settings.sources.values()) == {"default"}


@pytest.mark.parametrize("name", NAMES)
def test_the_later_wins(tmp_path: Path, name: str) -> None:
    root = project(tmp_path, f"{name} = {TOML[name]}")
    variable = f"EVALKIT_{name.upper()}"
    from_file = load_settings(root, environ={})
    assert from_file.sources[name] == "pyproject.toml:5"
    from_environment = load_settings(root, environ={variable: TEXT[name]})
    assert from_environment.sources[name] == f"${variable}"
    assert getattr(from_environment, name) == getattr(from_file, name) != getattr(load(tmp_path / "elsewhere"), name)
    flag = load_settings(root, flags={name: getattr(from_file, name)}, environ={variable: TEXT[name]})
    assert flag.sources[name].startswith("--evalkit-")
    others = set(NAMES) - {name}
    assert {flag.sources[other] for other in others} == {"default"}


def test_a_flag_that_was_not_given_changes_nothing(tmp_path: Path) -> None:
    root = project(tmp_path, "repeat = 3\noff = true\ngates = ['a >= 1']")
    settings = load(root, repeat=None, off=False, gates=[])
    assert (settings.repeat, settings.off, settings.gates) == (3, True, ("a >= 1",))


@pytest.mark.parametrize("url", ["postgresql+psycopg://user@host/db", "sqlite:////tmp/x.db"])
def test_a_url_stays_a_url(tmp_path: Path, url: str) -> None:
    assert load(tmp_path, store=url).store == url


def test_a_path_in_a_flag_is_taken_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sub = tmp_path / "sub"
    sub.mkdir()
    monkeypatch.chdir(sub)
    assert load(tmp_path, store="x.db").store == str(sub / "x.db")
    assert load_settings(tmp_path, environ={"EVALKIT_STORE": "x.db"}).store == str(tmp_path / "x.db")


def test_gates_of_one_suite(tmp_path: Path) -> None:
    root = project(tmp_path, "seed = 1\n\n[tool.evalkit.gates]\ntest_math = ['accuracy >= 0.5', 'errors <= 1%']")
    settings = load(root, gates=["cost <= 1"])
    assert settings.gates_for("test_math") == ("cost <= 1", "accuracy >= 0.5", "errors <= 1%")
    assert settings.gates_for("other") == ("cost <= 1",)
    assert settings.sources["suite_gates"] == "pyproject.toml:7"


def test_gates_of_every_suite_may_stand_beside_those_of_one(tmp_path: Path) -> None:
    root = project(tmp_path, "\n[tool.evalkit.gates]\n'*' = ['errors <= 1%']\ntest_math = ['accuracy >= 0.5']")
    settings = load(root)
    assert settings.gates_for("test_math") == ("errors <= 1%", "accuracy >= 0.5")
    assert settings.gates_for("other") == ("errors <= 1%",)
    assert settings.sources["gates"] == "pyproject.toml:6"
    assert load(root, gates=["cost <= 1"]).gates_for("other") == ("cost <= 1",)


def test_an_unknown_key_has_its_line_and_a_near_match(tmp_path: Path) -> None:
    root = project(tmp_path, 'store = "a.db"\nmax-concurency = 3')
    with pytest.raises(ConfigError) as caught:
        load(root)
    assert 'pyproject.toml:6: There is no setting "max-concurency". Did you mean "max_concurrency"?' in str(
        caught.value
    )
    assert caught.value.exit_code == 2


def test_an_unknown_variable_is_not_ignored(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'EVALKIT_REPEET is none.*Did you mean "EVALKIT_REPEAT"'):
        load_settings(tmp_path, environ={"EVALKIT_REPEET": "3"})


def test_an_unknown_flag_is_not_ignored(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='no setting "repeet"'):
        load(tmp_path, repeet=3)


def test_variables_that_are_no_settings_are_left_alone(tmp_path: Path) -> None:
    environ = {
        "EVALKIT_DATA": "x",
        "EVALKIT_CHROMIUM": "x",
        "EVALKIT_TEST_PG_URL": "x",
        "EVALKIT_ALLOW_CODE_EXECUTION": "1",
    }
    assert load_settings(tmp_path, environ=environ) == load_settings(tmp_path, environ={})


def test_an_empty_variable_is_one_that_is_not_set(tmp_path: Path) -> None:
    assert load_settings(tmp_path, environ={"EVALKIT_REPEAT": ""}).repeat is None


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("repeat", "0", "a whole number from 1 on, not 0"),
        ("repeat", "true", "not True"),
        ("repeat", '"3"', "not '3'"),
        ("repeat", "1.5", "not 1.5"),
        ("seed", "-1", "from 0 on"),
        ("timeout", "0", "a number of seconds above 0"),
        ("timeout", "nan", "a number of seconds above 0"),
        ("timeout", "inf", "a number of seconds above 0"),
        ("inconclusive", '"pass"', '"fail" or "warn"'),
        ("off", '"yes"', "true or false"),
        ("off", "1", "true or false"),
        ("store", '""', "a text that is not empty"),
        ("report", "3", "a text that is not empty"),
        ("markdown", "3", "a text that is not empty"),
        ("annotations", '"on"', '"auto" or "off"'),
        ("gates", "[3]", "a list of gates"),
        ("gates", '[""]', "a list of gates"),
    ],
)
def test_a_value_of_the_wrong_type_says_what_it_should_be(tmp_path: Path, name: str, value: str, says: str) -> None:
    root = project(tmp_path, f"{name} = {value}")
    with pytest.raises(ConfigError) as caught:
        load(root)
    assert f"pyproject.toml:5: `{name}` is" in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"), [("REPEAT", "three"), ("REPEAT", "0x3"), ("TIMEOUT", "-1"), ("OFF", "maybe"), ("SEED", "1e3")]
)
def test_a_text_in_the_environment_that_is_no_value_is_refused(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, environ={f"EVALKIT_{name}": text})
    assert f"$EVALKIT_{name}: " in str(caught.value)


def test_gates_in_the_environment_are_lines(tmp_path: Path) -> None:
    assert load_settings(tmp_path, environ={"EVALKIT_GATES": "a >= 1\n\n b <= 2 \n"}).gates == ("a >= 1", "b <= 2")


def test_a_toml_that_does_not_parse_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"pyproject\.toml: This is not TOML: .*line 5"):
        load(project(tmp_path, "repeat = "))


@pytest.mark.parametrize(
    ("value", "why"), [("[" * 3000, "nested too deeply"), ("9" * 5000, "not TOML"), ("2001-99-99", "not TOML")]
)
def test_a_toml_that_cannot_be_held_is_refused(tmp_path: Path, value: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        load(project(tmp_path, f"repeat = {value}"))


def test_evalkit_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\nevalkit = 3\n")
    with pytest.raises(ConfigError, match="not a table"):
        load(tmp_path)


def test_a_pyproject_that_is_not_utf8_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"# evalkit caf\xe9\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_flags_and_variables_follow_from_the_name() -> None:
    by_name = {setting.name: setting for setting in SETTINGS}
    assert by_name["max_concurrency"].flag == "--evalkit-max-concurrency"
    assert by_name["max_concurrency"].env == "EVALKIT_MAX_CONCURRENCY"
    assert by_name["gates"].flag == "--evalkit-gate"
    assert len({setting.flag for setting in SETTINGS}) == len(SETTINGS)


@pytest.mark.parametrize(
    ("files", "root"),
    [
        ({"pyproject.toml": "[tool.pytest.ini_options]\n", "a/pyproject.toml": "[project]\n"}, "."),
        ({"pyproject.toml": "[project]\n", "a/b/pyproject.toml": "[project]\n"}, "a/b"),
        ({"pytest.ini": "", "a/b/pyproject.toml": "[tool.other]\n"}, "."),
        ({"tox.ini": "[pytest]\n"}, "."),
        ({"a/setup.cfg": "[tool:pytest]\n"}, "a"),
        ({"setup.py": ""}, "."),
        ({}, "a/b"),
    ],
)
def test_the_root_is_where_pytest_would_find_it(tmp_path: Path, files: dict[str, str], root: str) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert find_root(folder) == (tmp_path / root).resolve()
    if files:
        (folder / "test_x.py").write_text("def test_x(pytestconfig): print('root', pytestconfig.rootpath)\n")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-sq", "-p", "no:cacheprovider", "-p", "no:evalkit"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert f"root {(tmp_path / root).resolve()}\n" in done.stdout


def test_importing_the_settings_reads_and_imports_nothing_heavy() -> None:
    code = "import sys, evalkit.config; print([m for m in ('tomllib', 'click', 'pytest') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_setting_is_a_flag_of_pytest_and_every_flag_is_a_setting() -> None:
    done = subprocess.run([sys.executable, "-m", "pytest", "--help"], capture_output=True, text=True, check=True)
    flags = set(re.findall(r"--evalkit-[a-z-]+", done.stdout.partition("evals (evalkit)")[2].partition("\n\n")[0]))
    assert flags == {setting.flag for setting in SETTINGS}
