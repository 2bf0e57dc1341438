"""Recorded HTTP exchanges as a script: what was asked then is answered with what was answered then."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evalkit.canonical import digest
from evalkit.errors import DatasetError


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One exchange: `request` is the JSON that was sent, `response` the bytes that came back."""

    id: str
    method: str
    path: str
    request: Any
    status: int
    content_type: str
    response: bytes


class Recordings:
    """Recorded exchanges, found by method, path and the JSON of the body.

    Where one request was recorded more than once, its answers are given in their order, and the last of them again.
    """

    def __init__(self, recordings: Iterable[Recording]) -> None:
        self.all = tuple(recordings)
        self._by_key: dict[str, list[Recording]] = defaultdict(list)
        self._given: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        for recording in self.all:
            self._by_key[_key(recording.method, recording.path, recording.request)].append(recording)

    def find(self, method: str, path: str, body: Any) -> Recording | None:
        """The next answer to that request; `None` where it was never recorded."""
        key = _key(method, path, body)
        found = self._by_key.get(key)
        if not found:
            return None
        with self._lock:
            place = min(self._given[key], len(found) - 1)
            self._given[key] += 1
        return found[place]


def read_recordings(file: str | Path) -> Recordings:
    """The exchanges of a JSON Lines file with `id, method, path, request, status, content_type, response` in each row.

    `response` is a JSON value, or a text that is sent as it is (the events of a stream). Raises `DatasetError` with
    the file and line of a row that is no exchange.
    """
    path = Path(file)
    made = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                made.append(_read(line, f"{path}:{number}"))
    return Recordings(made)


def _read(line: str, where: str) -> Recording:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DatasetError(f"This is not JSON: {error}.", where=where) from None
    needed = ("method", "path", "request", "status", "response")
    lacking = [name for name in needed if not isinstance(row, Mapping) or name not in row]
    if lacking:
        raise DatasetError(
            f"A recorded exchange needs {', '.join(needed)}; {', '.join(lacking)} is missing.", where=where
        )
    response = row["response"]
    text = response if isinstance(response, str) else json.dumps(response, ensure_ascii=False)
    return Recording(
        id=str(row.get("id", where)),
        method=row["method"],
        path=row["path"],
        request=row["request"],
        status=row["status"],
        content_type=row.get("content_type") or "application/json",
        response=text.encode("utf-8", "surrogatepass"),
    )


def _key(method: str, path: str, body: Any) -> str:
    return f"{method.upper()} {path} {digest(body)}"
