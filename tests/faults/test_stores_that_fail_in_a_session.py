"""A store that fails while a session writes to it: the session goes on, and nothing that was reported is lost."""

from __future__ import annotations

import random
import resource
import shutil

import pytest

from evalkit.store import check, open_store


def over_quota(limit):
    """No file may be larger than `limit` bytes, as a quota or a full disk would have it."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


@pytest.mark.slow
def test_the_disk_refuses(tmp_path, start, look, count, times, facts, undisturbed, put_back):
    chance, spooled = random.Random(28), 0
    counted = count("sqlite")
    for number in range(times(4, 40)):
        path = tmp_path / f"{number}.db"
        open_store(path).close()
        session = start(str(path), preexec=over_quota(chance.randrange(150_000, 450_000)))
        code = session.wait()
        if code == 4:  # not even the beginning of a run could be written: nothing was run, and it is said
            assert not session.acknowledged
            assert "--evalkit-store" in session.text
            counted.faults += 1
            continue
        assert code == 1, session.text
        with open_store(path) as store:
            took = put_back(store, session)
            spooled += took
        assert took == ("The store failed" in session.text)
        run = look(str(path), session, set(), counted)
        assert facts(run) == undisturbed()
        assert bool(run.degraded) is took
    assert spooled >= times(2, 20), "the disk was hardly ever full"
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)


@pytest.mark.slow
def test_a_server_that_crashes_and_comes_back(own_server, start, look, count, times, facts, undisturbed, put_back):
    chance, seen = random.Random(57), set()
    counted = count(own_server.url)
    for _ in range(times(2, 20)):
        session = start(own_server.url, env={"SECONDS_A_CASE": "0.05"})
        session.until(reported=chance.randrange(1, 160))
        own_server.stop("immediate")
        own_server.start()
        assert session.wait() == 1, session.text
        with open_store(own_server.url) as store:
            put_back(store, session)
        run = look(own_server.url, session, seen, counted)
        assert facts(run) == undisturbed()
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)


IMPATIENT = """
import evalkit.store.database

evalkit.store.database.PATIENCE = 0.5
"""


@pytest.mark.slow
def test_a_server_that_stays_away_to_the_end(own_server, start, look, count, facts, undisturbed, put_back):
    counted = count(own_server.url)
    session = start(own_server.url, env={"SECONDS_A_CASE": "0.05"}, conftest=IMPATIENT)
    session.until(reported=40)
    own_server.stop("immediate")
    assert session.wait() == 1, session.text
    assert "The store failed" in session.text
    own_server.start()
    with open_store(own_server.url) as store:
        assert store.load(store.resolve("last")).status == "running", "what is in the spool is not there yet"
        assert put_back(store, session)
    run = look(own_server.url, session, set(), counted)
    assert facts(run) == undisturbed()
    assert run.degraded
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)


@pytest.mark.slow
def test_a_page_of_the_file_is_overwritten(tmp_path, start, facts, times, count):
    """Whatever page it is: a check says so, nobody is given another run than was stored, and a backup is the way back."""
    from evalkit.errors import StoreError
    from evalkit.store import backup, restore

    path = tmp_path / "store" / "evalkit.db"
    assert start(str(path)).wait() == 1
    with open_store(path) as store:
        run_id = store.resolve("last")
        truth = facts(store.load(run_id))
    made = backup(path, tmp_path / "backup.db")
    pages, chance, counted = path.stat().st_size // 4096, random.Random(4096), count("sqlite")
    chosen = range(pages) if times(0, 1) else [0, *chance.sample(range(1, pages), 15)]
    for page in chosen:
        damaged = tmp_path / f"page{page}.db"
        shutil.copyfile(path, damaged)
        with damaged.open("rb+") as file:
            file.seek(page * 4096)
            file.write(chance.randbytes(4096))
        counted.faults += 1
        try:
            found = check(damaged)
            assert not found.ok, f"page {page}"
        except StoreError:
            pass  # which says it as well
        try:
            with open_store(damaged) as store:
                counted.wrong += facts(store.load(run_id)) != truth
        except StoreError:
            pass  # which says it as well
        restore(made.path, damaged)
        assert check(damaged).ok
        with open_store(damaged) as store:
            counted.lost += facts(store.load(run_id)) != truth
        counted.acknowledged += 240
        damaged.unlink()
    assert (counted.lost, counted.doubled, counted.wrong) == (0, 0, 0)
