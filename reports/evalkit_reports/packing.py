"""How data travel in a page: JSON in ASCII, deflated, in base64."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

CHUNK = 512_000
"""The characters of JSON from which on a chunk is full."""


def dumps(value: Any) -> str:
    """JSON without spaces. In ASCII only: a lone surrogate has no UTF-8, but it has a JSON escape."""
    return json.dumps(value, separators=(",", ":"))


def packed(text: str) -> str:
    """`text`, of ASCII, deflated and in base64."""
    return base64.b64encode(zlib.compress(text.encode("ascii"), 6)).decode("ascii")
