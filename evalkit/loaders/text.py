"""Bytes that should be UTF-8 text, read with a cap and with errors that say which byte is wrong."""

from __future__ import annotations

import codecs
from pathlib import Path

from evalkit.errors import DatasetError

MEGABYTE = 1024 * 1024
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path, *, shown: str, cap: int) -> str:
    """The whole file as text, without a byte order mark; line ends are left as they are.

    Raises `DatasetError` for a file of more than `cap` bytes, before reading it, and for bytes that are no UTF-8.
    """
    size = path.stat().st_size
    if size > cap:
        raise DatasetError(
            f"The file has {size / MEGABYTE:.0f} MB, more than the {cap // MEGABYTE} MB that are read in one piece.",
            where=shown,
            hint="Write it as .jsonl, one case per line, which is read line by line.",
        )
    data = path.read_bytes()
    return decoded(data.removeprefix(codecs.BOM_UTF8), shown=shown, offset=3 * data.startswith(codecs.BOM_UTF8))


def decoded(data: bytes, *, shown: str, line: int = 1, offset: int = 0) -> str:
    """`data` as text, where it begins at `line` and `offset` bytes into the file.

    Raises `DatasetError` that names the line, the byte and its offset in the file, counted from 0.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line += data.count(b"\n", 0, error.start)
        if offset == 0 and data.startswith(_UTF16):
            what = "The file is UTF-16, not UTF-8."
        else:
            what = f"Byte {offset + error.start} is 0x{data[error.start]:02x}, which is not UTF-8 ({error.reason})."
        raise DatasetError(
            what,
            where=f"{shown}:{line}",
            hint=f"Save the file as UTF-8, for example: iconv -f latin1 -t utf-8 {shown} (with its real encoding).",
        ) from None
