"""Application code reads the promoted prompt, and goes on when the store is away."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import evalkit
from evalkit.errors import ConfigError, NotFound, StoreError
from evalkit.registry import Project
from evalkit.registry.loading import forget

Register = Callable[..., int]
AWAY = (NotFound, StoreError)
"""What is raised without a store: there is no file, or the server does not answer."""


def said(**which: object) -> str:
    return str(evalkit.load_prompt("greet", **which).render(name="Ada"))  # type: ignore[arg-type]  # any of its options


def copies(folder: Path) -> list[Path]:
    return sorted((folder / "cache/evalkit/copies").glob("*.json"))


def take_away(project: Project) -> None:
    if not project.store.startswith("postgresql"):
        Path(project.store).rename(f"{project.store}.away")
        return
    _say(project, "ALTER DATABASE {} ALLOW_CONNECTIONS false")
    _say(project, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'")


def bring_back(project: Project) -> None:
    if not project.store.startswith("postgresql"):
        Path(f"{project.store}.away").rename(project.store)
        return
    _say(project, "ALTER DATABASE {} ALLOW_CONNECTIONS true")


def _say(project: Project, statement: str) -> None:
    import sqlalchemy as sa

    there = sa.make_url(project.store).set(drivername="postgresql+psycopg")
    server = sa.create_engine(there.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(statement.format(there.database))
    server.dispose()


def test_an_alias_is_what_it_points_at(register: Register) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    register("greet", "Hi {{ name }}!")
    assert said(alias="production") == "Hello Ada!"
    assert said(version="v2") == "Hi Ada!"
    digest = evalkit.load_prompt("greet", version="v2").digest
    assert said(version=digest[:8]) == "Hi Ada!"
    assert evalkit.load_prompt("greet", alias="production").number == 1


def test_with_neither_it_is_the_projects_file(register: Register, tmp_path: Path) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    assert said() == "Greet Ada."
    (tmp_path / "prompts/greet.md").write_text("Well, {{ name }}.")
    assert said() == "Well, Ada."
    with pytest.raises(NotFound, match=r'no prompt "gret"\. Did you mean "greet"'):
        evalkit.load_prompt("gret")


def test_both_a_version_and_an_alias_are_one_too_many(register: Register) -> None:
    with pytest.raises(ConfigError, match="by version and by alias"):
        said(version="v1", alias="production")


def test_what_is_not_there_is_said_with_what_is(register: Register) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    with pytest.raises(NotFound, match=r'"producton"\. Did you mean "production"'):
        said(alias="producton")
    with pytest.raises(NotFound, match="v1"):
        said(version="v7")
    with pytest.raises(NotFound, match=r'no prompt "gret"\. Did you mean "greet"'):
        evalkit.load_prompt("gret", alias="production")


def test_an_alias_that_moved_is_seen_after_the_refresh_time(register: Register) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    assert said(alias="production") == "Hello Ada!"
    register("greet", "Hi {{ name }}!", alias="production")
    assert said(alias="production") == "Hello Ada!", "the answer of a moment ago is good for a minute"
    assert said(alias="production", refresh=0) == "Hello Ada!", "until then; the time is set by the call that asked"
    forget()
    assert said(alias="production", refresh=0) == "Hi Ada!"
    register("greet", "Dear {{ name }}", alias="production")
    assert said(alias="production", refresh=0) == "Dear Ada"


def test_without_the_store_the_last_answer_is_used_and_that_is_said_once(
    project: Project, register: Register, caplog: pytest.LogCaptureFixture
) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    assert said(alias="production", refresh=0) == "Hello Ada!"
    take_away(project)
    with caplog.at_level(logging.INFO, logger="evalkit.registry"):
        for _ in range(3):
            assert said(alias="production", refresh=0) == "Hello Ada!"
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "The store is away" in caplog.text
        bring_back(project)
        assert said(alias="production", refresh=0) == "Hello Ada!"
        assert caplog.records[-1].levelname == "INFO"
        take_away(project)
        said(alias="production", refresh=0)
        assert caplog.records[-1].levelname == "WARNING", "a second outage is said again"


def test_a_new_process_without_the_store_uses_the_copy(
    project: Project, register: Register, caplog: pytest.LogCaptureFixture
) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    said(alias="production")
    take_away(project)
    forget()  # as in another process
    with caplog.at_level(logging.WARNING, logger="evalkit.registry"):
        assert said(alias="production") == "Hello Ada!"
    assert "the copy of" in caplog.text
    assert "v1" in caplog.text


def test_without_store_and_copy_the_error_is_the_stores(project: Project, register: Register) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    take_away(project)
    with pytest.raises(AWAY, match=r"no store|cannot be reached"):
        said(alias="production")


def test_a_copy_of_one_alias_is_no_answer_for_another(project: Project, register: Register) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    said(alias="production")
    take_away(project)
    forget()
    for which in ({"alias": "staging"}, {"version": "v1"}, {"alias": "production", "store": "other.db"}):
        with pytest.raises(AWAY):
            said(**which)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data | {"body": {**data["body"], "text": "Send me your password, {{ name }}"}},
        lambda data: data | {"name": "chat"},
        lambda data: data | {"schema": "evalkit.copy/9"},
        lambda data: {key: value for key, value in data.items() if key != "digest"},
        lambda data: [data],
        lambda data: data | {"number": "1"},
    ],
    ids=["body", "name", "schema", "no digest", "a list", "number"],
)
def test_a_damaged_copy_is_not_used(
    project: Project,
    register: Register,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[..., object],
) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    said(alias="production")
    take_away(project)
    forget()
    (copy,) = copies(tmp_path)
    copy.write_text(json.dumps(damage(json.loads(copy.read_text()))))
    with pytest.raises(AWAY, match=r"no store|cannot be reached"):
        said(alias="production")
    assert "damaged" in caplog.text


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"null"])
def test_a_copy_that_is_no_json_is_not_used(
    project: Project, register: Register, tmp_path: Path, content: bytes
) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    said(alias="production")
    take_away(project)
    forget()
    (copy,) = copies(tmp_path)
    copy.write_bytes(content)
    with pytest.raises(AWAY, match=r"no store|cannot be reached"):
        said(alias="production")


@pytest.mark.parametrize("project", ["sqlite"], indirect=True)
def test_a_broken_store_counts_as_away(project: Project, register: Register) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    said(alias="production")
    forget()
    for file in Path(project.store).parent.glob("evalkit.db*"):
        file.unlink()
    Path(project.store).write_bytes(b"this is no database" * 1000)
    assert said(alias="production") == "Hello Ada!"
    with pytest.raises(StoreError):
        said(alias="staging")


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(
    register: Register, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    (tmp_path / "file").write_text("")
    assert said(alias="production", copies=tmp_path / "file" / "copies") == "Hello Ada!"
    assert "No copy" in caplog.text


def test_copies_can_be_kept_elsewhere_and_are_the_users_own(register: Register, tmp_path: Path) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    said(alias="production", copies=tmp_path / "here")
    (copy,) = (tmp_path / "here").iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copies(tmp_path) == []


def test_many_threads_ask_the_store_once(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalkit.registry import loading

    register("greet", "Hello {{ name }}!", alias="production")
    asked = []
    ask = loading._Source.ask

    def slow(self: loading._Source, url: str) -> object:
        asked.append(url)
        time.sleep(0.05)
        return ask(self, url)

    monkeypatch.setattr(loading._Source, "ask", slow)
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(said(alias="production"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["Hello Ada!"] * 16
    assert len(asked) == 1


@pytest.mark.parametrize("project", ["sqlite"], indirect=True)
def test_loading_imports_nothing_heavy(project: Project, register: Register) -> None:
    register("greet", "Hello {{ name }}!", alias="production")
    code = (
        "import sys, evalkit\n"
        "print(evalkit.load_prompt('greet', alias='production').render(name='Ada'))\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))\n"
        "print(any(name.startswith(('evalkit.runner', 'evalkit.gates', 'evalkit.stats')) for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    text, modules, heavy = done.stdout.splitlines()
    assert text == "Hello Ada!"
    assert set(modules.split()) - {"__main__"} == {"evalkit"}
    assert heavy == "False"


def test_a_model_is_loaded_the_same_way(project: Project, tmp_path: Path) -> None:
    from evalkit.store import open_store

    spec = project.require("model", "solver")
    with open_store(project.store) as store:
        version = store.register(spec.version)
        store.set_alias("model", "solver", "production", version.digest, expected_generation=0)
    (tmp_path / "models/solver.yaml").write_text("model: scripted-large\napi_key: {env: OTHER_KEY}\nlimits: {rpm: 5}\n")
    loaded = evalkit.load_model("solver", alias="production")
    assert isinstance(loaded, evalkit.Model)
    assert loaded.version.digest == version.digest
    assert loaded.spec.model == "scripted-small"
    assert loaded.spec.api_key is not None
    assert loaded.spec.api_key.env == "OTHER_KEY", "how it is asked is not in the version, but in the file"
    assert evalkit.load_model("solver").spec.model == "scripted-large"
