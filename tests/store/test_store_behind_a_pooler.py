"""PgBouncer between evalkit and PostgreSQL: each transaction may have another connection to the server."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from evalkit.store import Store, open_store

PGBOUNCER = shutil.which("pgbouncer") or ("/usr/sbin/pgbouncer" if Path("/usr/sbin/pgbouncer").exists() else None)
THREADS, RUNS = 4, 6


@pytest.fixture
def pooled(empty_database: str) -> Iterator[str]:
    """The address of an empty database by way of a PgBouncer that has two connections for everybody."""
    if PGBOUNCER is None:
        pytest.skip("PgBouncer is not installed, so a store behind a pooler was not tried: apt-get install pgbouncer")
    url = sa.make_url(empty_database)
    host = url.host or str(url.query["host"])
    with tempfile.TemporaryDirectory(prefix="evalkit-pooler-") as name, socket.create_server(("127.0.0.1", 0)) as free:
        folder, port = Path(name), free.getsockname()[1]
        (folder / "users").write_text(f'"{url.username}" "{url.password or ""}"\n')
        (folder / "pooler.ini").write_text(
            f"[databases]\n{url.database} = host={host} port={url.port or 5432} dbname={url.database}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = trust\nauth_file = {folder}/users\npool_mode = transaction\ndefault_pool_size = 2\n"
        )
        options: dict[str, Any] = {}
        if os.getuid() == 0:  # PgBouncer refuses to be run by root
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, "postgres")
            options = {"user": "postgres", "extra_groups": []}
        free.close()
        with (folder / "log").open("wb") as log:
            pooler = subprocess.Popen([PGBOUNCER, folder / "pooler.ini"], stdout=log, stderr=log, **options)
        try:
            _wait_for(port, pooler, folder / "log")
            shown = url.set(host="127.0.0.1", port=port).difference_update_query(["host"])
            yield shown.render_as_string(hide_password=False)
        finally:
            pooler.terminate()
            pooler.wait(timeout=60)


def _wait_for(port: int, pooler: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert pooler.poll() is None, log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def _is_prepared(store: Store) -> bool:
    with store._database.reading() as session:
        return session._connection.connection.dbapi_connection.prepare_threshold is not None


def test_many_write_at_once_and_every_run_is_whole(pooled: str, begin: Any) -> None:
    failures: list[BaseException] = []
    with open_store(pooled):
        pass  # it makes the tables

    def write() -> None:
        try:
            for _ in range(RUNS):
                with open_store(pooled) as store:
                    example = begin(store, size=12)
                    for index in range(12):
                        example.add(example.trial(index))
                    example.finish()
                    assert len(example.trials()) == 12
        except BaseException as error:  # of a thread: shown below
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with open_store(pooled) as store:
        runs = store.runs()
        assert [run.counts["passed"] for run in runs] == [12] * THREADS * RUNS
        assert not _is_prepared(store)


def test_the_wait_for_a_lock_is_limited_and_stays_with_its_transaction(pooled: str) -> None:
    with open_store(pooled, timeout=7.0) as store, store._database.reading() as session:
        assert session.execute("SHOW lock_timeout") == [("7s",)]
    with open_store(pooled) as store, store._database.reading() as session:
        assert session.execute("SHOW lock_timeout") == [("30s",)]


def test_without_a_pooler_statements_are_prepared(empty_database: str) -> None:
    with open_store(empty_database) as store:
        assert _is_prepared(store)
