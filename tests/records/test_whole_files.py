"""A file appears whole, or what was there before stays."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from evalkit.wholefile import write_whole


def test_it_is_written_anew(tmp_path):
    path = tmp_path / "summary.md"
    write_whole(path, b"new\n")
    write_whole(path, b"newer\n")
    assert path.read_bytes() == b"newer\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_disk_that_is_full_half_way_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "summary.md"
    path.write_bytes(b"old\n")
    whole = Path.write_bytes

    def half(self, content):
        whole(self, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new and longer\n")
    assert path.read_bytes() == b"old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"said\n")
    reader.join(timeout=60)
    assert read == [b"said\n"]
    assert pipe.is_fifo()
