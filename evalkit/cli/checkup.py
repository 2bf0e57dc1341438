"""What `evalkit doctor` looks at: environment, settings, the store and what waits beside it, files, keys, clock.

Each check gives findings and changes nothing. A check that meets an error of evalkit's own makes a finding of it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from evalkit.canonical import utc_now
from evalkit.errors import EvalkitError, NotFound
from evalkit.figures import count

if TYPE_CHECKING:
    from evalkit.cli.options import Invocation
    from evalkit.config import Settings
    from evalkit.store import Store

Level = Literal["ok", "warn", "problem"]
LOW, SCARCE = 1_000_000_000, 100_000_000  # bytes free on the store's disk: worth a word, too few
LONG_LOG = 200_000_000  # bytes of a write-ahead log that something keeps from being folded back
EXTRAS = {"text": "sacrebleu", "parquet": "pyarrow", "frames": "pandas", "postgres": "psycopg", "stats": "scipy"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line: which `area`, whether all is well, what was found, and what to do; `""` where nothing is to be done."""

    area: str
    level: Level
    what: str
    todo: str = ""


def look(invocation: Invocation) -> list[Finding]:
    """All findings, in the order of the areas."""
    found = list(_environment())
    try:
        settings = invocation.settings()
    except EvalkitError as error:
        return [*found, _of("settings", error)]
    given = sum(source != "default" for source in settings.sources.values())
    found.append(Finding(area="settings", level="ok", what=f"{count(given, 'setting')} given, root {settings.root}"))
    for area, check in _CHECKS:
        try:
            found.extend(check(settings))
        except EvalkitError as error:
            found.append(_of(area, error))
    return found


def _of(area: str, error: EvalkitError) -> Finding:
    said = " ".join(filter(None, (f"{error.where}:" if error.where else "", error.what, error.why)))
    return Finding(area=area, level="problem", what=said, todo=error.hint or "")


def _environment() -> Iterator[Finding]:
    from evalkit import __version__

    area = "environment"
    yield Finding(
        area=area,
        level="ok",
        what=f"evalkit {__version__}, Python {platform.python_version()} on {sys.platform}, "
        f"pytest {importlib.metadata.version('pytest')}",
    )
    plugins = {entry.value for entry in importlib.metadata.entry_points(group="pytest11")}
    if "pytest_evalkit.plugin" not in plugins:
        yield Finding(
            area=area,
            level="problem",
            what="pytest does not know the plugin: its entry point is missing.",
            todo="Install it anew: pip install --force-reinstall pytest-evalkit",
        )
    if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        yield Finding(
            area=area,
            level="warn",
            what="PYTEST_DISABLE_PLUGIN_AUTOLOAD is set: pytest loads no plugin by itself.",
            todo="Unset it, or run pytest with -p pytest_evalkit.plugin.",
        )
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield Finding(
            area=area,
            level="warn",
            what="OTEL_SDK_DISABLED is set: nothing is traced.",
            todo="Unset it where traces, tokens and cost are wanted.",
        )


def _extras(settings: Settings) -> Iterator[Finding]:
    missing = [name for name, module in EXTRAS.items() if importlib.util.find_spec(module) is None]
    if "postgres" in missing and settings.store.startswith("postgres"):
        yield Finding(
            area="packages",
            level="problem",
            what="The store is on PostgreSQL, and psycopg is not installed.",
            todo="pip install 'pytest-evalkit[postgres]'",
        )
    said = f"not installed: {', '.join(missing)}" if missing else "all optional ones are installed"
    yield Finding(area="packages", level="ok", what=said)


def _store(settings: Settings) -> Iterator[Finding]:
    from evalkit.store import check
    from evalkit.store.address import parse

    area, path = "store", parse(settings.store).path
    try:
        found = check(settings.store)
    except NotFound:
        yield Finding(area=area, level="ok", what=f"{parse(settings.store).shown}: none yet; the first run makes it")
        found = None
    if found is not None:
        runs = found.counts.get("runs", 0)
        yield Finding(area=area, level="ok", what=f"{found.url}: schema {found.schema}, {count(runs, 'run')}")
        for problem in found.problems:
            yield Finding(area=area, level="problem", what=problem, todo="evalkit db restore BACKUP")
        if found.needs_upgrade:
            yield Finding(
                area=area,
                level="warn",
                what=f"The schema {found.schema} is older than this evalkit's.",
                todo="evalkit db upgrade (a file is upgraded by itself when it is next written to, after a backup)",
            )
    if path is not None:
        yield from _file(path)


def _file(path: Path) -> Iterator[Finding]:
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    for one in (path, folder):
        if one.exists() and not os.access(one, os.W_OK):
            yield Finding(
                area="store",
                level="problem",
                what=f"{one} cannot be written.",
                todo="Make it writable, or put the store elsewhere: --evalkit-store for pytest, --store for evalkit.",
            )
    free = shutil.disk_usage(folder).free
    level: Level = "problem" if free < SCARCE else "warn" if free < LOW else "ok"
    yield Finding(
        area="disk",
        level=level,
        what=f"{free / 1_000_000:,.0f} MB free where the store is",
        todo="" if level == "ok" else "Free some, or take old runs out: evalkit gc",
    )
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size > LONG_LOG:
        yield Finding(
            area="store",
            level="warn",
            what=f"Its log has grown to {log.stat().st_size / 1_000_000:,.0f} MB: something keeps a reader open.",
            todo="Close what reads it, a database browser for instance.",
        )


def _waiting(settings: Settings) -> Iterator[Finding]:
    from evalkit.store import open_store

    files = spools(settings.store)
    if not files:
        yield Finding(area="spool", level="ok", what="nothing waits to be taken in")
        return
    try:
        with open_store(settings.store, read_only=True) as store:
            yield from (_spool(store, file) for file in files)
    except NotFound:
        for file in files:
            yield Finding(area="spool", level="warn", what=f"{file} waits.", todo=f"evalkit ingest {file}")


def spools(store: str) -> list[Path]:
    """The spool files that runs on `store` may have left, in each place where they are put."""
    from evalkit.store import Spool

    places = [Spool.beside(store, "x").path.parent, Path(tempfile.gettempdir(), "evalkit-spool")]
    return sorted({file for place in places if place.is_dir() for file in place.glob("*.jsonl")})


def _spool(store: Store, file: Path) -> Finding:
    wanted: set[tuple[str, str, int]] = set()
    run_id, ends = file.stem, False
    try:
        for line in file.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                said = json.loads(line)
                run_id, ends = said["run"], ends or said["call"] == "finish_run"
                wanted |= {
                    (said["suite"], trial["case_id"], trial.get("number", 1)) for trial in said.get("trials", ())
                }
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        what = f"{file} is no spool that can be read: {type(error).__name__}."
        return Finding(area="spool", level="problem", what=what, todo=f"evalkit ingest {file} says which line it is.")
    try:
        run = store.load(run_id, payload=False)
    except NotFound:
        return Finding(
            area="spool",
            level="warn",
            what=f"{file} waits: {count(len(wanted), 'trial')} of a run that the store does not have.",
            todo=f"evalkit ingest {file}",
        )
    missing = wanted - {(suite.info.name, t.case_id, t.number) for suite in run.suites for t in suite.trials}
    if missing or (ends and run.finished_at is None):
        what = f"{file} waits: {count(len(missing), 'trial')} that the store does not have."
        return Finding(area="spool", level="warn", what=what, todo=f"evalkit ingest {file}")
    return Finding(area="spool", level="ok", what=f"{file} has been taken in; it can be deleted")


def _runs(settings: Settings) -> Iterator[Finding]:
    from evalkit.store import open_store

    newest = 50
    try:
        with open_store(settings.store, read_only=True) as store:
            runs = store.runs(limit=newest)
    except NotFound:
        return
    broken = [run for run in runs if run.status in ("interrupted", "failed")]
    if broken:
        yield Finding(
            area="runs",
            level="warn",
            what=f"{len(broken)} of the newest {len(runs)} did not come to an end: "
            + ", ".join(run.short for run in broken[:5]),
            todo=f"evalkit show {broken[0].short}; pytest --evalkit-resume goes on with one",
        )
    elif runs:
        yield Finding(area="runs", level="ok", what=f"{count(len(runs), 'newest run')} came to an end or still go on")
    late = [run for run in runs if run.started_at > utc_now() + dt.timedelta(minutes=2)]
    year = utc_now().year
    if late or year < 2026:
        what = f"{late[0].short} began in the future" if late else f"the clock says that it is {year}"
        yield Finding(
            area="clock",
            level="warn",
            what=f"{what}: the clock was set.",
            todo="Set it right: `last` goes by it.",
        )
    else:
        yield Finding(area="clock", level="ok", what=f"{utc_now():%Y-%m-%d %H:%M} UTC, and no run is from the future")


def _subjects(settings: Settings) -> Iterator[Finding]:
    from evalkit.registry import Project, standings
    from evalkit.store import open_store

    project = Project.of(settings)
    try:
        with open_store(settings.store, read_only=True) as store:
            found = standings(project, store)
    except NotFound:
        found = standings(project, None)
    drifted = [one for one in found if one.drifted]
    if drifted:
        names = ", ".join(f"{one.kind}/{one.name}" for one in drifted[:5])
        what = f"{count(len(drifted), 'file')} not in the store as they are: {names}"
        yield Finding(area="prompts and models", level="warn", what=what, todo="evalkit sync")
    else:
        yield Finding(area="prompts and models", level="ok", what=f"{len(found)}, in the store as the files say")


def _keys(settings: Settings) -> Iterator[Finding]:
    from evalkit.models.files import model_files, read_model_file

    for name, path in model_files(settings.root / settings.models).items():
        reference = read_model_file(path).api_key
        if reference is None:
            continue
        if reference.find() is None:
            what = f"The model {name} needs the key {reference}, and there is none."
            todo = f"export {reference.env}=…" if reference.env else f"Write it into {reference.file}."
            yield Finding(area="keys", level="problem", what=what, todo=todo)
        else:
            yield Finding(area="keys", level="ok", what=f"{name}: {reference} is there")


_CHECKS: tuple[tuple[str, Callable[[Settings], Iterator[Finding]]], ...] = (
    ("packages", _extras),
    ("store", _store),
    ("spool", _waiting),
    ("runs", _runs),
    ("prompts and models", _subjects),
    ("keys", _keys),
)
