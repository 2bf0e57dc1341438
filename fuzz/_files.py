"""An input as the file that a reader is given."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from evalkit.errors import EvalkitError


def read_as(name: str, data: bytes, reader: Callable[[Path], object]) -> None:
    """Give `reader` a file called `name`, alone in its folder; nothing but an `EvalkitError` may come of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        try:
            reader(path)
        except EvalkitError as error:
            str(error)
