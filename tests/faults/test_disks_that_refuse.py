"""A disk that is full, and one that is read-only, as the kernel has them: what was reported is kept, and it is said.

The disks are file systems in memory, mounted where only the test can see them. A machine that does not let us mount
one skips these, with the reason; `test_files_that_refuse.py` has what works everywhere.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

import pytest

from evalkit.canonical import utc_now
from evalkit.runs import Provenance
from evalkit.store import Spool, check

pytestmark = pytest.mark.slow


class Disk:
    """A small file system at the folder `at`, mounted in a namespace of its own; gone when that ends."""

    def __init__(self, at, size):
        at.mkdir()
        self.at = at
        rights = ["-m"] if os.getuid() == 0 else ["-U", "-r", "-m"]
        script = f'mount -t tmpfs -o size={size} disk "$0" && echo mounted && exec sleep 3600'
        self._holder = subprocess.Popen(
            ["unshare", *rights, "sh", "-c", script, str(at)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        said = self._holder.stdout.readline()
        self.refused = "" if said == "mounted\n" else self._holder.communicate()[1].strip() or "unshare says nothing"
        user = [] if os.getuid() == 0 else ["-U", "--preserve-credentials"]
        self.within = ["nsenter", "-t", str(self._holder.pid), *user, "-m", "sh", "-c", 'cd "$0" && exec "$@"']
        for options in () if self.refused else ("remount,ro", "remount,rw"):  # which some let nobody but root do
            tried = self.run("mount", "-o", options, at)
            self.refused = self.refused or (tried.stderr.strip() if tried.returncode else "")

    def inside(self, folder):
        """The words before a command that is to see the disk."""
        return [*self.within, str(folder)]

    def run(self, *words, **options):
        return subprocess.run(
            [*self.inside(self.at.parent), *map(str, words)], capture_output=True, text=True, timeout=120, **options
        )

    def must(self, *words):
        done = self.run(*words)
        assert done.returncode == 0, done.stderr

    def evalkit(self, *words, **options):
        """A command of evalkit; it never ends in a traceback."""
        done = self.run(sys.executable, "-m", "evalkit", *words, env={**os.environ, "COLUMNS": "400"}, **options)
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    def fill(self):
        """Leave no room, down to the last page."""
        for number in range(100):  # one more, where a page became free since the last time
            self.run("dd", "if=/dev/zero", f"of={self.at}/filler{number}", "bs=4096", "conv=notrunc", "oflag=append")
            if self.run("sh", "-c", f"echo x > {self.at}/more").returncode:
                return
        raise AssertionError("it is never full")

    def mount(self, options):
        self.must("mount", "-o", f"remount,{options}", str(self.at))

    def taken_out(self, to):
        """A copy of all that is on the disk, where everybody sees it."""
        self.must("cp", "-a", str(self.at), str(to))
        return to

    def close(self):
        self._holder.kill()
        self._holder.communicate()


@pytest.fixture
def disk(tmp_path, request):
    """Make a disk of some size; skipped, and counted as untried, where this machine lets nobody mount one."""
    made = []

    def go(size):
        missing = [program for program in ("unshare", "nsenter", "mount") if shutil.which(program) is None]
        if not missing:
            made.append(Disk(tmp_path / f"disk{len(made)}", size))
        why = f"it has no {missing[0]}" if missing else made[-1].refused
        if why:
            request.node.user_properties.append(("untried", f"a real full or read-only disk ({why})"))
            pytest.skip(f"this machine lets us mount no disk: {why}")
        return made[-1]

    yield go
    for one in made:
        one.close()


@pytest.fixture
def temporary(tmp_path):
    """A folder for temporary files that still has room."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def slowly(temporary, seconds="0.05"):
    return {"SECONDS_A_CASE": seconds, "TMPDIR": str(temporary)}


def test_a_disk_that_fills_up_in_a_session(
    disk, tmp_path, temporary, start, look, count, times, facts, undisturbed, spool_of
):
    chance, counted = random.Random(1), count("sqlite")
    for number in range(times(2, 20)):
        full = disk("32m")
        store = full.at / "evalkit.db"
        session = start(str(store), within=full.inside(tmp_path / f"project{number}"), env=slowly(temporary))
        session.until(reported=chance.randrange(1, 120))
        full.fill()
        assert session.wait() == 1, session.text
        assert "The store failed: No space is left for the store." in session.text
        spool = spool_of(session)
        assert spool is not None, session.text
        assert spool.startswith(str(temporary)), "beside the store there is no room for it"
        early = full.evalkit("ingest", spool, "--store", store)
        assert (early.returncode == 0) is (early.stderr == "")
        assert early.returncode == 0 or "No space is left for the store." in early.stderr
        full.mount("size=128m")
        for _ in range(2):  # the second time changes nothing
            late = full.evalkit("ingest", spool, "--store", store)
            assert late.returncode == 0, late.stderr
        there = full.taken_out(tmp_path / f"out{number}")
        run = look(str(there / "evalkit.db"), session, set(), counted)
        assert facts(run) == undisturbed()
        assert run.degraded
        assert check(there / "evalkit.db").ok
        full.close()
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)


def test_room_for_nothing_until_some_is_made(
    disk, tmp_path, start, look, count, facts, undisturbed, spool_of, wait_for
):
    """Neither the store nor any spool takes more; then somebody deletes a file, and all of it is kept after all."""
    counted, full = count("sqlite"), disk("32m")
    store = full.at / "evalkit.db"
    session = start(str(store), within=full.inside(tmp_path / "project0"), env=slowly(full.at, "0.2"))
    session.until(reported=40)
    full.fill()
    session.until(reported=120)
    full.mount("size=128m")
    assert session.wait() == 1, session.text
    assert "lost" not in session.text
    spool = spool_of(session)
    assert spool is not None, session.text
    assert full.evalkit("ingest", spool, "--store", store).returncode == 0
    run = look(str(full.taken_out(tmp_path / "out") / "evalkit.db"), session, set(), counted)
    assert facts(run) == undisturbed()
    assert run.degraded
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)


A_MINUTE_LATER = """
from evalkit.canonical import utc_now
from evalkit.store import liveness

liveness.utc_now = lambda: utc_now() + 3 * liveness.ALIVE_FOR
"""
"""What broke off is taken up only when it has been silent for a minute."""


def test_room_for_nothing_to_the_end(disk, tmp_path, start, look, count, facts, undisturbed):
    """What no file takes is lost, and how much that is and what to do is said; the verdict is what it would have been."""
    counted, full = count("sqlite"), disk("32m")
    store = full.at / "evalkit.db"
    arguments = ["--evalkit-report", str(full.at / "report.html"), "--evalkit-markdown", str(full.at / "summary.md")]
    options = {"within": full.inside(tmp_path / "project0"), "env": slowly(full.at)}
    session = start(str(store), **options, arguments=arguments)
    session.until(reported=60)
    full.fill()
    assert session.wait() == 1, session.text
    assert "Traceback" not in session.text
    assert re.search(r"[0-9]+ pieces of it could be written nowhere, and are lost", session.text)
    assert "The report could not be written" in session.text
    assert "The Markdown summary could not be written" in session.text
    assert session.text.count("No space left on device") >= 2
    assert full.run("test", "-e", full.at / "report.html").returncode == 1, "no half of a report"
    full.mount("size=128m")
    again = re.search(r"pytest --evalkit-resume (\S+)", session.text)
    assert again is not None
    resumed = start(
        str(store),
        within=full.inside(tmp_path / "project1"),
        conftest=A_MINUTE_LATER,
        arguments=["--evalkit-resume", again[1]],
    )
    assert resumed.wait() == 1, resumed.text
    run = look(str(full.taken_out(tmp_path / "out") / "evalkit.db"), resumed, set(), counted)
    assert facts(run) == undisturbed()
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)


def test_a_disk_that_is_full_from_the_start(disk, tmp_path, temporary, start, count):
    full = disk("1m")
    full.fill()
    session = start(str(full.at / "evalkit.db"), within=full.inside(tmp_path / "project0"), env=slowly(temporary))
    assert session.wait() == 4, session.text
    assert not session.acknowledged, "nothing is spent on what cannot be kept"
    assert "No space is left for the store." in session.text
    assert "--evalkit-store" in session.text
    assert "Traceback" not in session.text
    count("sqlite").faults += 1


READING = [
    ["runs"],
    ["show", "last"],
    ["gate", "last"],
    ["traces", "last"],
    ["compare", "last", "last"],
    ["history", "test_it"],
    ["db", "check"],
    ["db", "path"],
    ["promotions", "list"],
    ["audit", "verify"],
    ["doctor"],
    ["gc", "--keep-last", "1", "--dry-run"],
]
"""Commands that write nothing, or need not."""


def test_commands_on_a_full_disk(disk, tmp_path, start, count):
    full = disk("32m")
    store = full.at / "evalkit.db"
    session = start(str(store), within=full.inside(tmp_path / "project0"), env={"SECONDS_A_CASE": "0"})
    assert session.wait() == 1, session.text
    before = [full.evalkit(*words, "--store", store) for words in READING]
    full.fill()
    for words, done in zip(READING, before, strict=True):
        now = full.evalkit(*words, "--store", store)
        assert now.returncode == done.returncode or words == ["doctor"], (words, now.stderr)
    for words in (
        ["report", "last", "-o", full.at / "report.html"],
        ["report", "last", "--markdown", "-o", full.at / "report.md"],
        ["compare", "last", "last", "--html", full.at / "compare.html"],
        ["db", "backup", full.at / "backup.db"],
    ):
        full.fill()
        done = full.evalkit(*words, "--store", store)
        assert done.returncode not in (0, 70), (words, done.stdout)
        assert "o space" in done.stderr, (words, done.stderr)
        left = full.run("ls", "-A", full.at).stdout.split()
        assert not [name for name in left if words[-1].name in name and words[-1].suffix != ".md"], left
    backup = tmp_path / "backup.db"
    assert full.evalkit("db", "backup", backup, "--store", store).returncode == 0
    full.fill()
    done = full.evalkit("db", "restore", backup, "--store", store)
    assert (done.returncode, "o space" in done.stderr) == (2, True), done.stderr
    assert full.evalkit("show", "last", "--store", store).returncode == 0, "the store is there as it was"
    full.mount("size=128m")
    assert full.evalkit("db", "restore", backup, "--store", store).returncode == 0
    assert full.evalkit("db", "backup", full.at / "backup.db", "--store", store).returncode == 0
    count("sqlite").faults += len(READING) + 4


def test_a_store_on_a_disk_that_is_read_only(disk, tmp_path, temporary, start, count):
    """Nothing is run that could not be kept; what only reads goes on, and what writes says why it cannot."""
    sealed = disk("32m")
    store, elsewhere = sealed.at / "evalkit.db", tmp_path / "elsewhere"
    session = start(str(store), within=sealed.inside(tmp_path / "project0"), env={"SECONDS_A_CASE": "0"})
    assert session.wait() == 1, session.text
    before = [sealed.evalkit(*words, "--store", store) for words in READING]
    sealed.mount("ro")
    for place in (store, sealed.at / "new.db", sealed.at / "folder" / "new.db"):
        session = start(str(place), within=sealed.inside(tmp_path / f"project{1 + place.parent.name.count('folder')}"))
        assert session.wait() == 4, session.text
        assert not session.acknowledged
        assert "--evalkit-store" in session.text
        assert re.search("read-only|cannot be (made|created)|Read-only", session.text), session.text
        assert "Traceback" not in session.text
    for words, done in zip(READING, before, strict=True):
        now = sealed.evalkit(*words, "--store", store)
        assert now.returncode == done.returncode or words == ["doctor"], (words, now.stderr)
    for words in (
        ["report", "last", "-o", elsewhere / "report.html"],
        ["db", "backup", elsewhere / "backup.db"],
    ):
        done = sealed.evalkit(*words, "--store", store)
        assert done.returncode == 0, (words, done.stderr)
    spool = Spool(tmp_path / "spool.jsonl")
    spool.start_run("a-run", started_at=utc_now(), provenance=Provenance(), seed=0)
    for words in (
        ["report", "last", "-o", sealed.at / "report.html"],
        ["db", "backup", sealed.at / "backup.db"],
        ["redact", "last", "c1", "--reason", "it is private", "--yes"],
        ["db", "restore", elsewhere / "backup.db"],
        ["ingest", spool.path],
    ):
        done = sealed.evalkit(*words, "--store", store, input="y\n")
        assert done.returncode not in (0, 70), (words, done.stdout)
        assert re.search("[Rr]ead-only", done.stderr), (words, done.stderr)
    count("sqlite").faults += len(READING) + 10


def test_a_project_on_a_disk_that_is_read_only(disk, tmp_path, start, look, count, facts, undisturbed):
    """With the store elsewhere a run is what it is anywhere; what was to be written into the project is said."""
    counted, sealed = count("sqlite"), disk("32m")
    first = start(str(tmp_path / "first.db"))
    assert first.wait() == 1, first.text
    sealed.must("cp", "-a", tmp_path / "project0" / "test_inner.py", sealed.at)
    sealed.mount("ro")
    store = tmp_path / "kept" / "evalkit.db"
    session = start(
        str(store),
        within=sealed.inside(sealed.at),
        arguments=["--rootdir", str(sealed.at), "--evalkit-report=report.html", str(sealed.at)],
    )
    assert session.wait() == 1, session.text
    assert "The report could not be written" in session.text
    assert "Read-only file system" in session.text
    run = look(str(store), session, set(), counted)
    assert facts(run) == undisturbed()
    assert not run.degraded
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)


def test_the_folder_for_temporary_files_is_where_python_looks(temporary, monkeypatch):
    """The tests above name it by TMPDIR; were that ignored, they would fill a folder of this machine."""
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert tempfile.gettempdir() == str(temporary)
